"""Series to forecast of which some are too short."""

import numpy as np
import pytest

from tests.refusals import refusal
from unroll.config.data import ForecastConfig
from unroll.data.source import SPLITS, Place
from unroll.sources.common.series import Series

FORECAST = ForecastConfig(horizon=2, context=4, season=1, log=False, start="season", window="none", stride=1,
                          eval_stride=1, eval_windows=None)      # reads 5, needs 7 of training


def series(*lengths: int, min_length: int | None = None, stretches: list[list[int]] | None = None) -> Series:
    values = [100 * number + np.arange(length)[:, None] for number, length in enumerate(lengths)]
    return Series("x", values, [f"s{number}" for number in range(len(lengths))], FORECAST, 0.2, 0.2,
                  stretches=None if stretches is None else [np.array(each) for each in stretches], min_length=min_length)


def test_short_series_are_left_out_and_counted():
    made = series(2, 20, 6, 30)
    for split in SPLITS:
        assert [place.name for place in made.places(split)] == ["s1", "s3"]
        assert [int(piece["x"][0, 0]) // 100 for piece in made.pieces(split)] == [1, 3]
    (note,) = made.notes
    assert "2 of 4 series" in note and "20 steps" in note
    assert series(20, 30).notes == ()


def test_the_least_length_may_be_asked_for():
    assert [place.name for place in series(20, 40, 30, min_length=30).places("train")] == ["s1", "s2"]
    assert refusal(lambda: series(20, 30, min_length=31)) == ("too-short", "data.min_length")


@pytest.mark.parametrize(("made", "where"), [
    (lambda: series(8), "data.forecast"), (lambda: series(2, 8), "data.forecast"),
    (lambda: series(20, stretches=[[0, 4, 8, 12, 16, 20]]), "data.gaps"),
])
def test_a_source_without_a_series_that_is_long_enough_is_refused(made, where):
    assert refusal(made) == ("too-short", where)


def test_a_series_without_a_long_enough_stretch_in_each_split_is_left_out():
    made = series(20, 20, stretches=[[0, 4, 8, 12, 16, 20], [0, 20]])
    assert made.places("test") == [Place("s1", 11)] and len(made.notes) == 1
