"""Several inputs and targets in arrays, targets that are known in part, and arrays larger than a block."""

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest

from tests.sources.test_npz import config, open_arrays, pieces, refused, write
from unroll.data import npy
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS
from unroll.data.store import open_prepared
from unroll.data.writer import write_prepared
from unroll.prediction.inputs import read
from unroll.sources import Access, open_source
from unroll.testing import check_source

N, T = 12, 5
DRAW = np.random.default_rng(1)
LENGTHS = DRAW.integers(1, T + 1, N)
ARRAYS: dict[str, Any] = {
    "pulse": DRAW.normal(size=(N, T, 2)), "state": DRAW.integers(3, size=(N, T)), "age": np.arange(N) + 20.5,
    "ward": np.array([["a", "b"], ["c", "b"]] * 6), "outcome": np.array(["alive", "dead", ""] * 4),
    "stage": np.where(DRAW.random((N, T)) < 0.3, np.nan, DRAW.integers(2, size=(N, T))),
    "dose": np.where(DRAW.random((N, T, 2)) < 0.3, np.nan, DRAW.normal(size=(N, T, 2))),
    "days": np.where(np.arange(N) % 3 == 1, np.nan, np.arange(N) + 0.5),
    "flags": np.where(DRAW.random((N, T, 3)) < 0.3, np.nan, DRAW.integers(2, size=(N, T, 3))),
}
KINDS: dict[str, Any] = {
    "inputs": {"x": "real", "state": "categories", "age": "static_real", "ward": "static_categories"},
    "targets": {"outcome": "class", "stage": "tag", "dose": "values", "days": "value", "flags": "labels", "x": "next"},
    "arrays": {"x": "pulse"} | {name: name for name in ARRAYS if name != "pulse"}, "test": 0.2,
}


def named(split: str, arrays: dict[str, Any], lengths: Any = LENGTHS) -> dict[str, Any]:
    return {f"{name}_{split}": values for name, values in (arrays | {"lengths": lengths}).items()}


@pytest.fixture
def small(monkeypatch):
    """Blocks of a few rows."""
    monkeypatch.setattr(npy, "STRETCH", 20)


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_kind_of_field_is_that_of_its_sequence(tmp_path, small, save, fortran):
    made = {name: np.asfortranarray(values) if fortran else values for name, values in ARRAYS.items()}
    write(tmp_path)
    save(tmp_path / "data" / "raw" / "a.npz", **named("train", made), **named("val", ARRAYS))
    source = open_arrays(config(**KINDS), tmp_path)
    found = {int(place.name) - 1: piece for split in ("train", "test")
             for place, piece in zip(source.places(split), pieces(source, split), strict=True)}
    assert sorted(found) == list(range(N)) and len(pieces(source, "validation")) == N
    for at, piece in found.items():
        own = slice(LENGTHS[at])
        assert piece["x"].tolist() == ARRAYS["pulse"][at, own].tolist()
        assert piece["state"].tolist() == [[str(state)] for state in ARRAYS["state"][at, own]]
        assert piece["age"].tolist() == [at + 20.5] and piece["ward"].tolist() == ARRAYS["ward"][at].tolist()
        assert piece["outcome"] == ARRAYS["outcome"][at]
        assert piece["stage"].tolist() == ["" if np.isnan(tag) else f"{tag:.0f}" for tag in ARRAYS["stage"][at, own]]
        for name in ("dose", "days", "flags"):
            expected = ARRAYS[name][at, own] if name != "days" else ARRAYS[name][at, None]
            np.testing.assert_array_equal(piece[name], expected)


def test_what_is_unknown_is_so_in_the_prepared_folder(tmp_path):
    write(tmp_path, **named("train", ARRAYS), **named("test", ARRAYS))
    asked = config(**KINDS | {"test": None})
    source, origin = open_source(asked, Access(tmp_path))
    write_prepared(tmp_path / "out", asked, source, origin, fit_codecs(asked, source))
    prepared = open_prepared(tmp_path / "out")
    own = np.arange(T) < LENGTHS[:, None]
    for name, known in (("outcome", ARRAYS["outcome"] != ""), ("days", ~np.isnan(ARRAYS["days"])),
                        ("dose", ~np.isnan(ARRAYS["dose"][own])), ("stage", ~np.isnan(ARRAYS["stage"][own]))):
        holes = prepared.holes(name, "test")
        assert holes is not None and np.array_equal(np.ravel(holes.known), np.ravel(known))
    assert prepared.holes("x", "test") is None
    assert prepared.spec.targets["outcome"].classes == ("alive", "dead")
    assert prepared.spec.inputs["ward"].categories == (("a", "c"), ("b",)) and prepared.spec.inputs["age"].width == 1


def test_the_source_keeps_its_contract(tmp_path):
    write(tmp_path, **named("train", ARRAYS))
    check_source("npz", tmp_path, **config(**KINDS).model_dump(exclude={"kind"}))


@pytest.mark.parametrize("name, values, code, where", [
    ("age", np.ones(N - 1), "unequal-lengths", "age_train"),
    ("age", np.ones((N, T, 2)), "wrong-type", "age_train"),
    ("age", np.array(["x"] * N), "wrong-type", "age_train"),
    ("age", np.where(np.arange(N) == 7, np.nan, 1), "missing-number", "age_train[7, 0]"),
    ("pulse", np.where(np.arange(N)[:, None, None] == 7, np.inf, ARRAYS["pulse"]), "bad-number", "pulse_train[7, 0, 0]"),
    ("state", np.ones((N, T + 1), int), "unequal-lengths", "state_train"),
    ("state", np.where(np.arange(N)[:, None] == 7, 0.5, np.ones((N, T))), "bad-label", "state_train[7, 0, 0]"),
    ("stage", np.ones((N, T - 1)), "unequal-lengths", "stage_train"),
    ("flags", np.where(np.arange(N)[:, None, None] == 7, 2, ARRAYS["flags"]), "bad-label", "flags_train[7, 0, 0]"),
])
def test_a_field_that_is_not_what_it_should_be_is_named(tmp_path, small, name, values, code, where):
    write(tmp_path, **named("train", ARRAYS | {name: values}))
    assert refused(tmp_path, **KINDS) == (code, f"a.npz: {where}")


def test_labels_that_are_all_known_are_bytes(tmp_path):
    flags = DRAW.integers(2, size=(N, T, 3)) * 1.0
    for at, length in enumerate(LENGTHS):
        flags[at, length:] = np.nan
    write(tmp_path, **named("train", {"X": ARRAYS["pulse"], "y": flags}))
    source = open_arrays(config(targets={"y": "labels"}, test=0.2), tmp_path)
    assert {piece["y"].dtype for split in SPLITS for piece in pieces(source, split)} == {np.dtype(np.uint8)}


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path):
    write(tmp_path, **named("train", ARRAYS))
    (tmp_path / "scratch").mkdir()
    source, _ = open_source(config(**KINDS), Access(tmp_path, scratch=tmp_path / "scratch"))
    assert pieces(source, "train") and not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_does_not_grow_with_the_arrays(tmp_path, monkeypatch, order):
    monkeypatch.setattr(npy, "STRETCH", 1 << 10)
    asked = config(targets={"y": "tag"}, test=0.2)
    peaks = []
    for count in (50, 50, 400):      # twice: the first one imports what is needed
        folder = tmp_path / str(len(peaks))
        x = np.array(DRAW.normal(size=(count, 200, 4)), order=order)
        write(folder, X_train=x, y_train=x[..., 0] > 0)
        del x
        gc.collect()
        tracemalloc.start()
        source, origin = open_source(asked, Access(folder))
        write_prepared(folder / "out", asked, source, origin, fit_codecs(asked, source))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 350 * 200 * 4 * 8 / 10, "of the numbers alone, a tenth"


OWN = np.arange(N) % 8      # steps of another series beside each sequence, of which one in eight has none
BESIDE: dict[str, Any] = {
    "inputs": {"x": "real", "past": "context_real"}, "targets": {"days": "value"},
    "arrays": {"x": "pulse", "past": "history", "days": "days"}, "test": 0.2}


def beside() -> dict[str, Any]:
    """NaN where nothing is read."""
    history = np.where(np.arange(7)[:, None] < OWN[:, None, None], DRAW.normal(size=(N, 7, 2)), np.nan)
    return {name: ARRAYS[name] for name in ("pulse", "days")} | {"history": history, "history_lengths": OWN}


def test_another_series_has_a_length_of_its_own(tmp_path):
    arrays = beside()
    write(tmp_path, **named("train", arrays))
    asked = config(**BESIDE)
    source, origin = open_source(asked, Access(tmp_path))
    for split in SPLITS:
        for place, piece in zip(source.places(split), pieces(source, split), strict=True):
            at = int(place.name) - 1
            np.testing.assert_array_equal(piece["past"], arrays["history"][at, : OWN[at]])
            assert len(piece["x"]) == LENGTHS[at]
    check_source("npz", tmp_path, **asked.model_dump(exclude={"kind"}))
    write_prepared(tmp_path / "out", asked, source, origin, fit_codecs(asked, source))
    spec = open_prepared(tmp_path / "out").spec
    assert (spec.inputs["past"].per, spec.inputs["past"].width) == ("own", 2)
    # and to predict from
    np.savez(tmp_path / "new.npz", **{name: values for name, values in arrays.items() if name != "days"}, lengths=LENGTHS)
    for at, sequence in enumerate(read(tmp_path / "new.npz", spec).sequences):
        np.testing.assert_array_equal(sequence["past"], arrays["history"][at, : OWN[at]])
        np.testing.assert_array_equal(sequence["x"], arrays["pulse"][at, : LENGTHS[at]])


def test_a_length_of_its_own_that_does_not_fit_is_named(tmp_path):
    write(tmp_path, **named("train", beside() | {"history_lengths": OWN + 1}))
    code, where = refused(tmp_path, **BESIDE)
    assert code == "out-of-range" and where.endswith("history_lengths_train[7]")
