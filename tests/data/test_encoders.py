"""Scales, classes and the frame of a forecast: fitted on training data alone, and undone exactly."""


import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.base.errors import UserError
from unroll.data.encoders import Classes, Scaler
from unroll.data.frame import Frame
from unroll.data.spec import ForecastSpec, FrameScales, Scale

quick = settings(max_examples=60, deadline=None, derandomize=True)

# ----------------------------------------------------------------------------------------------------------- scales


@quick
@given(st.lists(st.integers(0, 7), min_size=1, max_size=9), st.integers(1, 3), st.integers(0, 99),
       st.sampled_from([0.0, 1e6, -3.0]), st.sampled_from([1.0, 1e-3]))
def test_one_pass_over_pieces_is_numpy_over_all_of_them(lengths, features, seed, level, spread):
    """Pieces without a row, too."""
    draw = np.random.default_rng(seed)
    pieces = [level + spread * draw.standard_normal((length, features)) for length in lengths]
    fitted = Scaler.fit("standard", pieces)
    rows = np.concatenate(pieces)
    if len(rows):
        np.testing.assert_allclose(fitted.mean, rows.mean(axis=0), rtol=1e-12, atol=1e-12)
    if len(rows) > 1:
        np.testing.assert_allclose(fitted.deviation, rows.std(axis=0), rtol=1e-5)
        np.testing.assert_allclose(fitted.encode(rows).mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(fitted.encode(rows).std(axis=0), 1, rtol=1e-3)


def test_pieces_may_be_of_any_shape_that_ends_with_features():
    values = np.random.default_rng(0).random((4, 5, 2))
    whole, rows = Scaler.fit("standard", [values]), Scaler.fit("standard", [values.reshape(-1, 2)])
    assert np.array_equal(whole.mean, rows.mean) and np.array_equal(whole.deviation, rows.deviation)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e9, 1 / 3])
def test_a_number_that_never_changes_is_not_divided_by_nothing(value):
    fitted = Scaler.fit("standard", [np.full((50, 1), value), np.full((3, 1), value)])
    assert fitted.deviation.tolist() == [1.0]
    assert fitted.encode(np.array([[value]])).tolist() == [[pytest.approx(0, abs=1e-6)]]


def test_whole_numbers_are_scaled_as_real_ones():
    assert Scaler.fit("standard", [np.array([[1], [2], [6]], np.uint8)]).mean.tolist() == [3.0]


def test_a_large_level_leaves_the_digits_of_a_small_swing():
    """What mean(x²) - mean(x)² would lose."""
    x = 1e9 + np.sin(np.arange(1000.0))[:, None]
    assert Scaler.fit("standard", [x[:500], x[500:]]).deviation[0] == pytest.approx(x.std(), rel=1e-6)


def test_without_a_scale_values_are_as_they_are():
    fitted = Scaler.fit("none", [np.array([[1.0, 5.0], [3.0, 9.0]])])
    assert (fitted.mean.tolist(), fitted.deviation.tolist()) == ([0, 0], [1, 1])
    assert fitted.encode(np.array([[1.5, -2.0]])).tolist() == [[1.5, -2.0]]


@quick
@given(st.integers(0, 99))
def test_what_is_decoded_is_what_was_encoded_also_after_a_while_as_json(seed):
    draw = np.random.default_rng(seed)
    x = 50 + 10 * draw.standard_normal((20, 3))
    fitted = Scaler.fit("standard", [x])
    again = Scaler.restore(Scale.model_validate_json(fitted.state().model_dump_json()))
    assert fitted.encode(x).dtype == np.float32
    np.testing.assert_array_equal(again.encode(x), fitted.encode(x))
    np.testing.assert_allclose(again.decode(fitted.encode(x)), x, rtol=1e-6)


# ---------------------------------------------------------------------------------------------------------- classes


def test_classes_are_the_sorted_names_of_training():
    assert Classes.fit(["b", "a", "b"]).names == ["a", "b"]
    assert Classes.fit([np.array(["NAME", "OP"]), np.array(["OP", "SPACE"])]).names == ["NAME", "OP", "SPACE"]
    assert Classes.fit([1, 0, np.int64(1)]).names == ["0", "1"]


def test_a_class_is_its_place_among_the_names():
    classes = Classes(["a", "b", "c"])
    assert classes.encode("b", "here").tolist() == [1]
    assert classes.encode(np.array(["c", "a", "c"]), "here").tolist() == [2, 0, 2]
    assert Classes(["0", "1"]).encode(np.array([1, 0, 1]), "here").tolist() == [1, 0, 1]


def test_names_are_gone_through_once_for_all_calls():
    """There is a call for every sequence and column, and there may be many names."""
    class Counted(list[str]):
        looks = 0

        def __iter__(self):
            self.looks += 1
            return super().__iter__()

        index = __contains__ = None     # each would go through them

    names = Counted(["a", "b", "c"])
    classes = Classes(names)
    for _ in range(3):
        assert classes.encode(np.array(["c", "a"]), "here").tolist() == [2, 0]
        assert classes.positions(np.array(["b", "d"])).tolist() == [1, -1]
    assert names.looks == 1


@pytest.mark.parametrize(("asked", "meant"), [("aplha", 'did you mean "alpha"?'), ("gamma", "choose from alpha, beta.")])
def test_a_class_that_training_never_sees_is_one_line_with_three_ways_out(asked, meant):
    with pytest.raises(UserError) as caught:
        Classes(["alpha", "beta"]).encode(np.array(["beta", asked]), "data.label, sequence 3 of the test split")
    assert str(caught.value) == (
        f"data.label, sequence 3 of the test split: class {asked!r} is absent from the training split; {meant} "
        "Give training examples of it, leave it out, or choose another data.seed."
    )


# ------------------------------------------------------------------------------------------------ the frame of a forecast

SHAPES = [(4, 6, 3), (3, 5, 12), (7, 4, 3), (5, 6, 1), (1, 3, 1), (9, 2, 2)]      # horizon, context, season
shapes = pytest.mark.parametrize(("horizon", "context", "season"), SHAPES)
logs = pytest.mark.parametrize("log", [False, True], ids=["plain", "log"])


def series(count: int, length: int, columns: int = 2, seed: int = 0) -> np.ndarray:
    """(count, length, columns), positive, with a trend and a season."""
    draw = np.random.default_rng(seed)
    t = np.arange(length)[None, :, None]
    level = 5 + 0.1 * t + np.sin(2 * np.pi * t / 4) + 0.3 * draw.standard_normal((count, length, columns))
    return np.exp(level / 3)


def framed(horizon: int, context: int, season: int, log: bool, columns: int = 2) -> Frame:
    config = ForecastSpec(horizon=horizon, context=context, season=season, log=log, stride=1)
    return Frame.fit(config, list(series(3, 60, columns)))


def cases(frame: Frame, count: int = 5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Windows (rows, B, D) and what comes after them (H, B, D)."""
    both = series(count, frame.rows + frame.forecast.horizon, seed=seed).transpose(1, 0, 2)
    return both[: frame.rows], both[frame.rows :]


@logs
@shapes
def test_the_decoded_target_is_the_future(horizon, context, season, log):
    frame = framed(horizon, context, season, log)
    window, future = cases(frame)
    target = frame.target(window, future)
    assert target.shape == (5, horizon, 2) and target.dtype == np.float32
    np.testing.assert_allclose(frame.decode(window, target), future.transpose(1, 0, 2), rtol=1e-5)


@logs
@shapes
def test_quantiles_are_decoded_each_by_itself(horizon, context, season, log):
    frame = framed(horizon, context, season, log)
    window, future = cases(frame)
    target = frame.target(window, future)
    quantiles = np.stack([target - 1, target, target + 2], axis=-1)
    decoded = frame.decode(window, quantiles)
    assert decoded.shape == (5, horizon, 2, 3)
    for number, each in enumerate((target - 1, target, target + 2)):
        np.testing.assert_allclose(decoded[..., number], frame.decode(window, each), rtol=1e-12)
    assert (np.diff(decoded, axis=-1) > 0).all()


@logs
@shapes
def test_no_correction_is_the_seasonal_naive_forecast(horizon, context, season, log):
    """The value k seasons before, k the least number for which it is known; a mean correction is the mean growth."""
    frame = framed(horizon, context, season, log)
    window, _ = cases(frame)
    k = np.arange(horizon) // season + 1
    expected = window[frame.rows + np.arange(horizon) - k * season]
    found = np.exp(frame.naive(window)) if log else frame.naive(window)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    zero = -frame.correction.mean / frame.correction.deviation          # of the scale, a correction of nothing
    none = np.broadcast_to(zero, (5, horizon, 2))
    np.testing.assert_allclose(frame.decode(window, none), expected.transpose(1, 0, 2), rtol=1e-9)


@logs
@shapes
def test_features_are_those_of_the_docstring(horizon, context, season, log):
    """z_t - mean(z_{t-m+1} … z_t), then z_t - z_{t-m}; without a season the growth alone."""
    frame = framed(horizon, context, season, log)
    window, _ = cases(frame)
    z = np.log(window) if log else window
    rows = []
    for t in range(season, frame.rows):
        growth = z[t] - z[t - season]
        phase = z[t] - z[t - season + 1 : t + 1].mean(axis=0)
        rows.append(growth if season == 1 else np.concatenate([phase, growth], axis=-1))
    expected = (np.stack(rows) - frame.inputs.mean) / frame.inputs.deviation
    found = frame.encode(window)
    assert found.shape == (context, 5, 2 if season == 1 else 4) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@logs
@shapes
def test_features_know_nothing_of_what_comes(horizon, context, season, log):
    frame = framed(horizon, context, season, log)
    window, _ = cases(frame)
    before = frame.encode(window)
    for t in range(season, frame.rows):
        moved = window.copy()
        moved[t:] *= 3
        after = frame.encode(moved)
        np.testing.assert_array_equal(after[: t - season], before[: t - season])
        assert (after[t - season] != before[t - season]).all()


@logs
@shapes
def test_every_step_that_is_read_counts(horizon, context, season, log):
    """No row of the window is read for nothing."""
    frame = framed(horizon, context, season, log)
    window, _ = cases(frame, count=1)
    for t in range(frame.rows):
        moved = window.copy()
        moved[t] *= 3
        assert (frame.encode(moved) != frame.encode(window)).any()


@logs
@pytest.mark.parametrize("season", [1, 3])
def test_in_training_features_and_corrections_have_mean_0_and_deviation_1(season, log):
    config = ForecastSpec(horizon=1, context=5, season=season, log=log, stride=1)
    given = series(1, 80)[0]
    frame = Frame.fit(config, [given])
    starts = np.arange(80 - frame.rows)
    window = given[starts[None, :] + np.arange(frame.rows)[:, None]]
    target = frame.target(window, given[(starts + frame.rows)[None, :]])
    # of all steps of the series, of which the windows' last rows are nearly all
    read = frame.encode(window)[-1]
    assert np.abs(read.mean(axis=0)).max() < 0.1 and np.abs(read.std(axis=0) - 1).max() < 0.1
    assert np.abs(target.mean(axis=(0, 1))).max() < 0.1 and np.abs(target.std(axis=(0, 1)) - 1).max() < 0.1


@logs
def test_a_frame_is_restored(log):
    frame = framed(4, 6, 3, log)
    window, future = cases(frame)
    again = Frame.restore(frame.forecast, FrameScales.model_validate_json(frame.state().model_dump_json()))
    np.testing.assert_array_equal(again.encode(window), frame.encode(window))
    np.testing.assert_array_equal(again.target(window, future), frame.target(window, future))


def test_several_series_are_framed_together():
    config = ForecastSpec(horizon=1, context=5, season=1, log=False, stride=1)
    rising, falling = np.arange(30.0)[:, None], -np.arange(30.0)[:, None]
    frame = Frame.fit(config, [rising, falling])
    # where one series ends and the next begins is no growth
    assert frame.correction.mean.tolist() == [pytest.approx(0)] and frame.correction.deviation.tolist() == [1.0]
