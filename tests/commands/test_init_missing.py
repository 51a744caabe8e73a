"""Numbers that are missing, to `unroll init`: how they are read, and marks that stand for them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused
from unroll.data.source import SPLITS

DRAW = np.random.default_rng(2)


def hours(mark: Any = np.nan, share: float = 0.1) -> pd.DataFrame:
    wave = 10 + 3 * np.sin(np.arange(600) * 2 * np.pi / 24) + DRAW.normal(0, 0.3, 600)
    wave = np.where(DRAW.random(600) < share, mark, np.round(wave, 3))
    return pd.DataFrame({"time": pd.date_range("2015-01-01", periods=600, freq="h"), "y": wave})


def missing(source: Any) -> int:
    return sum(int(np.isnan(piece["x"]).sum()) for split in SPLITS for piece in source.pieces(split))


def test_a_series_with_holes_is_read_with_masks(project, capsys):
    table = hours()
    config, source = init(brought(project, "a.csv", table))
    assert (config.data.missing, config.data.forecast.season, config.data.na_values) == ("mask", 24, [])
    assert "'y' (" in capsys.readouterr().out
    assert missing(source) >= table["y"].isna().sum()      # what windows of a later split read comes twice


def test_the_option_chooses_how(project, capsys):
    path = brought(project, "a.csv", hours())
    assert refused(capsys, project, path, "--missing", "refuse")[0] == "missing-number"
    config, _ = init(path, "--missing", "interpolate")
    assert config.data.missing == "interpolate"


@pytest.mark.parametrize("mark", [-9999, -999.0, 99999])
def test_a_number_far_from_all_others_is_asked_about(project, capsys, mark):
    path = brought(project, "a.csv", hours(mark))
    code, where = refused(capsys, project, path)
    assert code == "ambiguous" and where.startswith("a.csv, row ") and where.endswith("column 'y'")
    config, source = init(path, "--na-value", str(mark))
    assert config.data.na_values == [mark] and config.data.missing == "mask" and config.data.forecast.season == 24
    assert missing(source)


def test_it_may_be_a_number(project):
    config, source = init(brought(project, "a.csv", hours(-9999)), "--na-value", "none")
    assert config.data.na_values == [] and config.data.missing == "refuse" and not missing(source)


@pytest.mark.parametrize("values", [[98, 99, 100, 101], [0, 99], [-99, -50, 40, 120]])
def test_numbers_among_others_are_not(project, values):
    table = hours().assign(y=np.resize(values, 600) + DRAW.integers(0, 2, 600))
    config, _ = init(brought(project, "a.csv", table), "--task", "forecast", "--target", "y")
    assert config.data.na_values == []


def test_a_text_can_stand_for_a_missing_number(project):
    table = hours()
    table["y"] = table["y"].map(lambda value: "broken" if np.isnan(value) else str(value))
    config, source = init(brought(project, "a.csv", table), "--na-value", "broken")
    assert config.data.na_values == ["broken"] and missing(source)


def test_facts_and_steps_of_sequences_may_be_missing(project):
    rows = [{"id": f"p{number}", "hour": hour, "pulse": "" if (number + hour) % 4 == 0 else 60 + number + hour / 10,
             "age": "" if number % 5 == 0 else 20 + number + 0.5, "outcome": "ab"[number % 2]}
            for number in range(40) for hour in range(5)]
    config, _ = init(brought(project, "a.csv", pd.DataFrame(rows)), "--target", "outcome")
    assert config.data.missing == "mask" and config.data.inputs == {"x": "real", "age": "static_real"}


def test_arrays_with_nan_are_read_with_masks(project):
    x = DRAW.standard_normal((40, 6, 2))
    x[DRAW.random(x.shape) < 0.2] = np.nan
    path = project / "data" / "raw" / "mine"
    path.mkdir()
    np.savez(path / "a.npz", x=x, y=np.array(["a", "b"] * 20))
    config, _ = init(path / "a.npz")
    assert config.data.missing == "mask"
