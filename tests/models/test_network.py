"""Inputs, core and heads together."""

import pytest
import torch
from torch.nn.functional import linear

from tests.models.conftest import CELLS, SIZE, SPEC, random_network, random_tokens, small
from unroll.config.model import ModelConfig
from unroll.errors import UserError
from unroll.models.dropout import Masks
from unroll.models.network import build

TOKENS = random_tokens(4, 3)


def test_dropout_is_asked_for_on_input_between_layers_and_on_output():
    asked = []

    def record(x, probability):
        asked.append((tuple(x.shape), probability))
        return x

    random_network(small("lstm", layers=3, dropout=(0.1, 0.2, 0.3)))(TOKENS, None, record)
    assert asked == [((4, 3, 5), 0.1), ((4, 3, 6), 0.2), ((4, 3, 6), 0.2), ((4, 3, 6), 0.3)]


@pytest.mark.parametrize("dropout", [(0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5)])
@pytest.mark.parametrize("cell", CELLS)
def test_each_dropout_takes_effect_in_training_only(cell, dropout):
    dry, network = (random_network(small(cell, layers=2, dropout=each)) for each in ((0.0, 0.0, 0.0), dropout))
    expected = dry(TOKENS)[0]["text"]
    masks = Masks(0, 0, (0, 3))
    assert not torch.equal(network(TOKENS, None, masks)[0]["text"], expected)
    assert torch.equal(network.train()(TOKENS)[0]["text"], expected)
    assert torch.equal(network.eval()(TOKENS)[0]["text"], expected)


def test_dropout_between_layers_needs_two():
    network = random_network(small("gru", dropout=(0.0, 0.9, 0.0)))
    assert torch.equal(network(TOKENS, None, Masks(0, 0, (0, 3)))[0]["text"], network(TOKENS)[0]["text"])


@pytest.mark.parametrize("embedding", [6, 4])
def test_a_tied_head_reads_the_embedding_backwards(embedding):
    network = random_network(small("lstm", embedding=embedding, tied=True))
    table, head = network.inputs["text"].embedding.weight, network.heads["text"]
    hidden, _ = network.core(network.embed(TOKENS), network.start(3))
    narrow = hidden if embedding == 6 else linear(hidden, head.projection.weight)
    torch.testing.assert_close(network(TOKENS)[0]["text"], narrow @ table.T + head.bias)


@pytest.mark.parametrize(("embedding", "projected"), [(6, 0), (4, 6 * 4)])
def test_a_tied_embedding_is_held_and_saved_once(embedding, projected):
    free, tied = (build(small("gru", embedding=embedding, tied=each), SPEC, 0) for each in (False, True))
    count = {each: sum(weight.numel() for weight in each.state_dict().values()) for each in (free, tied)}
    assert count[free] - count[tied] == SIZE * 6 - projected
    assert count[tied] == sum(each.numel() for each in tied.parameters())
    assert sum(tuple(each.shape) == (SIZE, embedding) for each in tied.state_dict().values()) == 1


def test_a_tied_embedding_learns_from_input_and_output():
    network = random_network(small("rnn-tanh", embedding=6, tied=True))
    outputs, _ = network({"text": torch.tensor([[2]])})
    outputs["text"].square().sum().backward()
    # the head gives a gradient to every symbol, one that was never read too
    assert network.inputs["text"].embedding.weight.grad.abs().sum(dim=1).gt(0).all()


def test_initial_weights_follow_from_the_seed_alone():
    torch.manual_seed(0)
    first = build(small("lstm", layers=2), SPEC, seed=5).state_dict()
    torch.manual_seed(1)
    torch.rand(3)
    again, other = (build(small("lstm", layers=2), SPEC, seed).state_dict() for seed in (5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["inputs.text.embedding.weight"], other["inputs.text.embedding.weight"])


def test_building_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    build(small("gru"), SPEC, seed=5)
    assert torch.equal(torch.get_rng_state(), before)


def test_layers_start_with_weights_of_their_own():
    first, second = build(small("gru", embedding=6, layers=2), SPEC, seed=0).core.layers
    assert not torch.equal(first.weights.hh, second.weights.hh)
    assert not torch.equal(first.weights.ih, second.weights.ih)


def test_an_embedding_starts_with_rows_of_length_one():
    spec = {**SPEC, "inputs": {"text": {"kind": "tokens", "size": 2000}}}
    weight = build(small("gru", embedding=32), spec, seed=0).inputs["text"].embedding.weight.detach()
    assert float(weight.square().sum(dim=1).mean()) == pytest.approx(1, abs=0.02)


def test_fields_lie_side_by_side_and_every_head_answers():
    described = small("lstm").model_dump()
    described["inputs"]["pitch"] = {"kind": "embedding", "size": 3, "dropout": 0.0}
    described["heads"]["pitch"] = {"kind": "next_token", "dropout": 0.0, "tied": False}
    spec = {part: {**SPEC[part], "pitch": {**SPEC[part]["text"], "size": 4, "of": "pitch"}} for part in SPEC}
    network = random_network(ModelConfig.model_validate(described), spec=spec)
    inputs = {"pitch": TOKENS["text"] % 4, **TOKENS}
    both = [network.inputs[name].embedding(inputs[name]) for name in ("text", "pitch")]
    assert torch.equal(network.embed(inputs), torch.cat(both, dim=-1))
    outputs, _ = network(inputs)
    assert {name: each.shape[-1] for name, each in outputs.items()} == {"text": SIZE, "pitch": 4}


@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_a_field_that_the_data_lacks_is_named(part):
    with pytest.raises(UserError, match=rf"no {part} \['text'\]; it has \['note'\]"):
        build(small("gru"), {**SPEC, part: {"note": {"size": 3}}}, seed=0)
