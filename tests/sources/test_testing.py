"""Our sources pass the checks that an extender's must, and the checks find what they are for."""

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.prediction.conftest import texts
from tests.prediction.test_same_reading import CASES, FORECAST
from unroll.config.sources import SOURCES
from unroll.sources import signals
from unroll.testing import check_source

CHAR = {"kind": "char", "min_count": 1}
SPLIT = {"validation": 0.1, "test": 0.2, "seed": 1}
SIGNALS = {"size": 3, "laws": 3, "steps": 600, "dwell": 20, "noise": 0.1, "inputs": {"x": "real"}, "targets": {"tag": "tag"},
           "scale": "standard", **SPLIT}
POOCH = importlib.metadata.version("pooch")
OURS: dict[str, dict[str, Any]] = {
    "counting": {"lines": 30, "shortest": 10, "longest": 40, "letters": 3, "gap": 4.0, "inputs": {"text": "tokens"},
                 "targets": {"text": "next"}, "tokenizer": CHAR, **SPLIT},
    "signals": SIGNALS,
    "mackey_glass": {"tau": 17.0, "interval": 6.0, "steps": 300, "inputs": {"x": "real"}, "targets": {"x": "next"},
                     "scale": "none", **SPLIT},
    "docs": {"package": "pooch", "version": POOCH, "unit": "stream", "inputs": {"text": "tokens"},
             "targets": {"text": "next"}, "tokenizer": CHAR, **SPLIT, "validation": 0.25},
    "code": {"package": "pooch", "version": POOCH, "longest": 5000, "inputs": {"text": "tokens"}, "targets": {"tag": "tag"},
             "tokenizer": CHAR, **SPLIT},
    "packages": {"packages": {"pooch": POOCH, "filelock": importlib.metadata.version("filelock")}, "longest": 80, "least": 9,
                 "imbalance": 2, "inputs": {"text": "tokens"}, "targets": {"label": "class"}, "tokenizer": CHAR, **SPLIT},
    "objects": {"packages": {"pooch": POOCH, "filelock": importlib.metadata.version("filelock")}, "longest": 80, "least": 9,
                "inputs": {"text": "tokens", "numbers": "static_real"}, "targets": {"package": "class", "parameters": "value"},
                "scale": "standard", "labelled": 0.5, "unlabelled": ["package"], "tokenizer": CHAR, **SPLIT},
}


@pytest.mark.parametrize("kind", OURS)
def test_a_source_without_files_keeps_the_contract(kind: str) -> None:
    check_source(kind, REPOSITORY, **OURS[kind])


@pytest.mark.parametrize("name", CASES)
def test_a_source_of_files_keeps_the_contract(tmp_path: Path, name: str) -> None:
    write, data, _ = CASES[name]
    if name == "ts":
        pytest.importorskip("aeon")
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / "corpus.txt").write_text("".join(f"line {number}, {number % 7}\n" for number in range(400)))
    texts().to_csv(raw / "texts.csv", index=False)
    (raw / "shops.csv").write_text("sold\n" + "".join(f"{number}\n" for number in range(90)))
    write(raw)
    check_source(**data, project=tmp_path)


def test_windows_keep_the_contract(tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    rows = "".join(f"{shop},{number},{number + 1}\n" for shop in "ab" for number in range(80))
    (tmp_path / "data" / "raw" / "shops.csv").write_text("shop,t,sold\n" + rows)
    check_source(**{
        **CASES["csv"][1], "path": "data/raw/shops.csv", "targets": {"x": "forecast"}, "columns": {"x": ["sold"]},
        "series": "shop", "time": "t", "forecast": FORECAST}, project=tmp_path)


def test_events_keep_the_contract(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    events = [f"p{at},{day},{'ab'[day % 2]},{at * day % 7}" for at in range(30) for day in range(1, 2 + at % 5)]
    (raw / "events.csv").write_text("id,day,test,value\n" + "\n".join(events) + "\n")
    (raw / "patients.csv").write_text("id,age,died\n" + "".join(f"p{at},{40 + at},{at % 2}\n" for at in range(30)))
    plain = yaml.safe_load((REPOSITORY / "conf" / "data" / "base" / "events.yaml").read_text())
    check_source(**{
        **plain, "kind": "events", "path": "data/raw/events.csv", "outcomes": "data/raw/patients.csv", "series": "id", "time": "day",
        "channel": "test", "value": "value", "columns": {"x": ["a", "b"], "age": ["age"], "died": ["died"]}, "missing": "mask",
        "inputs": {"x": "real", "gap": "gap", "age": "static_real"}, "targets": {"died": "class"}, "licence": "none", **SPLIT},
        project=tmp_path)


@pytest.mark.parametrize("name", ["gunpoint", "covid", "airline"])
def test_a_data_set_of_aeon_keeps_the_contract(name: str) -> None:
    pytest.importorskip("aeon")
    check_source(**yaml.safe_load((REPOSITORY / "conf" / "data" / f"{name}.yaml").read_text()))


def test_every_kind_is_checked_but_those_of_the_network() -> None:
    of_files = {case[1]["kind"] for case in CASES.values()}
    fetched = {kind for kind in SOURCES.own if "url" in SOURCES.settings_of(kind).model_fields} | {"nafld"}   # two of them
    assert {*OURS, *of_files, "aeon", "events"} == {*SOURCES.own} - fetched


def broken(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """`signals`, whose source is changed after it was opened."""
    opened = signals.open_source

    def open_source(settings: Any, access: Any) -> Any:
        source, name, licence = opened(settings, access)
        change(source)
        return source, name, licence

    monkeypatch.setattr(signals, "open_source", open_source)


def draw_globally(source: Any) -> None:
    source._fields["x"] = source._fields["x"] + np.random.random()


def empty_test(source: Any) -> None:
    pieces = source.pieces
    source.pieces = lambda split: iter([]) if split == "test" else pieces(split)


def read_once(source: Any) -> None:
    made = {split: source.pieces(split) for split in ("train", "validation", "test")}
    source.pieces = made.__getitem__


def short_tags(source: Any) -> None:
    pieces = source.pieces
    source.pieces = lambda split: ({**piece, "tag": np.zeros(3)} for piece in pieces(split))


def one_field(source: Any) -> None:
    del source._fields["tag"]


@pytest.mark.parametrize(("change", "message"), [
    (draw_globally, "opened twice, the source has another content"),
    (empty_test, "the test split is empty"),
    (read_once, "the train split is empty, or can be read only once"),
    (short_tags, "3 of 420 steps"),
    (one_field, r"has the fields \['x'\], not \['tag', 'x'\]"),
])
def test_a_broken_source_is_found(monkeypatch: pytest.MonkeyPatch, change: Any, message: str) -> None:
    broken(monkeypatch, change)
    with pytest.raises(AssertionError, match=message):
        check_source("signals", **SIGNALS)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(AssertionError, match="settings of signals: laws: missing"):
        check_source("signals", **{name: value for name, value in SIGNALS.items() if name != "laws"})
