"""Several steps as one, series as lanes of their own, and recurrent layers that give the steps ahead."""

from typing import Any

import pytest
import torch

from tests.conftest import refused
from tests.refusals import refusal
from unroll.config.decoder import Decoder as Settings
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.models.decoder import Decoder
from unroll.models.dropout import Masks, no_dropout
from unroll.models.network import Network, build

CONTEXT, HORIZON, SERIES = 12, 5, 3
SCALES = {"mean": (0.0,) * SERIES, "deviation": (1.0,) * SERIES}
SPEC: dict[str, Any] = {
    "format": 4, "layout": "windows", "longest": CONTEXT,
    "inputs": {"x": {"kind": "real", "size": 2 * SERIES, "width": SERIES},
               "price": {"kind": "real", "size": 2, "width": 2, "scale": {"mean": (0.0, 0.0), "deviation": (1.0, 1.0)},
                         "known_ahead": True},
               "kind": {"kind": "real", "size": 1, "width": 1, "per": "sequence",
                        "scale": {"mean": (0.0,), "deviation": (1.0,)}}},
    "targets": {"x": {"kind": "forecast", "per": "sequence", "size": SERIES, "of": "x",
                      "frame": {"inputs": SCALES, "correction": SCALES}}},
    "forecast": {"horizon": HORIZON, "context": CONTEXT, "season": 2, "log": False, "start": "season", "window": "none", "stride": 1},
    "splits": {}, "source": {"kind": "table", "name": "", "licence": "", "sha256": ""}, "reading": {},
}


def network(decoder: dict[str, Any] | None, channels: str = "shared", steps: int = 4, joins: str = "steps",
            alone: bool = False) -> Network:
    inputs = {"x": {"kind": "segments", "steps": steps, "size": 7, "channels": channels, "dropout": 0.0},
              "price": {"kind": "real", "size": None, "dropout": 0.0},
              "kind": {"kind": "static", "size": 2, "joins": joins, "dropout": 0.0}}
    core = {"kind": "gru", "hidden_size": 6, "num_layers": 1, "dropout": 0.0, "recurrent_init": "orthogonal",
            "bidirectional": False}
    head = {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "none", "decoder": decoder,
            "pooling": "last", "dropout": 0.5}
    names = ["x"] if alone else [*inputs]
    config = ModelConfig.model_validate({"inputs": {name: inputs[name] for name in names}, "core": core, "heads": {"x": head}})
    spec = Spec.model_validate({**SPEC, "inputs": {name: SPEC["inputs"][name] for name in names}})
    return build(config, spec, 0).double().eval()


def read(lanes: int = 4, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    shapes = {"x": (CONTEXT, lanes, 2 * SERIES), "price": (CONTEXT + 2 * HORIZON, lanes, 2), "kind": (lanes, 1)}
    return {name: torch.randn(shape, generator=draw, dtype=torch.float64) for name, shape in shapes.items()}


DECODERS = [None, {"kind": "recurrent", "segment": 1}, {"kind": "recurrent", "segment": 2}, {"kind": "parallel", "segment": 2}]
every = pytest.mark.parametrize("decoder", DECODERS)


@every
@pytest.mark.parametrize("channels", ["shared", "joint"])
@pytest.mark.parametrize("joins", ["steps", "start"])
def test_each_lane_is_forecast_by_itself(decoder, channels, joins):
    made = network(decoder, channels, joins=joins)
    outputs, _ = made(read())
    assert outputs["x"].shape == (4, HORIZON * SERIES * 3)
    assert made.head("x").predict(outputs["x"]).shape == (4, HORIZON, SERIES, 3)
    alone, _ = made({name: values[:, 2:3] if values.dim() == 3 else values[2:3] for name, values in read().items()})
    torch.testing.assert_close(alone["x"], outputs["x"][2:3])
    lengths, _ = made(read(), lengths=torch.tensor([CONTEXT, CONTEXT, CONTEXT, 0]))
    torch.testing.assert_close(lengths["x"][:3], outputs["x"][:3])


@every
@pytest.mark.parametrize("channels", ["shared", "joint"])
def test_series_are_apart_where_they_are_lanes(decoder, channels):
    """Another past of the second series changes its own forecast, and where series are read at once the others'."""
    made, values = network(decoder, channels), read()
    before = made(values)[0]["x"].view(4, HORIZON, SERIES, 3)
    values["x"][:, :, [1, SERIES + 1]] += 1
    changed = (made(values)[0]["x"].view(4, HORIZON, SERIES, 3) - before).abs().amax(dim=(0, 1, 3)) > 0
    assert changed.tolist() == ([False, True, False] if channels == "shared" else [True] * 3)


def test_series_are_told_apart():
    """Lanes of the same numbers have forecasts of their own."""
    made, values = network(None, alone=True), read()
    values["x"] = values["x"][..., :1].expand(-1, -1, 2 * SERIES).clone()
    found = made({"x": values["x"]})[0]["x"].view(4, HORIZON, SERIES, 3)
    assert (found[:, :, 0] - found[:, :, 1]).abs().min() > 0


@every
def test_what_is_known_ahead_is_read(decoder):
    """Of a recurrent decoder it changes that segment and those after it; of others that step or segment alone."""
    made, values = network(decoder), read()
    before = made(values)[0]["x"].view(4, HORIZON, SERIES, 3)
    values["price"][CONTEXT + 2] += 1
    changed = ((made(values)[0]["x"].view(4, HORIZON, SERIES, 3) - before).abs().amax(dim=(0, 2, 3)) > 0).tolist()
    expected = {1: [False, False, True, True, True], 2: [False, False, True, True, True]}
    if decoder is None:
        assert changed == [False, False, True, False, False]
    elif decoder["kind"] == "parallel":
        assert changed == [False, False, True, True, False]
    else:
        assert changed == expected[decoder["segment"]]


@pytest.mark.parametrize("kind", ["recurrent", "parallel"])
def test_a_decoder_is_its_equations(kind):
    torch.manual_seed(0)
    made = Decoder(Settings(kind=kind, segment=2), features=4, horizon=5, known=3, outputs=2).double()
    hidden, ahead = torch.randn(2, 4).double(), torch.randn(5, 2, 3).double()
    state, steps = hidden, []
    for at in range(3):
        own = torch.cat([ahead, torch.zeros(1, 2, 3).double()])[2 * at : 2 * at + 2]
        x = made.place[at] + made.known(own.transpose(0, 1).flatten(1))
        state = made.cell(x, state if kind == "recurrent" else hidden)
        steps.append(made.output(state).view(2, 2, 2))                              # (B, K, outputs)
    expected = torch.cat(steps, dim=1)[:, :5].flatten(1)
    torch.testing.assert_close(made(hidden, no_dropout, 0.0, ahead, None), expected)


@every
def test_masks_know_lanes_whatever_the_channels(decoder):
    """Half of the lanes draw the masks that all of them draw."""
    made, values = network(decoder), read()
    whole = made(values, dropout=Masks(1, 0, (0, 4)))[0]["x"]
    assert (whole - made(values)[0]["x"]).abs().max() > 0
    half = {name: part[:, 2:] if part.dim() == 3 else part[2:] for name, part in values.items()}
    torch.testing.assert_close(made(half, dropout=Masks(1, 0, (2, 4)))[0]["x"], whole[2:])


def test_segments_fill_the_context():
    with refused("conflict", "model.inputs.x.steps"):
        network(None, steps=5)


def test_segments_do_not_stand_beside_holes():
    holes = {**SPEC["inputs"], "price": {**SPEC["inputs"]["price"], "missing": "mask"}}
    spec = Spec.model_validate({**SPEC, "inputs": holes})
    encoders = {"x": {"kind": "segments", "steps": 4, "size": 7, "channels": "shared", "dropout": 0.0},
                "price": {"kind": "real", "size": None, "dropout": 0.0}, "kind": {"kind": "static", "size": 2, "joins": "steps", "dropout": 0.0}}
    core = {"kind": "gru", "hidden_size": 6, "num_layers": 1, "dropout": 0.0, "recurrent_init": "orthogonal", "bidirectional": False}
    head = {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "none", "decoder": None,
            "pooling": "last", "dropout": 0.0}
    config = ModelConfig.model_validate({"inputs": encoders, "core": core, "heads": {"x": head}})
    assert refusal(lambda: build(config, spec, 0)) == ("conflict", "data.missing")
