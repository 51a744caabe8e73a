"""Inputs, core and heads together."""

import numpy as np
import pytest
import torch
from torch.nn.functional import linear

from tests.models.conftest import CORES, SIZE, SPEC, core, random_network, random_tokens, small
from tests.outputs import of_sequences
from tests.specs import changed, make_spec
from unroll.base.errors import UserError
from unroll.config.encoders.real import Settings
from unroll.config.model import ModelConfig
from unroll.data.batches import ItemLayout
from unroll.data.fields import sequences
from unroll.data.spec import InputSpec, Spec
from unroll.models.dropout import Masks
from unroll.models.encoder import BaseEncoder, make_encoder
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
@pytest.mark.parametrize("cell", CORES)
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
    spec = changed(SPEC, inputs={"text": {"kind": "tokens", "size": 2000}})
    weight = build(small("gru", embedding=32), spec, seed=0).inputs["text"].embedding.weight.detach()
    assert float(weight.square().sum(dim=1).mean()) == pytest.approx(1, abs=0.02)


def test_fields_lie_side_by_side_and_every_head_answers():
    described = small("lstm").model_dump()
    described["inputs"]["pitch"] = {"kind": "embedding", "size": 3, "dropout": 0.0}
    described["heads"]["pitch"] = {"kind": "next_token", "dropout": 0.0, "tied": False}
    spec = make_spec(
        {"text": {"kind": "tokens", "size": SIZE}, "pitch": {"kind": "tokens", "size": 4}},
        {name: {"kind": "classes", "per": "step", "of": name, "size": size} for name, size in (("text", SIZE), ("pitch", 4))},
    )
    network = random_network(ModelConfig.model_validate(described), spec=spec)
    inputs = {"pitch": TOKENS["text"] % 4, **TOKENS}
    both = [network.inputs[name].embedding(inputs[name]) for name in ("pitch", "text")]      # in the order of their names
    assert torch.equal(network.embed(inputs), torch.cat(both, dim=-1))
    outputs, _ = network(inputs)
    assert {name: each.shape[-1] for name, each in outputs.items()} == {"text": SIZE, "pitch": 4}


@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_a_field_that_the_data_lacks_is_named(part):
    note = {"kind": "tokens", "size": 3} if part == "inputs" else {"kind": "classes", "per": "step", "size": 3}
    with pytest.raises(UserError) as caught:
        build(small("gru"), changed(SPEC, **{part: {"note": note}}), seed=0)
    where = "model.inputs.text" if part == "inputs" else "model.heads.text"
    assert (caught.value.code, caught.value.where, "'note'" in caught.value.text) == ("unknown-name", where, True)


# ---------------------------------------------------------------------------------------------------- other fields


def real(size: int | None, dropout: float = 0.0, features: int = 3) -> BaseEncoder:
    return make_encoder(Settings(kind="real", size=size, dropout=dropout), InputSpec(kind="real", size=features, width=features))


@pytest.mark.parametrize("size", [None, 4])
def test_real_vectors_are_read_as_they_are_or_through_a_layer(size):
    layer = real(size)
    x = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    expected = x if size is None else linear(x, layer.projection.weight, layer.projection.bias)
    assert torch.equal(layer(x, lambda x, _: x), expected)
    assert layer.size == (size or 3) and len([*layer.parameters()]) == (0 if size is None else 2)


def test_the_dropout_of_real_vectors_takes_effect():
    layer = real(None, dropout=0.5, features=64)
    assert 0 < (layer(torch.ones(1, 4, 64), Masks(0, 0, (0, 4))) == 0).float().mean() < 1


def several() -> tuple[ModelConfig, Spec]:
    """Two inputs, two heads: a class a sequence of a text and a value a step of real vectors."""
    config = ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": 3, "dropout": 0.0},
                   "x": {"kind": "real", "size": None, "dropout": 0.0}},
        "core": core("gru"),
        "heads": {"label": {"kind": "classification", "loss": "cross_entropy", "pooling": "mean", "dropout": 0.0},
                  "y": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0}},
    })
    return config, make_spec(
        {"text": {"kind": "tokens", "size": SIZE},
         "x": {"kind": "real", "size": 2, "scale": {"mean": [0, 0], "deviation": [1, 1]}}},
        {"label": {"kind": "classes", "per": "sequence", "size": 3}, "y": {"kind": "reals", "per": "step", "size": 2}},
        layout="items",
    )


def test_each_head_has_a_loss_of_its_own():
    network = random_network(*several()[:1], spec=several()[1])
    inputs = {**TOKENS, "x": torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))}
    targets = {"label": torch.tensor([0, 2, -100]), "y": torch.zeros(4, 3, 2)}
    outputs, _ = network(inputs, lengths=torch.tensor([4, 2, 1]))
    apart = [network.head(name).loss(outputs[name], targets[name]) for name in ("label", "y")]
    assert outputs["label"].shape == (3, 3) and outputs["y"].shape == (4, 3, 2)
    assert network.losses(outputs, targets) == dict(zip(("label", "y"), apart, strict=True))
    assert network.losses(outputs, {"y": targets["y"]}) == {"y": apart[1]}


@pytest.mark.parametrize("name", ["label", "y"])
def test_predictions_come_in_the_datas_own_order(name):
    """Whatever the batches are: one a sequence, or one a step of it."""
    config, spec = several()
    network, draw = random_network(config, spec=spec).float(), np.random.default_rng(0)
    values = {"text": draw.integers(0, SIZE, 10), "x": draw.random((10, 2), np.float32), "label": np.array([1, 0, 2, 1]),
              "y": draw.random((10, 2), np.float32)}
    given = sequences(spec, values, np.array([0, 4, 5, 8, 10]))
    (one, nats), (three, same) = (of_sequences(network, ItemLayout(given, size, None), name) for size in (1, 3))
    assert [each.shape for each in three] == ([(3,)] * 4 if name == "label" else [(4, 2), (1, 2), (3, 2), (2, 2)])
    for first, second in zip(one, three, strict=True):
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-5)
    assert nats == pytest.approx(same, rel=1e-5)


def test_the_next_symbol_of_items_is_predicted_in_their_order():
    values = {"text": np.arange(9) % SIZE}
    network = random_network(small("gru")).float()
    given = sequences(changed(SPEC, layout="items"), values, np.array([0, 4, 5, 9]))
    found, nats = of_sequences(network, ItemLayout(given, 2, None), "text")
    assert [len(each) for each in found] == [4, 1, 4]
    costs = [-np.log(each[np.arange(len(each)), values["text"][first : first + len(each)]]).sum()
             for each, first in zip(found, (0, 4, 5), strict=True)]
    assert nats == pytest.approx(sum(costs), rel=1e-5)
