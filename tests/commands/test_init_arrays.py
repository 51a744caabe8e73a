"""`unroll init` finds several inputs and targets among arrays, says why, and asks where an array may be several things."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused
from tests.conftest import run
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.compose import compose
from unroll.data import npy
from unroll.data.source import SPLITS, UNKNOWN

N, T = 60, 9
DRAW = np.random.default_rng(3)
LENGTHS = DRAW.integers(3, T + 1, N)
OWN = np.arange(T) < LENGTHS[:, None]
X = DRAW.normal(size=(N, T, 2))
Y = np.arange(N) % 3
PART = np.where(np.arange(N) % 4 == 3, np.nan, Y)
ARRAYS: dict[str, Any] = {
    "x": X, "lengths": LENGTHS, "state": DRAW.choice(["rest", "walk"], (N, T)), "static": DRAW.normal(size=(N, 3)),
    "ward": DRAW.choice([*"ABC"], N), "past": DRAW.normal(size=(N, 5, 2)), "past_lengths": DRAW.integers(0, 6, N),
    "drugs": DRAW.choice(["a1", "b2", "c3"], (N, 4, 2)), "drugs_lengths": DRAW.integers(0, 5, N),
    "y": np.where(np.isnan(PART), "", Y.astype(str)), "y2": DRAW.normal(size=(N, 3)),
    "labels": np.where(OWN, X[..., 0] > 0, -100), "y_on": DRAW.integers(0, 2, (N, T, 3)),
}
NOISE: dict[str, Any] = {
    "rate": 100.0, "patient": np.arange(N) + 7, "site": np.array(["x"] * N), "images": np.zeros((N, 3, 4, 4)), "classes_of": ["a", "b"],
    "when": np.full(N, "2026-01-01", "datetime64[D]"), "twice": np.array([*"pqr"])[Y], "notes": np.arange(N * T).reshape(N, T).astype(str),
}


def lines(out: str, what: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith(what)]


def test_every_array_is_an_input_or_a_target_or_left_out_with_the_reason(project, capsys):
    """`twice` goes one to one with y where y is known in full."""
    config, source = init(brought(project, "a.npz", {**ARRAYS, **NOISE, "y": Y.astype(str)}))
    assert config.data.inputs == {"x": "real", "drugs": "context_categories", "past": "context_real", "state": "categories", "static": "static_real",
                                  "ward": "static_categories"}
    assert config.data.targets == {"labels": "tag", "y": "class", "y2": "value", "y_on": "labels"}
    assert config.train.monitor == "labels/loss"
    for split in SPLITS:
        for place, piece in zip(source.places(split), source.pieces(split), strict=True):
            at = int(place.name) - 1
            assert piece["x"].tolist() == X[at, : LENGTHS[at]].tolist()
            assert piece["labels"].tolist() == ARRAYS["labels"][at, : LENGTHS[at]].astype(str).tolist()
            assert len(piece["past"]) == ARRAYS["past_lengths"][at]
            assert piece["drugs"].tolist() == ARRAYS["drugs"][at, : ARRAYS["drugs_lengths"][at]].tolist()
    left = lines(capsys.readouterr().out, "left out")
    assert [{name for name in NOISE if repr(name) in line} for line in left] == [
        {"classes_of"}, {"images"}, {"rate"}, {"when"}, {"notes"}, {"patient"}, {"site"}, {"twice"}]


def test_labels_that_are_not_known_are_counted(project, capsys):
    _, source = init(brought(project, "a.npz", ARRAYS))
    unknown = [piece["y"] == UNKNOWN for split in SPLITS for piece in source.pieces(split)]
    assert sum(unknown) == 15
    (line,) = [line for line in lines(capsys.readouterr().out, "target") if "'y' " in line]
    assert "25.0% are unknown" in line


@pytest.mark.parametrize("arrays, options, columns", [
    (ARRAYS, (), {"labels", "y", "y_p_0", "y2_1", "step"}),
    (ARRAYS, ("--target", "y", "--kind", "x=next"), {"y_p_0"}),
    ({"x": ARRAYS["state"], "lengths": LENGTHS}, (), {"step", "p_rest"}),
], ids=["beside each other", "beside the next step", "the next name"])
def test_what_is_written_is_prepared_trained_measured_and_predicted(project, arrays, options, columns):
    path = brought(project, "a.npz", arrays)
    init(path, *options)
    config = compose(Path("conf"), ["experiment=mine", "train.epochs=2", "train.threads=1", "runtime.progress=false",
                                    "runtime.tracking.enabled=false"])[1]
    workspace = Workspace(project, project)
    run(workspace, config)
    predict(path, project / "out.csv", str(workspace.model), None, None)
    predicted = pd.read_csv(project / "out.csv")
    assert predicted["sequence"].nunique() == N and columns <= {*predicted.columns}


@pytest.mark.parametrize("arrays, options, targets, conf", [
    ({"x": X > 0}, (), {"x": "next_labels"}, "labels"),
    ({"x": X > 0}, ("--kind", "x=next"), {"x": "next"}, "regression"),
    ({"x": ARRAYS["state"]}, (), {"x": "next"}, "classification"),
    ({"x": Y[:, None] * OWN}, ("--kind", "x=categories"), {"x": "next"}, "classification"),
    ({"x": Y[:, None] * OWN, "y": Y}, ("--target", "x", "--kind", "x=categories"), {"x": "next"}, "classification"),
    ({"x": X, "age": Y + 20}, ("--target", "x"), {"x": "next"}, "regression"),
    ({"series": X, "age": Y + 20}, ("--target", "age", "--task", "regress"), {"y": "value"}, "regression"),
    ({"x": X, "age": Y + 20}, ("--kind", "age=class"), {"label": "class"}, "classification"),
    ({"x": X, "y": np.where(Y == 1, -1, 1)}, (), {"label": "class"}, "classification"),
    ({"x": X, "y": Y - 1}, ("--kind", "y=class"), {"label": "class"}, "classification"),
    ({"x": X, "y": np.eye(3)[Y]}, ("--kind", "y=value"), {"y": "value"}, "regression"),
    ({"x": X[..., 0], "more": X[..., 1], "y": Y}, (), {"y": "class"}, "classification"),
])
def test_the_only_target_is_what_the_arrays_or_the_options_say(project, arrays, options, targets, conf):
    config, _ = init(brought(project, "a.npz", arrays), *options)
    assert config.data.targets == targets and next(iter(config.model.heads.values())).kind == conf


@pytest.mark.parametrize("arrays, options, inputs", [
    ({"x": X, "bp": X[:, :4]}, (), {"x": "real", "bp": "context_real"}),
    ({"x": X, "bp": X[..., 0], "bp_lengths": LENGTHS}, (), {"x": "real", "bp": "context_real"}),
    ({"a": X, "b": X[:, :4]}, ("--kind", "b=real"), {"b": "real", "a": "context_real"}),
    ({"x": X, "ward_code": Y}, (), {"x": "real", "ward_code": "static_categories"}),
    ({"x": X, "floor": Y}, (), {"x": "real", "floor": "static_real"}),
    ({"x": X, "floor": Y}, ("--kind", "floor=static_categories"), {"x": "real", "floor": "static_categories"}),
    ({"x": X, "floor": Y}, ("--kind", "floor=none"), {"x": "real"}),
    ({"x": X, "floor": Y, "age": Y + 0.5}, ("--input", "x", "--input", "age"), {"x": "real", "age": "static_real"}),
    ({"x": DRAW.integers(0, 5, (N, T))}, ("--kind", "x=categories"), {"x": "categories"}),
    ({"x": X, "mask": OWN}, ("--kind", "mask=real"), {"x": "real", "mask": "real"}),
    ({"x": X, "mask": X > 0}, (), {"x": "real", "mask": "real"}),       # of numbers, not of steps
])
def test_an_input_is_what_its_shape_type_and_name_say(project, arrays, options, inputs):
    config, _ = init(brought(project, "a.npz", {**arrays, "y": DRAW.choice([*"uvw"], N)}), *options)
    assert config.data.inputs == inputs and config.data.targets in ({"y": "class"}, {"label": "class"})


@pytest.mark.parametrize("arrays, options, code, where", [
    ({"x": X, "age": Y}, (), "ambiguous", "--target"),
    ({"a": X, "b": X[:, :4], "y": Y}, (), "ambiguous", "--kind"),
    ({"x": DRAW.integers(0, 5, (N, T)), "y": Y}, (), "ambiguous", "--kind"),
    ({"x": DRAW.integers(0, 5, (N, T)), "y": Y}, ("--kind", "x=next"), "ambiguous", "--kind"),
    ({"x": X, "y": Y - 1}, (), "ambiguous", "a.npz: y"),
    ({"x": X, "y": np.array(["u", "v", "NA"])[Y]}, (), "ambiguous", "a.npz: y"),
    ({"x": X, "y": np.eye(3)[Y]}, (), "ambiguous", "a.npz: y"),
    ({"x": X, "y": (X > 0)[:, 0]}, (), "ambiguous", "a.npz: y"),
    ({"x": X, "y": PART, "y2": X[:, 0]}, (), "ambiguous", "--kind y="),
    ({"x": np.repeat(X, 3, 0), "y": np.arange(3 * N) % N}, (), "ambiguous", "--task"),
    ({"x": X, "y": Y, "x_lengths": LENGTHS}, (), "ambiguous", "a.npz: x_lengths"),
    ({"x": X, "y": Y, "seq_len": LENGTHS}, (), "ambiguous", "a.npz: seq_len"),
    ({"x": X, "y": Y, "mask": OWN}, (), "ambiguous", "a.npz: mask"),
    ({"x": X, "y": Y[:-1]}, (), "unequal-lengths", "a.npz: y"),
    ({"x": X, "y": Y, "lengths": LENGTHS[:-1]}, (), "unequal-lengths", "data/raw/mine/a.npz: lengths"),
    ({"x": X, "x_test": X, "y_test": Y}, (), "missing-value", "a.npz"),
    ({"x": X, "x_test": X, "y": Y}, (), "missing-value", "a.npz: y"),
    ({"x": X, "y": np.array([{}] * N)}, (), "unsupported", "a.npz: y"),
    ({"x": X, "y": Y.astype("datetime64[D]")}, (), "wrong-type", "a.npz: y"),
    ({"x": np.zeros((N, T, 2, 2)), "y": Y}, (), "missing-value", "a.npz"),
    ({"x": X, "y": Y}, ("--target", "z"), "unknown-name", "--target"),
    ({"x": X, "y": Y}, ("--kind", "z=none"), "unknown-name", "--kind"),
    ({"x": X, "y": Y}, ("--kind", "y=tokens"), "unknown-name", "--kind y=tokens"),
    ({"x": X, "y": Y}, ("--task", "tag"), "conflict", "--task tag"),
    ({"x": X, "y": Y}, ("--kind", "x=static_real"), "missing-value", "a.npz"),
    ({"x": X, "y": Y, "age": Y}, ("--input", "age"), "missing-value", "a.npz"),
    ({"x": X, "y": Y, "age": Y}, ("--kind", "age=real"), "wrong-type", "data/raw/mine/a.npz: age"),
    ({"x": X, "notes": ARRAYS["state"], "y": X[:, :4]}, (), "unequal-lengths", "data/raw/mine/a.npz: y"),
])
def test_what_may_be_several_things_or_none_is_one_line(project, capsys, arrays, options, code, where):
    assert refused(capsys, project, brought(project, "a.npz", arrays), *options) == (code, where)


def test_an_array_that_cannot_be_read_may_be_left_out(project):
    config, _ = init(brought(project, "a.npz", {"x": X, "y": Y, "meta": np.array([{}])}), "--kind", "meta=none")
    assert config.data.arrays == {"x": "x", "label": "y"}


def test_the_splits_that_the_steps_have_are_asked_of_all(project, capsys):
    arrays = {f"{name}_{split}": values for split in ("train", "val", "test")
              for name, values in {"X": X, "y": Y, "age": Y % 2 + 0.5}.items()}
    config, source = init(brought(project, "a.npz", arrays | {"more": Y + DRAW.random(N), "odd_test": X}))
    assert config.data.inputs == {"x": "real", "age": "static_real"} and config.data.test is None
    assert [len(list(source.pieces(split))) for split in SPLITS] == [N, N, N]
    assert [[name for name in ("more", "odd") if repr(name) in line]
            for line in lines(capsys.readouterr().out, "left out")] == [["more"], ["odd"]]


def test_only_the_first_sequences_of_large_arrays_are_looked_at(project, monkeypatch, capsys):
    monkeypatch.setattr("unroll.commands.init.archive.SAMPLE", 30)
    monkeypatch.setattr(npy, "STRETCH", 20)
    config, source = init(brought(project, "a.npz", {"x": X, "y": np.where(np.arange(N) < 50, Y, 7), "lengths": LENGTHS}))
    assert config.data.targets == {"label": "class"}
    assert "0 to 2, 3 different, of the first sequences" in capsys.readouterr().out
    assert sum(len(list(source.pieces(split))) for split in SPLITS) == N
