"""Pictures: the same numbers are the same bytes."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unroll.drawing import evaluation, forecasts, generation, rows, sweeps

TRAIN = [{"step": 5.0 * at, "loss": 3 / at} for at in range(1, 9)]
VALIDATION = [{"step": 20.0, "loss": 1.5}, {"step": 40.0, "loss": 1.2}]
COUNTS = np.array([[5, 1, 0], [0, 7, 2], [0, 0, 0]])
WAVE = np.arange(50) / 5
FAN = forecasts.Fan(np.sin(WAVE), np.cos(WAVE[:5]), np.arange(15.0).reshape(5, 3) / 9, "first", "x")
DAYS = np.arange(np.datetime64("2000-12-01"), np.datetime64("2000-12-01") + 55)
BARS = {"lstm": 2.1, "unigram": 4.5, "xz": 3.0, "ngram5": 2.4}
HEATED = [{"temperature": heat, "ngram5_bpc": 2 + heat, "distinct_4": 0.5 + heat / 4} for heat in (0.5, 0.7, 1.0)]
CURVES = [[(1, 2.0), (2, 1.2)], [(1, 2.1), (2, 1.3)]]
PICTURES: dict[str, Callable[[Path], None]] = {
    "curves": lambda path: evaluation.curves(
        TRAIN, VALIDATION, {"loss": ("bits per character", 1.44)}, VALIDATION[1]["step"], path),
    "bars": lambda path: evaluation.bars(BARS, "lstm", "bits per character", False, path),
    "gradient_reach": lambda path: evaluation.gradient_reach({"trained LSTM": [1, 0.5], "linear RNN": [1, 0.9]}, path),
    "confusion": lambda path: evaluation.confusion(COUNTS, ["cat", "dog", "a name too long to be shown"], path),
    "many_classes": lambda path: evaluation.confusion(np.eye(30, dtype=np.int64), [*map(str, range(30))], path),
    "recalls": lambda path: evaluation.recalls(np.array([0.9, np.nan, 0.2]), np.array([90, 7, 2]), ["a", "b", "c"], path),
    "many_recalls": lambda path: evaluation.recalls(np.linspace(1, 0, 60), np.arange(60, 0, -1), [*map(str, range(60))], path),
    "traces": lambda path: evaluation.traces(np.sin(WAVE), np.cos(WAVE), path),
    "against": lambda path: evaluation.scatter(np.sin(WAVE), np.cos(WAVE), path),
    "rolls": lambda path: evaluation.label_roll(np.abs(np.sin(np.outer(WAVE, WAVE))), np.eye(50), path),
    "silence": lambda path: evaluation.label_roll(np.zeros((9, 4)), np.zeros((9, 4)), path),
    "fans": lambda path: forecasts.forecasts([[FAN]] * 3, np.array([0.1, 0.5, 0.9]), "Fans", path),
    "piano_roll": lambda path: generation.piano_roll(np.eye(60, 88) > 0, 20, 21, path),
    "silent_roll": lambda path: generation.piano_roll(np.zeros((9, 88), bool), 0, 21, path),
    "fan": lambda path: generation.sampled_paths(FAN[0][:, None], np.random.default_rng(1).random((30, 9, 1)), ["x"], path),
    "fan_of_many": lambda path: generation.sampled_paths(np.ones((5, 9)), np.ones((30, 9, 9)), [*"abcdefghi"], path),
    "rows": lambda path: rows.rows([rows.Drawn("a", {"x": [1.0, 2.5, 3.0], "name": ["$a", "b", None]}, 1), rows.Drawn(
        "b", {"x": [0.0], "name": ["a b"]}, real=True)], path),
    "rows_of_many_names": lambda path: rows.rows([rows.Drawn("a", {"name": [*"abcdefghijkl_ \n$"], "word": [f"w{at}" for at in range(16)]})], path),
    "rows_of_none": lambda path: rows.rows([rows.Drawn("a", {"x": [], "name": []})], path),
    "temperature": lambda path: generation.temperature(HEATED, {"samples/real_ngram5_bpc": 2.6}, path),
    "ranking": lambda path: sweeps.ranking([(f"model={name}", [1.2, 1.3], CURVES) for name in "abc"], "loss", False, path),
    "ranking_of_many": lambda path: sweeps.ranking([(f"model={name}", [1.2, 1.3], CURVES) for name in range(20)], "kind/accuracy", True, path),
    "history": lambda path: sweeps.history([(number, 2 - 0.1 * number, number % 3 != 0) for number in range(10)], "loss", False, path),
    "history_of_accuracy": lambda path: sweeps.history(
        [(number, 0.5 + 0.04 * number, number % 3 != 0) for number in range(10)], "accuracy", True, path),
    "importances": lambda path: sweeps.importances({"train.learning_rate": 0.5, "model": 0.3}, path),
    "one_fan": lambda path: forecasts.forecasts([[FAN]], np.array([0.25, 0.5, 0.75]), "Fan", path),
    "small_fans": lambda path: forecasts.forecasts([[FAN] * 3] * 4, np.array([0.1, 0.5, 0.9]), "Fans", path),
    "dated_fans": lambda path: forecasts.forecasts([[FAN._replace(times=DAYS)]], np.array([0.1, 0.5, 0.9]), "Fan", path, "day"),
    "yearly_fans": lambda path: forecasts.forecasts([[FAN._replace(times=np.arange(55.0) + 1949)]], np.array([0.1, 0.5, 0.9]), "Fan", path, "year"),
    "dated_paths": lambda path: generation.sampled_paths(
        FAN[0][:, None], np.random.default_rng(1).random((30, 5, 1)), ["x"], path, DAYS, "day"),
    "unknown_end": lambda path: forecasts.forecasts(
        [[FAN._replace(actual=np.array([1, np.nan]), quantiles=np.ones((1, 5)))]], np.arange(1, 6) / 6, "Fan", path),
}


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_a_png_and_the_same_bytes_twice(tmp_path, name):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    PICTURES[name](first)
    PICTURES[name](second)
    content = first.read_bytes()
    assert content == second.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert 350 <= width <= 1210
    assert 200 <= height <= 1300
    assert 5_000 < len(content) < 200_000
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_other_numbers_are_another_picture(tmp_path):
    evaluation.bars(BARS, "lstm", "loss", False, tmp_path / "first.png")
    evaluation.bars({**BARS, "lstm": 2.5}, "lstm", "loss", False, tmp_path / "second.png")
    assert (tmp_path / "first.png").read_bytes() != (tmp_path / "second.png").read_bytes()


def test_a_training_too_short_for_a_row_still_has_its_picture(tmp_path):
    evaluation.curves([], VALIDATION[:1], {"loss": ("character", 1.44)}, VALIDATION[0]["step"], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5_000


def test_dates_years_and_counted_steps_are_on_the_axis():
    def ticks(times):
        figure = forecasts.forecast_figure([[FAN._replace(times=times)]], np.array([0.1, 0.5, 0.9]), "", "when")
        figure.savefig("/dev/null", format="png")
        (axes,) = figure.axes
        return axes.get_xlabel(), [label.get_text() for label in axes.get_xticklabels()]

    name, labels = ticks(DAYS)
    assert name == "when" and "Jan" in labels, labels
    name, labels = ticks(np.arange(55.0) + 1949)
    assert name == "when" and "1960" in labels, labels
    name, labels = ticks(None)
    assert name == "steps from the origin" and "0" in labels and not [label for label in labels if "." in label]
