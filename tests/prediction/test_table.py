"""Predictions as a table: the same values in every format, under names that a reader knows."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.prediction.conftest import CLASSES, ZOO, Made, Make, read_table, refused, some
from unroll.config.heads.next_token import Settings as NextToken
from unroll.data.spec import TargetSpec
from unroll.prediction.predicted import Predicted
from unroll.prediction.table import as_table
from unroll.prediction.table_files import check_name, write_table

ENDINGS = (".csv", ".jsonl", ".parquet")
P_CLASSES = [f"p_{name}" for name in sorted(CLASSES)]
COLUMNS = {
    "class": ["sequence", "label", *P_CLASSES],
    "class_mean": ["sequence", "label", *P_CLASSES],
    "tag": ["sequence", "step", "tag", *P_CLASSES],
    "labels": ["sequence", "step", "p_l1", "p_l2"],
    "value": ["sequence", "y"],
    "values": ["sequence", "step", "y_v", "y_w"],
    "next": ["sequence", "step", "x_a", "x_b"],
    "text_class": ["sequence", "label", *P_CLASSES],
    "text_class_attention": ["sequence", "label", *P_CLASSES],
    "text_value": ["sequence", "y"],
    "text_tag": ["sequence", "step", "tag", *P_CLASSES],
    "text_labels": ["sequence", "step", "p_l1", "p_l2"],
    "text_values": ["sequence", "step", "y"],
    "stream": ["sequence", "step", "nats"],
    "lines": ["sequence", "step", "nats"],
    "rows": ["sequence", "step", "nats"],
    "bytes": ["sequence", "step", "nats"],
    "forecast": ["sequence", "step", "x", "q0.1", "q0.5", "q0.9"],
    "forecast_two": ["sequence", "step", "variable", "x", "q0.1", "q0.5", "q0.9"],
}


def predicts(target: str, of: str | None = None) -> Any:
    classes = None if of else ("a", "b")
    spec = TargetSpec(kind="classes", per="step", size=2, of=of, classes=classes)
    settings = NextToken(kind="next_token", dropout=0.0, tied=False)
    return SimpleNamespace(targets={target: Predicted(target, settings, spec)})


def table_of(made: Made, count: int = 3) -> tuple[pd.DataFrame, list[Any]]:
    found = made.predictor.predict_all(some(made, count))
    return as_table(made.predictor, found, [f"s{number}" for number in range(count)]), found[made.predictor.target]


@pytest.mark.parametrize("name", ZOO)
def test_a_column_for_each_thing_that_is_said(zoo: Make, name: str) -> None:
    table, found = table_of(zoo(name))
    assert list(table.columns) == COLUMNS[name]
    assert list(table["sequence"].unique()) == ["s0", "s1", "s2"]
    rows = {"forecast": 4, "forecast_two": 8}
    counts = [1 if "step" not in table else rows.get(name, len(each)) for each in found]
    assert table["sequence"].value_counts(sort=False).tolist() == counts


def test_values_stand_where_they_belong(zoo: Make) -> None:
    table, found = table_of(zoo("tag"))
    first = table[table["sequence"] == "s1"]
    np.testing.assert_array_equal(first[P_CLASSES], found[1])
    assert first["step"].tolist() == list(range(1, len(found[1]) + 1))
    assert first["tag"].tolist() == [sorted(CLASSES)[each] for each in found[1].argmax(axis=-1)]
    table, found = table_of(zoo("forecast_two"))
    first = table[table["sequence"] == "s1"]
    assert first["step"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4] and first["variable"].tolist() == ["sold", "price"] * 4
    for column, level in (("x", 1), ("q0.1", 0), ("q0.5", 1), ("q0.9", 2)):
        np.testing.assert_array_equal(first[column].to_numpy().reshape(4, 2), found[1][..., level])
    table, found = table_of(zoo("stream"))
    np.testing.assert_allclose(np.exp(-table["nats"]), np.concatenate(found))


def test_of_what_comes_next_the_step_is_the_one_predicted(zoo: Make) -> None:
    assert table_of(zoo("next"))[0]["step"].iloc[0] == 2
    assert table_of(zoo("values"))[0]["step"].iloc[0] == 1


@pytest.mark.parametrize("name", ZOO)
def test_every_format_holds_the_same(zoo: Make, name: str, tmp_path: Path) -> None:
    table, _ = table_of(zoo(name))
    read = []
    for ending in ENDINGS:
        write_table(table, tmp_path / f"out{ending}", ending)
        read.append(read_table(tmp_path / f"out{ending}"))
    for other in read[1:]:
        pd.testing.assert_frame_equal(read[0], other, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(read[0], table, check_dtype=False, check_exact=False, rtol=1e-5)


NUMBERS = [1e-300, 1.23456789e-12, 0.123456789, 1 / 3, -0.0, 0.0, 1.0, 123456789.0, 1.5e300, -2.5e-8]


@pytest.mark.parametrize("ending", ENDINGS)
def test_six_digits_of_any_number(tmp_path: Path, ending: str) -> None:
    write_table(pd.DataFrame({"sequence": "a", "y": NUMBERS}), tmp_path / "out", ending)
    (tmp_path / "out").rename(tmp_path / f"out{ending}")
    assert read_table(tmp_path / f"out{ending}")["y"].tolist() == [float(f"{each:.6g}") for each in NUMBERS]


AWKWARD = ["a,b", 'say "so"', "two\nlines", "gänse 鵝", "NA", "1", " x ", "=1+1", "null", "\\", "a/b"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_any_name_comes_back(tmp_path: Path, ending: str) -> None:
    write_table(pd.DataFrame({"sequence": AWKWARD, "label": AWKWARD, "p_a,b": 0.5}), tmp_path / "out", ending)
    (tmp_path / "out").rename(tmp_path / f"out{ending}")
    read = read_table(tmp_path / f"out{ending}")
    if ending == ".jsonl":      # what looks like a number is one to this reader, though not to the file
        written = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
        assert '"sequence": "1"' in written and '"sequence": "gänse 鵝"' in written
        read = read.astype({"sequence": str, "label": str})
    assert read["sequence"].tolist() == read["label"].tolist() == AWKWARD
    assert list(read.columns) == ["sequence", "label", "p_a,b"]


@pytest.mark.parametrize("target", ["sequence", "step", "p_a"])
def test_a_target_called_as_another_column(target: str) -> None:
    table = as_table(predicts(target), {target: [np.array([[0.2, 0.8], [0.6, 0.4]])]}, ["s"])
    assert list(table.columns) == ["sequence", "step", f"predicted_{target}", "p_a", "p_b"]
    assert table[f"predicted_{target}"].tolist() == ["b", "a"]


def test_a_symbol_that_costs_nothing_costs_zero() -> None:
    nats = as_table(predicts("text", of="text"), {"text": [np.array([1.0, 0.5, 0.0])]}, ["s"])["nats"]
    assert not np.signbit(nats).any() and np.isfinite(nats).all()


def test_steps_count_on_after_what_went_before(zoo: Make) -> None:
    made = zoo("tag")
    found = made.predictor.predict_all(some(made, 2))
    table = as_table(made.predictor, found, ["a", "b"], [10, 0])
    assert table.groupby("sequence")["step"].min().to_dict() == {"a": 11, "b": 1}


@pytest.mark.parametrize("name", ["out", "out.txt", "out.CSV", "out.csv.gz"])
def test_the_ending_says_the_format(name: str) -> None:
    assert ".csv, .jsonl, .parquet" in refused(lambda: check_name(Path(name)))
