"""Sampled paths of a forecast: the draws, the recursion, the files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.conftest import REPOSITORY
from tests.generation.test_music import refused as refused_line
from tests.generation.test_music import said
from tests.prediction.conftest import HORIZON, RUNTIME, Made, refused, shops
from unroll.base.errors import UserError
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.generation.paths import draw
from unroll.prediction.paths import history, sample_paths
from unroll.stages.generate import generate

LEVELS = np.array([0.1, 0.25, 0.5, 0.9])
QUANTILES = np.array([-3.0, 1.0, 2.0, 10.0])
KINDS = ("forecast", "forecast_two")        # quantiles of one series; Gaussians of two


def at(uniform, temperature: float = 1.0, gaussian: bool = False):
    uniform = np.asarray(uniform, float)
    return draw(np.broadcast_to(QUANTILES, (*uniform.shape, 4)), LEVELS, uniform, gaussian, temperature)


def series(made: Made, steps: int = 20) -> np.ndarray:
    return np.random.default_rng(5).gamma(9, 2, (steps, made.predictor.reader.size))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shops().to_csv("shops.csv", index=False)
    return tmp_path


def test_a_draw_inverts_the_quantile_function():
    np.testing.assert_allclose(at(LEVELS), QUANTILES)
    np.testing.assert_allclose(at([0.175, 0.375, 0.7]), [-1, 1.5, 6])
    np.testing.assert_allclose(at([0, 0.05, 0.95, 1]), [-17 / 3, -13 / 3, 11, 12], err_msg="the outer pieces go on")
    fine = at(np.linspace(0, 1, 1001))
    assert (np.diff(fine) > 0).all() and np.isfinite(fine).all()


def test_a_gaussian_is_drawn_whole():
    levels, uniform = np.array([0.05, 0.5, 0.8]), np.linspace(0.001, 0.999, 99)
    found = draw(np.tile(norm.ppf(levels, 7, 3), (99, 1)), levels, uniform, True)
    np.testing.assert_allclose(found, norm.ppf(uniform, 7, 3), atol=1e-9)
    assert np.isfinite(draw(norm.ppf(levels, 7, 3), levels, np.zeros(()), True))


@pytest.mark.parametrize("gaussian", [False, True])
def test_the_temperature_widens_about_the_median(gaussian):
    uniform = np.array([0.03, 0.3, 0.5, 0.95])
    plain, wide, sharp = (at(uniform, temperature, gaussian) for temperature in (1.0, 3.0, 1e-9))
    np.testing.assert_allclose(wide - 2, 3 * (plain - 2), atol=1e-9)
    np.testing.assert_allclose(sharp, 2, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_step_has_the_models_own_quantiles(zoo, kind):
    made = zoo(kind)
    given = series(made)
    expected = made.predictor.predict([given])[0][0]                                    # (D, levels)
    drawn = sample_paths(made.predictor, given, 20_000, 1, seed=1)[:, 0]
    for column in range(drawn.shape[1]):
        share = [(drawn[:, column] <= each).mean() for each in expected[column]]
        np.testing.assert_allclose(share, made.predictor.levels, atol=0.012)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_drawn_is_read_as_if_it_had_come(zoo, kind):
    made = zoo(kind)
    given, gaussian = series(made), kind == "forecast_two"
    (path,) = sample_paths(made.predictor, given, 1, 6, seed=3, first=8)
    uniform = np.random.Generator(np.random.Philox([3, 8])).random(path.shape)
    for step in range(6):
        (said,) = made.predictor.predict([np.concatenate([given, path[:step]])])
        expected = np.exp(draw(np.log(said[0]), np.array(made.predictor.levels), uniform[step], gaussian))
        np.testing.assert_allclose(path[step], expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_depends_on_its_seed_and_number_alone(zoo, kind):
    made = zoo(kind)
    given = series(made)
    together = sample_paths(made.predictor, given, 5, 7, seed=1)
    np.testing.assert_allclose(sample_paths(made.predictor, given, 1, 7, seed=1, first=3)[0], together[3], rtol=1e-9)
    np.testing.assert_allclose(sample_paths(made.predictor, given, 5, 4, seed=1), together[:, :4], rtol=1e-9)
    assert len({path.tobytes() for path in together}) == 5
    assert not np.allclose(sample_paths(made.predictor, given, 5, 7, seed=2), together)


@pytest.mark.parametrize("kind", KINDS)
def test_far_beyond_the_horizon_paths_are_finite_and_keep_their_logarithm(zoo, kind):
    made = zoo(kind)
    paths = sample_paths(made.predictor, series(made), 20, 5 * HORIZON, seed=1)
    assert paths.shape == (20, 5 * HORIZON, made.predictor.reader.size)
    assert np.isfinite(paths).all() and (paths > 0).all()


def test_a_path_without_bounds_and_a_short_series_are_one_line(zoo):
    made = zoo("forecast")
    with pytest.raises(UserError) as caught:
        sample_paths(made.predictor, series(made), 3, 30, 1, temperature=1e9, name="north")
    assert caught.value.code == "bad-number" and caught.value.where.startswith("sequence north: step ")
    assert "sequence north: 3 steps where" in refused(lambda: sample_paths(made.predictor, series(made, 3), 3, 30, 1, name="north"))


def test_the_history_is_the_end_of_the_series(zoo):
    made = zoo("forecast")
    given = series(made, 50)
    np.testing.assert_array_equal(history(made.predictor, given, 10), given[-20:])
    np.testing.assert_array_equal(history(made.predictor, given[:, 0], 100), given)


def test_a_table_and_a_picture_a_series(zoo, place, capsys):
    made = zoo("forecast")
    asked = ["shops.csv", "--model", str(made.model), "--count", "7", "--length", "6", "-o"]
    assert said(capsys, *asked, "out").startswith("sample: 7 paths of 6 steps of 3 series → out")
    assert sorted(each.name for each in (place / "out").iterdir()) == ["001.png", "002.png", "003.png", "paths.csv"]
    table = pd.read_csv("out/paths.csv")
    assert list(table.columns) == ["sequence", "path", "step", "time", "x"] and len(table) == 3 * 7 * 6
    second = table[(table["sequence"] == 'the "inner", one') & (table["path"] == 3)]
    assert second["step"].tolist() == [*range(1, 7)]
    assert second["time"].tolist() == [f"2020-{month:02d}-01" for month in range(1, 7)]
    given = shops()
    given = given[given["shop"] == 'the "inner", one'][["sold"]].to_numpy()
    expected = sample_paths(made.predictor, given, 1, 6, seed=1, first=7 + 2)[0, :, 0]
    np.testing.assert_allclose(second["x"], expected, rtol=1e-5)
    said(capsys, *asked, "again")
    for name in ("paths.csv", "001.png", "003.png"):
        assert (place / "again" / name).read_bytes() == (place / "out" / name).read_bytes()
    said(capsys, *asked, "again", "--seed", "2")
    assert (place / "again" / "paths.csv").read_bytes() != (place / "out" / "paths.csv").read_bytes()


def test_several_columns_and_the_models_own_horizon(zoo, place, capsys):
    said(capsys, "shops.csv", "--model", str(zoo("forecast_two").model), "-o", "out")
    table = pd.read_csv("out/paths.csv")
    assert list(table.columns) == ["sequence", "path", "step", "time", "x_sold", "x_price"]
    assert len(table) == 3 * 100 * HORIZON and (table[["x_sold", "x_price"]] > 0).all(axis=None)


def test_a_low_temperature_is_the_path_of_medians(zoo, place, capsys):
    made = zoo("forecast")
    said(capsys, "shops.csv", "--model", str(made.model), "--count", "3", "--temperature", "1e-9", "-o", "out")
    table = pd.read_csv("out/paths.csv")
    assert table.groupby(["sequence", "step"])["x"].nunique().max() == 1
    first = made.predictor.predict([shops()[lambda t: t["shop"] == "north"][["sold"]].to_numpy()])[0][0, 0, 1]
    assert table["x"][0] == pytest.approx(first, rel=1e-5)


@pytest.mark.parametrize(("arguments", "line"), [
    (["shops.csv"], "--out: paths are written into a folder. Add -o FOLDER."), (["shops.csv", "-o", "shops.csv"], "--out: "),
    (["-o", "out"], "sample: a forecaster reads one file of series."), (["a.csv", "b.csv", "-o", "out"], "sample: a forecaster reads one"),
    (["none.csv", "-o", "out"], "none.csv: no such file."), (["short.csv", "-o", "out"], "short.csv: sequence north: 5 steps where"),
    (["wrong.csv", "-o", "out"], "wrong.csv"), (["shops.csv", "-o", "out", "--greedy"], "--greedy: has no effect on a model of forecasts."),
    (["shops.csv", "-o", "out", "--tempo", "90"], "--tempo: has no effect"), (["shops.csv", "-o", "out", "--length", "inf"], "--length: only a text"),
    (["shops.csv", "-o", "out", "--temperature", "-1"], "--temperature: "),
])
def test_what_cannot_be_is_one_line_and_nothing_is_written(zoo, place, capsys, arguments, line):
    shops().iloc[:5].to_csv("short.csv", index=False)
    Path("wrong.csv").write_text("a,b\n1,2\n")
    before = sorted(place.rglob("*"))
    assert refused_line(capsys, *arguments, "--model", str(zoo("forecast").model)).startswith(line)
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("kind", KINDS)
def test_the_stage_writes_paths_beside_predictions(zoo, tmp_path, kind):
    made, workspace = zoo(kind), Workspace(tmp_path, tmp_path)
    shutil.copytree(made.workspace.prepared, workspace.prepared)
    shutil.copytree(made.model, workspace.model)
    config = compose(REPOSITORY / "conf", ["generate.threads=1"])[1].generate
    generate(workspace, RUNTIME, config)
    assert sorted(each.name for each in workspace.samples.iterdir()) == ["paths.csv", "paths.png", "predictions.csv"]
    table = pd.read_csv(workspace.samples / "paths.csv")
    assert table["sequence"].unique().tolist() == ["north"] and table["path"].max() == 100
    assert table["step"].max() == 2 * HORIZON
    assert set(json.loads((workspace.metrics / "generate.json").read_text())) == {"predictions/rows", "predictions/sequences"}
    content = [each.read_bytes() for each in sorted(workspace.samples.iterdir())]
    generate(workspace, RUNTIME, config)
    assert [each.read_bytes() for each in sorted(workspace.samples.iterdir())] == content
