"""Rows of a table that is fetched, split as published."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import refused
from unroll.base.files import sha256
from unroll.config.sources.ett import Settings
from unroll.data.source import SPLITS
from unroll.sources import Access, open_source

FORECAST = {"horizon": 4, "context": 6, "season": 2, "log": False, "start": "last", "window": "none", "stride": 1,
            "eval_stride": 1, "eval_windows": None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    dates = pd.date_range("2016-07-01", periods=250, freq="h")
    pd.DataFrame({"date": dates, "HUFL": np.arange(250.0), "OT": -np.arange(250.0)}).to_csv(tmp_path / "a.csv", index=False)
    return tmp_path / "a.csv"


def settings(file: Path, rows: int = 200) -> Settings:
    return Settings.model_validate({
        "kind": "ett", "url": file.as_uri(), "sha256": sha256(file), "licence": "none", "rows": rows,
        "inputs": {"x": "real"}, "targets": {"x": "forecast"}, "forecast": FORECAST})


def test_the_first_rows_are_split_three_to_one_to_one(file):
    source, origin = open_source(settings(file), Access(file.parent, file.parent))
    pieces = {split: [piece["x"] for piece in source.pieces(split)] for split in SPLITS}
    assert [len(found) for found in pieces.values()] == [1, 1, 1]
    firsts = {split: (found[0][0, 0], found[0][-1, 0]) for split, (*found,) in pieces.items()}
    assert firsts == {"train": (0, 119), "validation": (112, 159), "test": (152, 199)}       # with the 8 read before
    assert source.columns == {"x": ["HUFL", "OT"]} and origin.licence == "none"
    np.testing.assert_array_equal(pieces["train"][0][:, 1], -np.arange(120.0))


def test_more_rows_than_there_are_are_refused(file):
    with refused("too-short", "data.rows"):
        open_source(settings(file, 251), Access(file.parent, file.parent))
