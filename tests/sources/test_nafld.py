"""Patients and their measurements: what is known at day 0, who died, and who is in which fold."""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.survival import censoring, measure
from tests.conftest import REPOSITORY
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.data.source import SPLITS
from unroll.sources import Access, open_source
from unroll.stages.prepare import prepare

PATIENTS = 300


def write(folder: Path, after: float = 5.0) -> list[str]:
    """Both tables, as they come; overrides that read them."""
    draw = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    number = np.arange(1, PATIENTS + 1)
    level = draw.normal(size=PATIENTS)
    patients = pd.DataFrame({
        "rownames": number, "id": number, "age": draw.integers(20, 90, PATIENTS), "male": number % 2,
        "weight": np.where(number % 3 == 0, np.nan, 70.0), "height": 170.0, "bmi": 24.2,
        "case.id": np.where(number == 7, np.nan, (number - 1) // 3 * 3 + 1.0),
        "futime": draw.integers(100, 4000, PATIENTS), "status": (level > 0).astype(int)})
    events = [(person, day, test, level[person - 1] if day <= 0 else after) for person in number if person % 5
              for day in (-400, -20, 0, 300) for test in draw.choice(["hdl", "chol", "sbp", "dbp", "smoke", "fib4"], 2, False)]
    table = pd.DataFrame(events, columns=["id", "days", "test", "value"])
    files = {"patients": folder / "nafld1.csv", "events": folder / "nafld2.csv"}
    patients.to_csv(files["patients"], index=False)
    table.to_csv(files["events"], index_label="rownames")
    return [override for name, file in files.items()
            for override in (f"data.{name}.url='{file.as_uri()}'", f"data.{name}.sha256={sha256(file)}")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / "cache"))


def config(overrides: list[str], *more: str) -> Any:
    return compose(REPOSITORY / "conf", ["experiment=nafld", *overrides, *more])[1]


def test_who_was_lost_before_the_horizon_is_unknown_and_folds_are_of_matched_sets(tmp_path):
    overrides = write(tmp_path / "far")
    raw = pd.read_csv(tmp_path / "far" / "nafld1.csv").set_index("id")
    tested: list[int] = []
    for fold in range(1, 6):
        source, _ = open_source(config(overrides, f"data.fold={fold}").data, Access(tmp_path, tmp_path / "far"))
        splits = {split: [int(place.name) for place in source.places(split)] for split in SPLITS}
        assert sorted(chain.from_iterable(splits.values())) == [*raw.index], "each patient once"
        sets = [{*((np.array(members) - 1) // 3)} for members in splits.values()]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2]) - {2}, "but that of the unmatched one"
        tested += splits["test"]
        for split in SPLITS:
            for person, piece in zip(splits[split], source.pieces(split), strict=True):
                row = raw.loc[person]
                lost = row["futime"] < 1826 and not row["status"]
                assert piece["died"] == ("" if lost else "yes" if row["status"] and row["futime"] <= 1826 else "no")
                facts = [row["age"], row["male"], row["weight"], 170.0, 24.2, np.nan if person == 7 else person % 3 == 1]
                np.testing.assert_array_equal(piece["patient"], facts)
                assert len(piece["x"]) == (3 if person % 5 else 1), "the days up to 0, and day 0"
    assert sorted(tested) == [*raw.index]


def test_what_was_measured_after_day_zero_changes_no_byte(tmp_path):
    contents = []
    for after in (5.0, -70.0):
        project = tmp_path / str(after)
        project.mkdir()
        source, _ = open_source(config(write(project / "far", after)).data, Access(project, project / "far"))
        contents.append([{name: np.asarray(value).tobytes() for name, value in piece.items()}
                         for split in SPLITS for piece in source.pieces(split)])
    assert contents[0] == contents[1]


def test_who_is_lost_makes_others_count_for_more():
    staying = censoring(np.array([1.0, 2, 2, 3, 4]), np.array([False, True, False, True, False]))
    np.testing.assert_allclose(staying(np.array([1.0, 2, 2.5, 3, 4, 9])), [1, 1, 3 / 4, 3 / 4, 3 / 8, 3 / 8])


class Nothing:
    """Runs that have ended: none."""

    def get(self, overrides: list[str]) -> None:
        return None

    def add(self, overrides: list[str], figures: dict[str, float]) -> None:
        self.last = figures


def test_the_row_compares_networks_and_simple_methods_over_the_folds(tmp_path, monkeypatch):
    from benchmarks import survival
    from benchmarks.rows import FIXED, ROWS

    monkeypatch.setattr(survival, "SAMPLES", 20)
    quick = [*write(tmp_path / "far"), "train.epochs=3", "train.batch_size=16", "model.core.hidden_size=8", *FIXED]
    found = measure(ROWS["nafld"], ["gru"], [1], quick, Workspace(tmp_path, tmp_path / "root"), Nothing())
    assert 0.5 < found["networks"]["gru"]["mean"]["test/died/auroc"] <= 1, "the level of each tells who dies"
    assert found["baselines"]["baseline/died/last values_auroc"] > found["baselines"]["baseline/died/age_auroc"]
    mean, low, high = found["paired"]["gru"]["age"]["auroc"]
    assert low <= mean <= high and mean == pytest.approx(
        found["networks"]["gru"]["mean"]["test/died/auroc"] - found["baselines"]["baseline/died/age_auroc"])


def test_a_copy_in_the_mirror_may_be_packed(tmp_path):
    import gzip

    overrides = write(tmp_path / "far")
    file = tmp_path / "far" / "nafld2.csv"
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "nafld2.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.rename(tmp_path / "far" / "elsewhere.csv")
    made = config(overrides, f"runtime.mirror={tmp_path / 'mirror'}", "runtime.progress=false")
    prepare(Workspace(tmp_path, tmp_path / "root"), made.runtime, made.data)
    assert (tmp_path / "root" / "data" / "prepared" / "spec.json").is_file()
