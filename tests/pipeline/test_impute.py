"""`unroll predict --impute`: what is missing is filled in, and how well is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import run
from tests.pipeline.test_missing import QUANTILES, SERIES, configured
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.prediction.hidden import hide, score
from unroll.prediction.impute import impute
from unroll.prediction.predictor import load

ROWS = 12 + 6       # that a forecast reads


def waves(steps: int = 600) -> pd.DataFrame:
    hours, draw = np.arange(steps), np.random.default_rng(1)
    cycle = 2 * np.pi * hours / 6
    return pd.DataFrame({"hour": hours, "load": 10 + 3 * np.sin(cycle) + 0.1 * draw.standard_normal(steps),
                         "heat": 100 + 9 * np.cos(cycle) + 0.3 * draw.standard_normal(steps)})


def holes(table: pd.DataFrame) -> pd.DataFrame:
    for column, start, length in (("load", 100, 3), ("load", 200, 1), ("heat", 201, 2), ("load", 300, 9), ("load", 2, 2),
                                  ("heat", 598, 2)):
        table.loc[start : start + length - 1, column] = np.nan
    return table


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("impute")
    (folder / "data" / "raw").mkdir(parents=True)
    holes(waves()).to_csv(folder / "data" / "raw" / "load.csv", index=False)
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": QUANTILES}
    run(Workspace(folder, folder), configured("gru", data=SERIES | {"missing": "mask"}, model=model, monitor="loss"), "prepare", "train")
    return folder


def filled(made: Path, out: Path, table: pd.DataFrame) -> pd.DataFrame:
    table.to_csv(out.parent / "in.csv", index=False)
    predict(out.parent / "in.csv", out, str(made / "artifacts" / "model"), None, None, fill=True)
    return pd.read_csv(out)


def test_a_series_is_written_filled_in_with_intervals(made, tmp_path, capsys):
    truth, given = waves(), holes(waves())
    found = filled(made, tmp_path / "out.csv", given)
    assert list(found) == ["sequence", "step", "time", "load", "load_q0.1", "load_q0.9", "heat", "heat_q0.1", "heat_q0.9"]
    assert (found["time"] == given["hour"]).all() and (found["step"] == given["hour"] + 1).all()
    for column, unit in (("load", 3), ("heat", 9)):
        known = given[column].notna()
        np.testing.assert_allclose(found.loc[known, column], given.loc[known, column], rtol=1e-6)
        assert found.loc[known, f"{column}_q0.1"].isna().all()
        late = ~known & (given["hour"] >= ROWS)
        assert (found.loc[late, f"{column}_q0.1"] <= found.loc[late, column]).all() and late.sum() > 3
        assert np.abs(found.loc[late, column] - truth.loc[late, column]).mean() < 0.35 * unit
    assert found.loc[[2, 3], "load"].isna().all(), "nothing stands before the first steps"
    said = capsys.readouterr().out
    assert "17 missing values are filled in, 2 lack the 18 steps before them" in said


def test_the_closing_line_has_the_score_on_hidden_values_beside_interpolation(made, tmp_path, capsys):
    filled(made, tmp_path / "out.csv", holes(waves()))
    predictor = load(made / "artifacts" / "model")
    result = impute(predictor, [holes(waves())[["load", "heat"]].to_numpy()], ["1"]).score
    assert result is not None and result.error < result.interpolation and 0.6 < result.coverage <= 1
    assert 100 <= result.values <= 140, "a tenth of what is known"
    assert f"misses by {result.error:.3f} deviations, linear interpolation by {result.interpolation:.3f}" in capsys.readouterr().out


def test_a_file_without_holes_stays_as_it_is(made, tmp_path, capsys):
    found = filled(made, tmp_path / "out.csv", waves())
    np.testing.assert_allclose(found[["load", "heat"]], waves()[["load", "heat"]], rtol=1e-6)
    assert "predict: 0 missing values are filled in;" in capsys.readouterr().out


def test_a_short_series_is_not_scored(made, tmp_path, capsys):
    table = waves(ROWS + 1)
    table.loc[ROWS, "load"] = np.nan
    found = filled(made, tmp_path / "out.csv", table)
    assert found["load"].notna().all() and "too few are known" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "where"), [
    ({"state": Path("a")}, "--state"), ({"save_state": Path("a")}, "--save-state"), ({"future": Path("a")}, "--future")])
def test_options_without_effect_are_refused(made, tmp_path, options, where):
    waves().to_csv(tmp_path / "in.csv", index=False)
    given = {"state": None, "save_state": None, **options}
    assert refusal(lambda: predict(tmp_path / "in.csv", tmp_path / "out.csv", str(made / "artifacts" / "model"), fill=True,
                                   **given)) == ("no-effect", where)


def test_a_model_of_whole_series_does_not_fill_in(tmp_path):
    (tmp_path / "data" / "raw").mkdir(parents=True)
    waves(300).to_csv(tmp_path / "data" / "raw" / "load.csv", index=False)
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": QUANTILES}
    config = configured("gru", data=SERIES | {"missing": "refuse"}, model=model, monitor="loss", epochs=1)
    run(Workspace(tmp_path, tmp_path), config, "prepare", "train")
    assert refusal(lambda: filled(tmp_path, tmp_path / "out.csv", waves(300))) == ("unsupported", "--impute")


def test_a_tenth_of_the_known_values_is_hidden_in_runs_and_none_at_the_start():
    values = [np.random.default_rng(1).random((500, 2)), np.random.default_rng(2).random((300, 2))]
    hidden = hide(values, np.array([4, 8]), 50, np.random.default_rng(3))
    assert hidden is not None
    count = sum(np.isnan(each).sum() for each in hidden)
    assert 140 <= count <= 148, "of 1,400, and the last run is whole"
    assert not any(np.isnan(each[:50]).any() for each in hidden) and not any(np.isnan(each).any() for each in values)
    runs = np.concatenate([np.diff(np.flatnonzero(np.diff(np.isnan(column).astype(int)))) for each in hidden for column in each.T])
    assert runs.min() >= 1 and np.isin(8, runs)
    assert hide([np.zeros((50, 1))], np.array([1]), 50, np.random.default_rng(3)) is None


def test_the_score_is_its_formula():
    values, hidden = np.array([[0.0], [1.0], [4.0], [3.0]]), np.array([[0.0], [np.nan], [np.nan], [3.0]])
    quantiles = np.full((4, 1, 3), np.nan)
    quantiles[1, 0], quantiles[2, 0] = [0.5, 1.5, 2.5], [4.5, 5.0, 5.5]
    found = score([values], [hidden], [quantiles], 1)
    assert found is not None
    deviation = values.std()
    assert found == pytest.approx((2, (0.5 + 1) / 2 / deviation, (0 + 2) / 2 / deviation, 0.5))
