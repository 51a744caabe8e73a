"""The card of a model: true, short, and the same for the same model."""

from importlib import import_module
from typing import Any

import pytest

from tests.models.conftest import SPEC, small
from tests.specs import changed, make_spec
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.evaluation.card import _size, card
from unroll.evaluation.comparison import Comparison
from unroll.evaluation.reports import next_token, regression

FIGURES = {"train/steps": 2780, "train/best_step": 1500, "val/best_loss": 1.29271, "val/best_bpc": 1.865,
           "model/parameters": 12345}
BITS = Comparison("bpc", "bits per character", False, 1.9, {"xz": 2.5, "ngram5": 2.25})


def written(spec: Spec = SPEC, comparison: Comparison = BITS) -> str:
    return card(small("lstm", hidden=6), spec, {"text": next_token.PROSE}, FIGURES, {"text": comparison})


def test_a_card_has_task_data_sizes_figures_and_limits() -> None:
    text = written()
    for part in ("# LSTM, trained on letters", "The model predicts the next symbol", "Test split: 1.9000 bits per character.",
                 "`lstm`, 1 layer of 6 units", "| parameters | 12,345 |", f"`{'0' * 64}`",
                 "| licence of the data | none |", "| train | 1,200 symbols |", "unroll.load(", "unroll predict",
                 "1.2927 nats per symbol; 1.8650 bits per character", "2,780 steps", "step 1,500", "dvc repro",
                 "verbatim"):
        assert part in text, part
    assert len(text) < 3000


def test_names_from_users_stay_in_their_cell() -> None:
    text = written(changed(SPEC, source={"kind": "text", "name": "a | b\nc <img>", "licence": "x|y", "sha256": ""}))
    assert "| data | a \\| b c &lt;img> |" in text
    assert "| licence of the data | x\\|y |" in text


@pytest.mark.parametrize(("head", "target", "parts"), [
    ({"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0},
     {"kind": "classes", "per": "sequence", "size": 12, "classes": [f"c{at}" for at in range(12)]},
     ["names the class of each sequence", "c0, c1, c2", "c9 and 2 more", "nats per sequence", "one of its classes for any"]),
    ({"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}, {"kind": "labels", "per": "step", "size": 2}, ["which labels are on", "nats per step"]),
    ({"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0}, {"kind": "reals", "per": "step", "size": 1},
     ["a value for each step", "guesses"]),
    ({"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "none", "decoder": None, "pooling": "last", "dropout": 0.0},
     {"kind": "forecast", "per": "sequence", "size": 1}, ["the next 12 steps of a series", "vary more"]),
])
def test_every_task_has_its_own_limits(head: dict[str, Any], target: dict[str, Any], parts: list[str]) -> None:
    spec = make_spec({"x": {"kind": "real", "size": 2}}, {"y": target}, {"horizon": 12}, layout="items")
    config = ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": {"y": head},
        "core": {"kind": "gru", "hidden_size": 4, "num_layers": 2, "dropout": 0.0, "bidirectional": True,
                 "recurrent_init": "orthogonal"},
    })
    prose = import_module(f"unroll.evaluation.reports.{head['kind']}").PROSE
    figures = {name: FIGURES[name] for name in FIGURES if name != "val/best_bpc"}
    text = card(config, spec, {"y": prose}, figures, {"y": Comparison("mse", "mean squared error", False, 0.5, {})})
    for part in (*parts, "2 layers of 4 units, bidirectional", "1 sequence, 1,200 steps", "model.predict(["):
        assert part in text, part


@pytest.mark.parametrize(("higher", "order"), [(True, ["best", "LSTM", "worst"]), (False, ["worst", "LSTM", "best"])])
def test_the_test_split_s_figures_are_a_table_the_best_first(higher: bool, order: list[str]) -> None:
    text = written(comparison=Comparison("accuracy", "accuracy", higher, 0.5, {"worst": 0.1, "best": 0.9}))
    table = text.partition("## Test split\n")[2].partition("## Use")[0].strip().splitlines()[2:]
    assert [line.split("|")[1].strip(" *") for line in table] == order
    assert "| **LSTM** | **0.5000** |" in table


def test_several_inputs_are_listed_and_given_by_name() -> None:
    spec = make_spec({"x": {"kind": "real", "size": 3}, "before": {"kind": "real", "size": 2, "per": "own"},
                      "ward": {"kind": "categories", "size": 5, "width": 1, "per": "sequence", "categories": [["a", "b"]]}},
                     {"y": {"kind": "reals", "per": "sequence", "size": 1}}, layout="items")
    config = ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0},
                   "ward": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": "steps"}},
        "heads": {"y": {"kind": "regression", "loss": "squared_error", "pooling": "last", "dropout": 0.0}},
        "core": small("lstm", hidden=6).core.model_dump(),
    })
    figures = {name: FIGURES[name] for name in FIGURES if name != "val/best_bpc"}
    text = card(config, spec, {"y": regression.PROSE}, figures, {"y": Comparison("mse", "mean squared error", False, 0.5, {})})
    assert "| inputs | `x` (3 numbers a step), `before` (2 numbers a step of another sequence), `ward` (1 category a sequence) |" in text
    assert 'model.predict([{"x": […], "before": […], "ward": […]}])' in text


def test_the_size_of_a_split_is_in_steps_where_only_another_sequence_is_a_text() -> None:
    spec = make_spec({"x": {"kind": "real", "size": 3}, "note": {"kind": "tokens", "size": 9, "per": "own"}},
                     {"y": {"kind": "reals", "per": "sequence", "size": 1}}, layout="items")
    assert (_size(spec, "train"), _size(SPEC, "train")) == ("1 sequence, 1,200 steps", "1,200 symbols")
