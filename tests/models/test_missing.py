"""What a network reads of numbers that are missing, against loops by hand."""

import math

import numpy as np
import pytest
import torch

from tests.models.conftest import core
from tests.refusals import refusal
from tests.specs import make_spec
from unroll.config.model import ModelConfig
from unroll.data.missing import filled_window, held, interpolated
from unroll.models.core import Core, Missing
from unroll.models.gap import Gap
from unroll.models.network import Network, build
from unroll.models.remember import Remember

NAN = math.nan
HEAD = {"y": {"kind": "regression", "loss": "squared_error", "pooling": "last", "dropout": 0.0}}
VALUE = {"y": {"kind": "reals", "per": "sequence", "size": 1, "scale": {"mean": [0.0], "deviation": [1.0]}}}


def network(missing: str | None, cell: str = "gru", **inputs) -> Network:
    spec = make_spec({"x": {"kind": "real", "size": 2, "scale": {"mean": [0, 0], "deviation": [1, 1]}, "missing": missing},
                      **inputs.get("fields", {})}, VALUE)
    config = {"inputs": {"x": {"kind": "real", "size": inputs.get("size"), "dropout": 0.0}, **inputs.get("encoders", {})},
              "core": core(cell, 5), "heads": HEAD}
    return build(ModelConfig.model_validate(config), spec, 1).double()


def some(steps: int, lanes: int, features: int) -> torch.Tensor:
    draw = np.random.default_rng(steps)
    x = draw.standard_normal((steps, lanes, features))
    x[draw.random(x.shape) < 0.5] = NAN
    return torch.from_numpy(x)


def test_what_is_remembered_is_the_last_value_and_how_long_ago_it_was():
    layer = Remember(3, [1, 2]).double()
    x = some(7, 2, 3)
    value, age, rows = np.zeros((2, 3)), np.zeros((2, 3)), []
    for x_t in x.numpy():
        known = ~np.isnan(x_t)
        value, age = np.where(known, x_t, value), np.where(known, 0, age + 1)
        rows.append(np.concatenate([value, known[:, 1:], np.log1p(age)[:, 1:]], axis=1))
    y, after = layer(x, layer.start(2))
    np.testing.assert_allclose(y, rows, rtol=0, atol=1e-12)
    np.testing.assert_allclose(torch.stack(after), [value, age])
    state, parts = layer.start(2), []
    for chunk in x.split([1, 3, 3]):
        part, state = layer(chunk, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts), y, rtol=0, atol=0)


def test_where_steps_are_uneven_ages_are_in_mean_gaps():
    gap = Gap(2, 0.7)
    layer = Remember(3, [0, 1], gap).double()
    x = some(7, 2, 3)
    x[..., 2] = x[..., 2].nan_to_num()
    age, rows = np.zeros((2, 2)), []
    for x_t in x.numpy():
        age = np.where(np.isnan(x_t[:, :2]), age + np.exp(0.7 * x_t[:, 2:]), 0)
        rows.append(np.log1p(age))
    y, _ = layer(x, layer.start(2))
    np.testing.assert_allclose(y[..., 5:], rows, rtol=0, atol=1e-12)
    state, parts = layer.start(2), []
    for chunk in x.split([1, 3, 3]):
        part, state = layer(chunk, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts), y, rtol=0, atol=1e-12)


def test_gru_d_decays_by_the_time_between_steps():
    spec = make_spec({"x": {"kind": "real", "size": 2, "scale": {"mean": [0, 0], "deviation": [1, 1]}, "missing": "mask"},
                      "gap": {"kind": "real", "size": 1, "scale": {"mean": [0], "deviation": [0.5], "log": True},
                              "missing": "mean", "gap": True}}, VALUE)
    encoder = {"kind": "real", "size": None, "dropout": 0.0}
    config = {"inputs": {"x": encoder, "gap": encoder}, "core": core("grud", 5), "heads": HEAD}
    cell = build(ModelConfig.model_validate(config), spec, 1).double().core.layers[0]
    features = torch.tensor([[0.0, 1.0, 2.0], [2 * math.log(2), NAN, NAN]]).double()[:, None]
    with torch.no_grad():
        for parameter in (cell.from_input.weight, cell.from_state.weight):
            parameter[:, 0] = 0     # the gap itself is not read
        _, (_, value, age) = cell(features, cell.start(1))
        kept = cell.gates(features[0], cell.start(1))["kept"]
        torch.testing.assert_close(kept, torch.exp(-torch.relu(cell.state_decay(torch.ones(1, 3).double()))))
        later = cell.gates(features[1], cell(features[:1], cell.start(1))[1])["kept"]
        torch.testing.assert_close(later, torch.exp(-torch.relu(cell.state_decay(torch.full((1, 3), 2.0).double()))))
    assert age[0].tolist() == pytest.approx([0, 2, 2]) and value[0, 1:].tolist() == [1, 2]
    both = Core(ModelConfig.model_validate(config | {"core": core("grud", 5) | {"bidirectional": True}}).core, 3, 2,
                Missing((1, 2), (), Gap(0, 0.5))).double()
    turned = both.layers[0].backwards.gap.from_the_end(features)
    assert turned[:, 0, 0].tolist() == pytest.approx([2 * math.log(2), 0])
    with torch.no_grad():
        y, _ = both(features, both.start(1))
        back, _ = both.layers[0].backwards(turned.flip(0), both.layers[0].backwards.start(1))
    torch.testing.assert_close(y[..., 5:], back.flip(0))


def test_gru_d_is_the_papers_equations():
    made = Core(ModelConfig.model_validate({"inputs": {}, "core": core("grud", 4), "heads": HEAD}).core, 3, 7).double()
    cell = made.layers[0]
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    x = some(6, 2, 3)
    w = {name: parameter.detach().numpy() for name, parameter in cell.named_parameters()}
    h, last, since = np.zeros((2, 4)), np.zeros((2, 3)), np.ones((2, 3))
    outputs = []

    def sigmoid(values):
        return 1 / (1 + np.exp(-values))

    for x_t in x.numpy():
        m = ~np.isnan(x_t)
        decay_x = np.exp(-np.maximum(0, w["input_decay"][0] * since + w["input_decay"][1]))
        decay_h = np.exp(-np.maximum(0, since @ w["state_decay.weight"].T + w["state_decay.bias"]))
        read = np.concatenate([np.where(m, x_t, decay_x * last + (1 - decay_x) * 0), m], axis=1)
        h = decay_h * h
        a = read @ w["from_input.weight"].T + w["from_input.bias"]
        u = w["from_state.weight"]
        r, z = sigmoid(a[:, :4] + h @ u[:4].T), sigmoid(a[:, 4:8] + h @ u[4:8].T)
        n = np.tanh(a[:, 8:] + (r * h) @ u[8:].T)
        h = (1 - z) * h + z * n
        last, since = np.where(m, x_t, last), np.where(m, 1, since + 1)
        outputs.append(h)
    np.testing.assert_allclose(made(x, made.start(2))[0].detach(), outputs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", ["gru", "lstm", "grud", "mlp"])
@pytest.mark.parametrize("missing", ["mask", "forward"])
def test_steps_and_chunks_and_a_whole_sequence_agree(missing, cell):
    made, x = network(missing, cell), some(9, 3, 2)
    whole, after = made({"x": x})
    assert whole["y"].isfinite().all()
    state = made.start(3)
    for chunk in x.split([4, 1, 4]):
        part, state = made({"x": chunk}, state)
    torch.testing.assert_close(part["y"], whole["y"], rtol=0, atol=1e-12)
    state = made.start(3)
    for x_t in x:
        part, state = made.step({"x": x_t}, state)
    torch.testing.assert_close(part["y"], whole["y"], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after, rtol=0, atol=1e-12)


def test_what_a_missing_number_would_have_been_changes_nothing_but_that_it_is_missing_does():
    x, complete = some(6, 2, 2), torch.zeros(6, 2, 2, dtype=torch.float64)
    held_values = torch.from_numpy(np.stack([held(lane.numpy()) for lane in x.unbind(1)], axis=1))
    first = torch.from_numpy(np.isnan(x.numpy()).cumprod(axis=0).astype(bool))
    held_values[first] = 0      # before the first value the mean is read
    masked, forward = network("mask"), network("forward")
    torch.testing.assert_close(forward({"x": x})[0], forward({"x": held_values})[0])
    assert not torch.allclose(masked({"x": x})[0]["y"], masked({"x": held_values})[0]["y"])
    assert forward({"x": complete})[0]["y"].isfinite().all()


@pytest.mark.parametrize("joins", ["steps", "start"])
def test_facts_may_be_missing(joins):
    fields = {"age": {"kind": "real", "size": 1, "per": "sequence", "scale": {"mean": [0], "deviation": [1]}, "missing": "mask"}}
    made = network("mask", fields=fields, encoders={"age": {"kind": "static", "size": 3, "dropout": 0.0, "joins": joins}})
    x = some(4, 3, 2)
    out = made({"x": x, "age": torch.tensor([[0.0], [NAN], [1.0]], dtype=torch.float64)})[0]["y"]
    assert out.isfinite().all()
    other = made({"x": x, "age": torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)})[0]["y"]
    torch.testing.assert_close(out[[0, 2]], other[[0, 2]])
    assert not torch.allclose(out[1], other[1])
    out.sum().backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in made.parameters())


def test_a_linear_layer_cannot_read_what_is_missing():
    assert refusal(lambda: network("mask", size=4)) == ("conflict", "model.inputs.x.size")
    assert network("mean", size=4)({"x": torch.zeros(2, 1, 2, dtype=torch.float64)})[0]["y"].isfinite().all()


def test_a_line_is_drawn_between_neighbours_and_values_are_held_outside_of_them():
    rows = np.array([[NAN, NAN], [1.0, NAN], [NAN, NAN], [3.0, NAN], [NAN, NAN]])
    np.testing.assert_array_equal(interpolated(rows, np.array([9.0, 7.0])), np.stack([[1, 1, 2, 3, 3], [7] * 5], axis=1))
    np.testing.assert_array_equal(held(rows)[:, 0], [1, 1, 1, 3, 3])


@pytest.mark.parametrize(("missing", "filled"), [
    ("forward", [2, 4, 4, 4, 8, 8]), ("mean", [2, 4, 14 / 3, 14 / 3, 8, 14 / 3]), ("interpolate", [2, 4, 16 / 3, 20 / 3, 8, 8]),
    ("mask", [2, 4, 2, 4, 8, 4]),
])
def test_a_window_is_filled_from_what_it_has(missing, filled):
    window = np.array([2, 4, NAN, NAN, 8, NAN])[:, None, None]
    np.testing.assert_allclose(filled_window(window, missing, season=2)[:, 0, 0], filled)


def test_facts_that_make_the_first_state_leave_what_was_read_alone():
    fields = {"age": {"kind": "real", "size": 1, "per": "sequence", "scale": {"mean": [0], "deviation": [1]}}}
    encoders = {"age": {"kind": "static", "size": 3, "dropout": 0.0, "joins": "start"}}
    age = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    h, value, seen = network("mask", "grud", fields=fields, encoders=encoders).first_state({"age": age}, 2)[0]
    assert h.any() and not value.any() and not seen.any()
    below, cell = network("mask", "gru", fields=fields, encoders=encoders).first_state({"age": age}, 2)
    assert cell[0].any() and not below[0].any() and not below[1].any()
