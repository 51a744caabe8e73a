"""A forecaster is calibrated on origins that chose nothing; every door then tells the same intervals."""

import json
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.conftest import table, written
from tests.evaluation.conftest import evaluation, model_of
from tests.training.conftest import settings
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.store import Prepared
from unroll.data.windows import halves
from unroll.evaluation.forecasts import held, measures
from unroll.evaluation.reports import forecast
from unroll.evaluation.walk import forecasts
from unroll.models.folder import Model, load_model, save_model
from unroll.models.manifest import CALIBRATION
from unroll.models.outputs import outputs
from unroll.prediction.predictor import Predictor
from unroll.prediction.split_tables import split_tables
from unroll.sources.common.series import Series
from unroll.training.batches import Batches
from unroll.training.calibration import calibrate

FORECAST = {"horizon": 3, "context": 4, "season": 2, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}


def prepared(folder: Path, lengths: tuple[int, ...] = (900,), log: bool = False) -> Prepared:
    """Noise about two levels in turn, of two numbers a step."""
    config = table({"x": "real"}, {"x": "forecast"}, {**FORECAST, "log": log})
    series = [np.exp(0.1 * np.random.default_rng(each).standard_normal((each, 2)) + (np.arange(each) % 2)[:, None])
              for each in lengths]
    return written(folder, config, Series("x", series, [*map(str, range(len(series)))], config.forecast, 0.25, 0.25))


def batches(made: Prepared, calibrated: bool = True) -> Batches:
    return Batches(made, settings(batch_size=16), 0, True, calibrated)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "log"])
def calibrated(request, tmp_path_factory) -> tuple[Prepared, Model, Model, Path]:
    """Prepared data, a model of random weights, the same calibrated, and its folder."""
    folder = tmp_path_factory.mktemp("calibrated")
    made = prepared(folder, log=request.param)
    raw, own = model_of(made, "forecast"), model_of(made, "forecast")
    for model in (raw, own):        # far too narrow
        model.network.head("x").output.weight.data *= 0.1
        model.network.head("x").output.bias.data *= 0.1
    assert calibrate(own.network, batches(made), ["x"]) == len(halves(made.sequences("validation"),
                                                                    made.offsets("validation"))[1])
    config = own.config.model_dump(mode="json")
    config["heads"]["x"]["calibration"] = "conformal"
    save_model(folder / "model", own.network, ModelConfig.model_validate(config), made)
    return made, raw, own, folder / "model"


def test_intervals_go_from_wrong_to_right_at_every_step(calibrated):
    made, raw, own, _ = calibrated
    asked = [0.8, 0.5]
    before, after = (np.nanmean(held(*forecasts(model, made.sequences("test"), "x", evaluation())), axis=(0, 2))
                     for model in (raw, own))
    assert np.abs(before - asked).max() > 0.25
    np.testing.assert_allclose(after, np.broadcast_to(asked, (3, 2)), atol=0.12)       # 109 origins calibrate


def test_every_door_tells_the_same_intervals(calibrated, monkeypatch):
    made, raw, own, folder = calibrated
    data = made.sequences("test")
    expected, _ = forecasts(own, data, "x", evaluation())
    assert np.abs(expected - forecasts(raw, data, "x", evaluation())[0]).max() > 0.01
    opened = load_model(folder, made)
    np.testing.assert_array_equal(forecasts(opened, data, "x", evaluation())[0], expected)
    predictor = Predictor(opened)
    windows = [np.asarray(made.raw("x", "test")[first:last]) for first, last in data.bounds]
    np.testing.assert_allclose(np.stack(predictor.predict(windows)), expected, rtol=1e-4)
    monkeypatch.setattr("unroll.prediction.split_tables.PART", 60)        # rows, of ten windows
    parts = [part for part, _ in split_tables(predictor, made, "test")]
    assert {*map(len, parts[:-1])} == {60}
    shown = pd.concat(parts)
    np.testing.assert_allclose(shown[["q0.1", "q0.25", "q0.5", "q0.75", "q0.9"]].to_numpy().reshape(expected.shape),
                               expected, rtol=1e-4)


def test_the_inputs_of_all_windows_are_not_held_together(calibrated, monkeypatch):
    made, *_ = calibrated
    inputs, alive = [], []

    def watched(*given):
        for each in outputs(*given):
            inputs.append(weakref.ref(each.batch.inputs["x"]))
            yield each
            del each
            alive.append(sum(known() is not None for known in inputs))

    monkeypatch.setattr("unroll.training.calibration.outputs", watched)
    model = model_of(made, "forecast")
    assert calibrate(model.network, batches(made), ["x"]) > 64
    assert len(inputs) > 4 and max(alive) <= 2


def test_validation_is_measured_on_origins_that_did_not_calibrate(calibrated):
    made, raw, own, _ = calibrated
    data, levels = made.sequences("validation"), np.array(own.config.heads["x"].levels)
    first, _ = halves(data, made.offsets("validation"))
    for model, origins in ((own, first), (raw, data)):
        metrics = forecast.report(model, made, "x", evaluation()).metrics
        expected = measures(*forecasts(model, origins, "x", evaluation()), levels, np.ones(2), "best/val_")
        for name in ("best/val_crps", "best/val_coverage"):
            assert metrics[name] == pytest.approx(expected[name], rel=1e-12)


def test_series_are_followed_by_name_in_every_split(tmp_path):
    """A gap cuts one of them in more pieces of a split than of another."""
    config = table({"x": "real"}, {"x": "forecast"}, FORECAST)
    values = [np.random.default_rng(each).standard_normal((400, 1)) for each in range(2)]
    cuts = [np.array([0, 240, 270, 400]), np.array([0, 400])]
    made = written(tmp_path, config, Series("x", values, ["b", "a"], config.forecast, 0.25, 0.25, {}, cuts))
    assert [len(made.places(split)) for split in ("train", "validation", "test")] == [2, 4, 2]
    for split, numbers in (("validation", {0, 1}), ("test", {0, 1})):
        data = made.sequences(split)
        found = forecast._series(made, split, data)
        assert {*found} == numbers and (np.diff(found) <= 0).all(), "b stands first"
        assert found.sum() == np.isin(np.searchsorted(made.offsets(split), data.bounds[:, 0], side="right") - 1,
                                      [at for at, place in enumerate(made.places(split)) if place.name == "b"]).sum()


def test_the_folder_says_what_was_added_from_how_many_origins(calibrated):
    _, raw, own, folder = calibrated
    said = json.loads((folder / CALIBRATION).read_text())["x"]
    assert said["origins"] == own.network.head("x").calibration.origins
    assert np.array(said["offsets"]).shape == (3, 2, 5)
    assert CALIBRATION in json.loads((folder / "model.json").read_text())["files"]
    assert load_model(folder).network.head("x").calibration.offsets.tolist() == said["offsets"]
    assert raw.network.state_dict().keys() == own.network.state_dict().keys(), "weights have no part in it"


def test_damage_is_noticed(calibrated, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    for file in calibrated[-1].iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / CALIBRATION).write_text((copy / CALIBRATION).read_text().replace("0.", "1.", 1))
    with pytest.raises(UserError) as caught:
        load_model(copy)
    assert (caught.value.code, caught.value.where) == ("damaged", str(copy / CALIBRATION))


def test_the_earlier_half_chooses_and_the_later_one_calibrates(tmp_path):
    made = prepared(tmp_path, (120, 124, 200))
    data, offsets = made.sequences("validation"), made.offsets("validation")
    first, later = halves(data, offsets)
    for number in range(3):
        *mine, every = (part.bounds[part.bounds.series(slice(None)) == number] for part in (first, later, data))
        apart = np.delete(every, [len(mine[0]), len(mine[0]) + 1], axis=0)
        np.testing.assert_array_equal(np.concatenate(mine), apart)
        assert mine[0][-1, 1] + 3 == mine[1][0, 1], "no step is forecast from both"
        assert abs(len(mine[0]) - 2 - len(mine[1])) <= 1
    chosen = batches(made).layout("validation", 1).data.bounds
    np.testing.assert_array_equal(chosen, first.bounds)
    np.testing.assert_array_equal(batches(made).calibration().data.bounds, later.bounds)
    np.testing.assert_array_equal(batches(made, False).layout("validation", 1).data.bounds, data.bounds)


def test_a_series_too_short_for_two_halves_apart_calibrates_with_its_last_origin(tmp_path):
    made = prepared(tmp_path, (900,))
    data, offsets = made.sequences("validation"), made.offsets("validation")
    for count, sizes in ((1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (5, (3, 1)), (6, (3, 1)), (8, (4, 2))):
        first, later = halves(data.only(slice(0, count)), offsets)
        assert (len(first), len(later)) == sizes
        if len(later):
            assert later.bounds[-1, 1] == data.bounds[count - 1, 1]


def test_the_middle_of_an_odd_number_is_in_each_half_in_turn(tmp_path):
    made = prepared(tmp_path, (40, 40, 40, 40))
    data, offsets = made.sequences("validation"), made.offsets("validation")
    few = data.only(np.unique(np.searchsorted(offsets, data.bounds[:, 0], side="right"), return_index=True)[1])
    first, later = halves(few, offsets)
    assert (len(few), len(first), len(later)) == (4, 2, 2)
    first, later = halves(few.only(slice(0, 1)), offsets)
    assert (len(first), len(later)) == (1, 0), "of one origin, it chooses"
