"""Events as sequences: steps, what is measured at each, what stands beside them, and what each mistake is called."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.refusals import refusal
from unroll.config.sources.events import Settings
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS, Source
from unroll.data.writer import write_prepared
from unroll.sources import Access, open_source

NAN = np.nan
EVENTS = """id,day,test,value
b,3,hdl,30
a,2,chol,200
a,-5,hdl,40
a,2,hdl,42
b,-1,chol,180
a,7,sbp,120
a,2,hdl,44
b,3,chol,
"""
PATIENTS = "id,age,sex,died,score\na,50,f,no,1\nb,60,m,yes,\nc,70,f,,3\nd,44,f,no,2\ne,33,m,yes,2\n"


def config(**changes: Any) -> Settings:
    usual = {
        "kind": "events", "path": "data/raw/events.csv", "outcomes": "data/raw/patients.csv", "delimiter": ",",
        "decimal": ".", "encoding": "utf-8", "header": True, "skip": 0, "comment": None, "units": False,
        "thousands": None, "sheet": None, "series": "id", "time": "day", "time_format": None, "channel": "test", "value": "value",
        "columns": {"x": ["hdl", "chol"], "age": ["age"], "died": ["died"]},
        "inputs": {"x": "real", "gap": "gap", "age": "static_real"}, "targets": {"died": "class"}, "bin": None,
        "several": "mean", "until": None, "group": None, "scale": "standard", "missing": "mask", "na_values": [],
        "test": 0.2, "validation": 0.2, "licence": "none", "seed": 1,
    }
    return Settings.model_validate({**usual, **changes})


def write(project: Path, events: str = EVENTS, patients: str = PATIENTS) -> Path:
    (project / "data" / "raw").mkdir(parents=True, exist_ok=True)
    (project / "data" / "raw" / "events.csv").write_text(events)
    (project / "data" / "raw" / "patients.csv").write_text(patients)
    return project


def opened(project: Path, **changes: Any) -> Source:
    return open_source(config(**changes), Access(project))[0]


def by_name(source: Source) -> dict[str, dict[str, Any]]:
    return {place.name: piece for split in SPLITS
            for place, piece in zip(source.places(split), source.pieces(split), strict=True)}


def test_a_series_has_a_step_for_each_time_that_occurs(tmp_path):
    found = by_name(opened(write(tmp_path)))
    np.testing.assert_array_equal(found["a"]["x"], [[40, NAN], [43, 200]], "hdl twice: the mean; sbp is not read")
    np.testing.assert_array_equal(found["a"]["gap"], [[NAN], [7]])
    np.testing.assert_array_equal(found["b"]["x"], [[NAN, 180], [30, NAN]])
    np.testing.assert_array_equal(found["c"]["x"], [[NAN, NAN]], "no event")
    assert [(piece["age"].tolist(), piece["died"]) for piece in found.values()] and found["b"]["died"] == "yes"
    assert (found["a"]["age"].tolist(), found["c"]["died"]) == ([50.0], "")


def test_of_several_values_the_last_one_counts_if_it_is_so_set(tmp_path):
    found = by_name(opened(write(tmp_path), several="last"))
    np.testing.assert_array_equal(found["a"]["x"], [[40, NAN], [44, 200]])


def test_steps_end_at_a_time(tmp_path):
    source = opened(write(tmp_path), until=0, columns={"x": ["hdl", "chol"], "age": ["age"], "died": ["died"]})
    found = by_name(source)
    np.testing.assert_array_equal(found["a"]["x"], [[40, NAN], [NAN, NAN]])
    np.testing.assert_array_equal(found["a"]["gap"], [[NAN], [5]])
    np.testing.assert_array_equal(found["b"]["gap"], [[NAN], [1]])
    np.testing.assert_array_equal(found["c"]["gap"], [[NAN]])
    assert len(source.notes) == 2, "what is later, and who has nothing before"


def test_bins_follow_one_another(tmp_path):
    inputs = {"x": "real", "age": "static_real"}
    found = by_name(opened(write(tmp_path), bin=4, inputs=inputs))
    np.testing.assert_array_equal(found["a"]["x"], [[40, NAN], [NAN, NAN], [43, 200]], "from -8, -4 and 0 on")
    np.testing.assert_array_equal(found["b"]["x"], [[NAN, 180], [30, NAN]])
    found = by_name(opened(write(tmp_path), bin=4, inputs=inputs, until=3))
    np.testing.assert_array_equal(found["a"]["x"], [[40, NAN], [NAN, NAN], [43, 200]], "up to -5, -1 and 3")


def test_times_may_be_dates(tmp_path):
    events = "id,day,test,value\na,2020-01-03,hdl,1\na,2020-01-01,hdl,2\na,2020-01-01T12:00,hdl,4\n"
    write(tmp_path, events, "id,age,died\na,1,no\nb,2,no\n")
    columns = {"x": ["hdl"], "age": ["age"], "died": ["died"]}
    found = by_name(opened(tmp_path, columns=columns, until="2020-01-02"))
    np.testing.assert_array_equal(found["a"]["x"], [[2], [4], [NAN]])
    np.testing.assert_array_equal(found["a"]["gap"], [[NAN], [43200], [43200]])
    inputs = {"x": "real", "age": "static_real"}
    found = by_name(opened(tmp_path, columns=columns, bin="D", inputs=inputs))
    np.testing.assert_array_equal(found["a"]["x"], [[3], [NAN], [1]])


def test_events_need_no_value_and_no_second_table(tmp_path):
    found = by_name(opened(write(tmp_path), value=None, outcomes=None, columns={"x": ["hdl", "chol"]},
                           inputs={"x": "real"}, targets={"x": "next"}))
    np.testing.assert_array_equal(found["a"]["x"], [[1, NAN], [1, 1]])
    assert {*found} == {"a", "b"}


def many(count: int, after: str) -> tuple[str, str]:
    """Events before day 0 that tell who dies, and others after it."""
    draw = np.random.default_rng(1)
    rows, patients = ["id,day,test,value"], ["id,age,died"]
    for number in range(count):
        died = number % 3 == 0
        for day in draw.integers(-100, 1, draw.integers(1, 6)):
            rows.append(f"{number},{day},{draw.choice(['hdl', 'chol'])},{draw.normal(3 * died):.3f}")
        rows.append(f"{number},{draw.integers(1, 99)},{after}")
        patients.append(f"{number},{draw.integers(20, 80)},{'yes' if died else 'no'}")
    return "\n".join(rows) + "\n", "\n".join(patients) + "\n"


def test_what_happens_after_the_end_changes_no_byte(tmp_path):
    contents = {}
    for name, after in (("one", "hdl,5"), ("other", "hospice,-77")):
        project = write(tmp_path / name, *many(40, after))
        settings = config(until=0)
        source, origin = open_source(settings, Access(project))
        write_prepared(project / "prepared", settings, source, origin, fit_codecs(settings, source))
        contents[name] = {file.relative_to(project): file.read_bytes()
                          for file in (project / "prepared").rglob("*") if file.is_file()}
    assert contents["one"] == contents["other"]


def test_series_of_a_group_share_a_split(tmp_path):
    events, patients = many(40, "hdl,1")
    lines = patients.splitlines()
    grouped = "\n".join([f"{lines[0]},set", *(f"{line},{number // 4}" for number, line in enumerate(lines[1:]))])
    source = opened(write(tmp_path, events, grouped), group="set")
    splits = {split: {int(place.name) // 4 for place in source.places(split)} for split in SPLITS}
    assert sum(map(len, splits.values())) == 10 and all(splits.values())


@pytest.mark.parametrize(("events", "patients", "changes", "error"), [
    (EVENTS + ",1,hdl,2\n", PATIENTS, {}, ("empty", "events.csv, row 10, column 'id'")),
    (EVENTS + "z,1,hdl,2\n", PATIENTS, {}, ("unknown-name", "events.csv, row 10, column 'id'")),
    (EVENTS + "a,2020-01-01,hdl,2\n", PATIENTS, {}, ("bad-time", "events.csv, row 10, column 'day'")),
    (EVENTS + "a,,hdl,2\n", PATIENTS, {}, ("empty", "events.csv, row 10, column 'day'")),
    (EVENTS + "a,1,,2\n", PATIENTS, {}, ("empty", "events.csv, row 10, column 'test'")),
    (EVENTS + "a,1,hdl,high\n", PATIENTS, {}, ("bad-number", "events.csv, row 10, column 'value'")),
    (EVENTS, PATIENTS + "a,1,f,no,1\n", {}, ("ambiguous", "patients.csv, row 7, column 'id'")),
    (EVENTS, PATIENTS + ",1,f,no,1\n", {}, ("empty", "patients.csv, row 7, column 'id'")),
    (EVENTS, PATIENTS, {"columns": {"x": ["hdl", "ldl"], "age": ["age"], "died": ["died"]}},
     ("unknown-name", "data.columns.x")),
    (EVENTS, PATIENTS, {"columns": {"x": ["hdl"], "age": ["age"], "died": ["death"]}}, ("unknown-name", "patients.csv")),
    (EVENTS, PATIENTS, {"columns": {"x": ["hdl"], "age": ["died"], "died": ["died"]}}, ("conflict", "data.columns.died")),
    (EVENTS, PATIENTS, {"columns": {"x": ["hdl"], "age": ["sex"], "died": ["died"]}},
     ("bad-number", "patients.csv, row 2, column 'sex'")),
    (EVENTS, PATIENTS, {"outcomes": None}, ("missing-value", "data.outcomes")),
    (EVENTS, PATIENTS, {"outcomes": "data/raw/none.csv"}, ("missing-file", "data.outcomes")),
    (EVENTS, PATIENTS, {"targets": {"died": "tag"}}, ("unsupported", "data.targets.died")),
    (EVENTS, PATIENTS, {"until": "2020-01-01"}, ("wrong-type", "data.until")),
    (EVENTS, PATIENTS, {"bin": 2}, ("no-effect", "data.inputs")),
    (EVENTS, PATIENTS, {"bin": "D", "inputs": {"x": "real", "age": "static_real"}}, ("wrong-type", "data.bin")),
    (EVENTS, PATIENTS, {"bin": 1e-7, "inputs": {"x": "real", "age": "static_real"}}, ("too-large", "data.bin")),
], ids=str)
def test_mistakes_are_a_line(tmp_path, events, patients, changes, error):
    project = write(tmp_path, events, patients)
    assert refusal(lambda: opened(project, **changes), f"{tmp_path}/data/raw/") == error
