"""Windows of car parks' stamps, as recorded, with some removed, and in bins."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import REPOSITORY
from tests.refusals import refusal
from unroll.base.files import sha256
from unroll.compose import compose
from unroll.data.source import SPLITS, Source
from unroll.sources import Access, open_source


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two parks, twenty days, twelve stamps a day some 27 to 33 minutes apart; occupancy counts the stamps."""
    draw, rows = np.random.default_rng(0), []
    for park, capacity in (("P1", 1000), ("P2", 2000)):
        for day in range(20):
            offsets = 8 * 60 + np.arange(12) * 30 + draw.integers(-3, 4, 12)
            rows += [(park, capacity, day * 12 + stamp, pd.Timestamp("2016-10-04") + pd.Timedelta(days=day, minutes=int(offset)))
                     for stamp, offset in enumerate(offsets)]
    table = pd.DataFrame(rows, columns=["SystemCodeNumber", "Capacity", "Occupancy", "LastUpdated"])
    table = pd.concat([table, table.iloc[[5]].assign(Occupancy=-4)]).sort_values("LastUpdated")
    table.to_csv(tmp_path / "parking.csv", index=False)
    return tmp_path / "parking.csv"


def opened(file: Path, *overrides: str) -> tuple[Any, Source]:
    values = ["experiment=parking", f"data.url='{file.as_uri()}'", f"data.sha256={sha256(file)}", *overrides]
    config = compose(REPOSITORY / "conf", values)[1]
    return config, open_source(config.data, Access(file.parent, file.parent))[0]


BINS = ["data.bin=30", *(f"~{section}.{name}" for section in ("data.inputs", "model.inputs") for name in ("gap", "ahead")),
        "~data.columns.ahead"]


def test_a_window_ends_at_a_stamp_and_the_days_next_eight_are_predicted(file):
    _, source = opened(file)
    pieces = {split: list(source.pieces(split)) for split in SPLITS}
    assert {split: len(found) for split, found in pieces.items()} == {"train": 12 * 4 * 2, "validation": 4 * 4 * 2, "test": 4 * 4 * 2}
    for piece in pieces["test"]:
        x, y = piece["x"][:, 0], piece["y"]
        step = y[1] - y[0]
        np.testing.assert_allclose(np.diff(np.concatenate([x, y])), step, atol=1e-9)
        assert len(x) == 36 and np.isnan(piece["gap"][0, 0]) and (piece["gap"][1:] > 0).all()
        assert len(piece["ahead"]) == 8 and 0.3 < piece["ahead"][0] < 0.7 and 7.9 <= piece["clock"][0] < 14
    assert len(source.notes) == 3 and "1 stamps came twice" in source.notes[0]


def test_removed_stamps_are_not_read_and_all_the_same_predicted(file):
    whole, part = opened(file)[1], opened(file, "data.removed=0.5")[1]
    lengths = []
    for full, thin in zip(whole.pieces("test"), part.pieces("test"), strict=True):
        np.testing.assert_array_equal(full["y"], thin["y"])
        assert {*thin["x"][:, 0]} <= {*full["x"][:, 0]}
        last = np.flatnonzero(full["x"][:, 0] == thin["x"][-1, 0])[0]
        late = full["gap"][last + 1 :].sum() / 3600
        np.testing.assert_allclose(thin["ahead"], full["ahead"] + late)
        lengths.append(len(thin["x"]))
    assert 14 < np.mean(lengths) < 22


def test_bins_are_even_and_empty_ones_missing(file):
    _, source = opened(file, *BINS, "data.removed=0.5")
    config, plain = opened(file, "data.removed=0.5")
    assert config.data.horizon == 8
    for binned, piece in zip(source.pieces("test"), plain.pieces("test"), strict=True):
        known = ~np.isnan(binned["x"][:, 0])
        hours = np.nansum(piece["gap"]) / 3600
        assert 2 * hours - 2 < len(known) and known.sum() <= len(piece["x"]) and not {"gap", "ahead"} & {*binned}
        assert known.sum() == len(piece["x"]) or known.sum() >= len(piece["x"]) - 8
        assert abs(binned["x"][known][0, 0] - piece["x"][0, 0]) < 0.001, "the mean of the one or two of the first bin"


def test_a_column_that_is_not_there_is_named(file):
    assert refusal(lambda: opened(file, "data.columns.clock=[minute]")) == ("unknown-name", "data.columns.clock")
