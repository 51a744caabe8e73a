"""Layers of one cell: time, lanes, depth, and how the weights begin."""


import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.models.conftest import CELLS, CORES, FUSED, SPEC, core, random_network, random_tokens, small
from tests.outputs import of_stream
from tests.specs import changed, make_spec
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.batches import StreamLayout, all_batches
from unroll.data.fields import sequences
from unroll.models.cells._kernel import KernelCell
from unroll.models.core import reverse
from unroll.models.network import Network, build
from unroll.models.outputs import tensors


def layers(cell: str, **changes) -> list[KernelCell]:
    return list(build(small(cell, **changes), SPEC, seed=3).core.layers)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", CORES)
def test_a_sequence_in_chunks_is_the_whole_sequence(cell, depth):
    network = random_network(small(cell, layers=depth))
    tokens = random_tokens(12, 3)["text"]
    whole, after_whole = network({"text": tokens})
    state, parts = None, []
    for chunk in tokens.split([5, 1, 4, 2]):
        outputs, state = network({"text": chunk}, state)
        parts.append(outputs["text"])
    torch.testing.assert_close(torch.cat(parts), whole["text"], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after_whole, rtol=0, atol=1e-12)
    assert len(state) == depth


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("cell", CORES)
def test_symbol_by_symbol_is_the_whole_sequence(cell, depth):
    network = random_network(small(cell, layers=depth))
    tokens = random_tokens(6, 2)["text"]
    whole, after_whole = network({"text": tokens})
    state = network.start(2)
    for t, symbols in enumerate(tokens):
        outputs, state = network.step({"text": symbols}, state)
        torch.testing.assert_close(outputs["text"], whole["text"][t], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after_whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CORES)
def test_lanes_know_nothing_of_each_other(cell):
    network = random_network(small(cell, layers=2))
    tokens, others = random_tokens(6, 3)["text"], random_tokens(6, 3, seed=1)["text"]
    others[:, 1] = tokens[:, 1]
    outputs, alone = (network({"text": each})[0]["text"] for each in (tokens, tokens[:, 1:2]))
    torch.testing.assert_close(outputs[:, 1:2], alone, rtol=0, atol=1e-12)
    beside, _ = network({"text": others})
    torch.testing.assert_close(outputs[:, 1], beside["text"][:, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_starts_at_zero(cell):
    (first, second) = random_network(small(cell, layers=2)).start(4)
    assert len(first) == len(second) == (2 if cell == "lstm" else 1)
    assert all(each.shape == (4, 6) and not each.any() for each in (*first, *second))


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_every_gates_recurrence_starts_orthogonal(cell):
    for layer in layers(cell, layers=2):
        gates = layer.weights.hh.chunk(len(layer.blocks))
        for gate in gates:
            torch.testing.assert_close(gate @ gate.T, torch.eye(6), rtol=0, atol=1e-5)
        assert len({tuple(gate.flatten().tolist()) for gate in gates}) == len(gates)


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_every_gates_input_starts_within_its_own_glorot_bound(cell):
    """A bound over the stacked gates would be narrower."""
    bound = (6 / (40 + 30)) ** 0.5
    (layer,) = layers(cell, embedding=40, hidden=30)
    for gate in layer.weights.ih.chunk(len(layer.blocks)):
        assert 0.97 * bound < gate.abs().max() <= bound


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_the_uniform_start_stays_within_pytorchs_bound(cell):
    weights = layers(cell, hidden=16, init="uniform")[0].weights
    for each in (weights.ih, weights.hh):
        assert 0.9 * 16**-0.5 < each.abs().max() <= 16**-0.5


@pytest.mark.parametrize("init", ["orthogonal", "uniform"])
def test_the_forget_gates_bias_starts_where_it_is_set(init):
    for layer in layers("lstm", layers=2, init=init):
        i, f, g, o = layer.weights.bias_ih.chunk(4)
        assert (f == 1.0).all()
        assert all(bool(each.any()) == (init == "uniform") for each in (i, g, o))
        assert not layer.weights.bias_hh.any()


@pytest.mark.parametrize("cell", CELLS)
def test_only_the_gru_trains_a_second_bias(cell):
    network = build(small(cell, layers=2), SPEC, seed=0)
    optimizer = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], lr=1.0)
    outputs, _ = network(random_tokens(4, 2))
    outputs["text"].square().sum().backward()
    optimizer.step()
    for layer in network.core.layers:
        assert layer.weights.bias_hh.requires_grad == bool(layer.weights.bias_hh.any()) == (cell == "gru")
        assert layer.weights.bias_ih.any()


# ------------------------------------------------------------------------------------- real vectors, a class a step

REALS = make_spec(
    {"x": {"kind": "real", "size": 10, "scale": {"mean": [0.5] * 10, "deviation": [2.0] * 10}}},
    {"tag": {"kind": "classes", "per": "step", "size": 4}}, longest=100,
)


def tagger(cell: str, layers: int, hidden: int = 128) -> Network:
    """Hidden size 128, a softmax over four classes at each step, in single precision as it is trained."""
    config = ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}},
        "core": core(cell, hidden, layers),
        "heads": {"tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}},
    })
    network = random_network(config, spec=REALS, scale=0.06).float()
    with torch.no_grad():
        network.heads["tag"].output.weight.mul_(10)     # the classes differ from step to step
    return network


def signal(steps: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {"x": draw.standard_normal((steps, 10)).astype(np.float32), "tag": draw.integers(0, 4, steps)}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CORES)
def test_a_chunked_run_over_ten_numbers_a_step_is_the_whole_run(cell, layers):
    """One lane, eleven steps at a time, against all of the stream at once: probabilities of every step."""
    network, given = tagger(cell, layers), sequences(REALS, signal(100), None)
    (whole,) = all_batches(StreamLayout(given, 1, 100))
    with torch.inference_mode():
        expected = network(tensors(whole.inputs))[0]["tag"][:, 0].softmax(dim=-1)
        (total,) = network.losses(network(tensors(whole.inputs))[0], tensors(whole.targets)).values()
        cost = float(total)
    chunked, nats = of_stream(network, StreamLayout(given, 1, 11), "tag", 100)
    assert chunked.shape == (100, 4)
    np.testing.assert_allclose(chunked, expected, rtol=0, atol=1e-5)
    assert nats == pytest.approx(cost, rel=1e-5)
    assert np.ptp(chunked, axis=0).max() > 1e-3         # a hundred times the tolerance


@pytest.mark.parametrize("cell", CORES)
def test_step_by_step_over_ten_numbers_is_the_whole_run(cell):
    network = tagger(cell, 2).double()
    x = torch.randn(9, 2, 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    whole, after = network({"x": x})
    state = network.start(2)
    for t, step in enumerate(x):
        outputs, state = network.step({"x": step}, state)
        torch.testing.assert_close(outputs["tag"], whole["tag"][t], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after, rtol=0, atol=1e-12)


def test_lanes_side_by_side_are_stretches_of_the_stream():
    """Each lane starts from nothing, so its own stretch alone says what it says."""
    network, values = tagger("lstm", 1), signal(100)
    together, _ = of_stream(network, StreamLayout(sequences(REALS, values, None), 4, 7), "tag", 100)
    for lane in range(4):
        own = {name: each[25 * lane : 25 * (lane + 1)] for name, each in values.items()}
        alone, _ = of_stream(network, StreamLayout(sequences(REALS, own, None), 1, 25), "tag", 25)
        np.testing.assert_allclose(together[25 * lane : 25 * (lane + 1)], alone, rtol=0, atol=1e-6)


# ----------------------------------------------------------------------------------------------------- both ways

LENGTHS = torch.tensor([7, 1, 4, 6])


def both_ways(cell: str, layers: int) -> Network:
    config = small(cell, layers=layers)
    both = config.model_copy(update={"core": config.core.model_copy(update={"bidirectional": True})})
    return random_network(both, spec=changed(SPEC, layout="items"))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", FUSED)
def test_both_ways_are_pytorchs_own_over_packed_sequences(cell, layers):
    ours = both_ways(cell, layers).core
    kind, _, nonlinearity = cell.partition("-")
    kernel = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind]
    own = {"nonlinearity": nonlinearity} if nonlinearity else {}
    theirs = kernel(5, 6, layers, bidirectional=True, **own).double()
    with torch.no_grad():
        for depth, layer in enumerate(ours.layers):
            for suffix, part in (("", layer.forwards), ("_reverse", layer.backwards)):
                for name, each in part.kernel.named_parameters():
                    getattr(theirs, name.replace("_l0", f"_l{depth}{suffix}")).copy_(each)
    x = torch.randn(7, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0])
    found, _ = ours(x, ours.start(4), lengths=LENGTHS)
    for lane, length in enumerate(LENGTHS):
        torch.testing.assert_close(found[:length, lane], expected[:length, lane], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_way_back_is_the_way_forth_of_the_reversed_sequence(cell):
    (layer,) = both_ways(cell, 1).core.layers
    x = torch.randn(5, 1, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found, _ = layer(x, layer.start(1))
    forth, _ = layer.forwards(x, layer.forwards.start(1))
    back, _ = layer.backwards(x.flip(0), layer.backwards.start(1))
    torch.testing.assert_close(found, torch.cat([forth, back.flip(0)], dim=-1), rtol=0, atol=1e-12)


def test_a_sequence_is_reversed_within_its_own_length():
    x = torch.arange(4)[:, None, None] + torch.tensor([0, 10, 20])[:, None]         # (4, 3, 1)
    assert reverse(x, torch.tensor([4, 1, 3]))[..., 0].T.tolist() == [[3, 2, 1, 0], [10, 11, 12, 13], [22, 21, 20, 23]]
    assert reverse(x, torch.tensor([4, 0, 3]))[..., 0].T.tolist()[1] == [10, 11, 12, 13]
    assert reverse(x, None)[..., 0].T.tolist()[1] == [13, 12, 11, 10]


def test_a_network_that_reads_from_the_end_on_takes_no_single_steps():
    network = both_ways("gru", 1)
    with pytest.raises(UserError) as caught:
        network.step({"text": torch.tensor([1])}, network.start(1))
    assert (caught.value.code, caught.value.where) == ("conflict", "model.core.bidirectional")


def test_each_direction_has_a_state_of_its_own():
    for state in both_ways("lstm", 2).start(3):
        assert [tuple(each.shape) for each in state] == [(3, 6)] * 4
