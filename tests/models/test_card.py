"""The card of a model: true, short, and the same for the same model."""

import copy
from typing import Any

import pytest

from tests.models.conftest import SPEC, small
from unroll.config.model import ModelConfig
from unroll.models.card import card, measured

FIGURES = {"train/steps": 2780, "train/best_step": 1500, "val/best_loss": 1.29271, "val/best_bpc": 1.865}


def written(spec: dict[str, Any] = SPEC, **figures: float) -> str:
    return card(small("lstm", hidden=6), spec, 12345, figures)


def test_a_card_says_what_of_which_data_and_how_good() -> None:
    said = card(small("lstm", hidden=6), SPEC, 12345, FIGURES)
    for part in ("# LSTM, trained on letters", "an LSTM of 1 layer", "| parameters | 12,345 |", f"`{'0' * 64}`",
                 "| licence of the data | none |", "| train | 1,200 symbols |", "unroll.load(", "unroll predict",
                 "1.2927 nats a symbol; 1.8650 bits per character", "2,780 steps", "step 1,500", "dvc repro",
                 "word for word"):
        assert part in said, part
    assert len(said) < 3000


def test_an_untrained_model_has_no_figures() -> None:
    assert "| trained | no |" in written()
    assert "validation loss" not in written()


def test_a_user_s_words_stay_in_their_cell() -> None:
    spec = copy.deepcopy(SPEC)
    spec["source"] |= {"name": "a | b\nc <img>", "licence": "x|y"}
    said = written(spec)
    assert "| data | a \\| b c &lt;img> |" in said
    assert "| licence of the data | x\\|y |" in said


@pytest.mark.parametrize(("head", "target", "says"), [
    ({"kind": "classification", "pooling": "last", "dropout": 0.0},
     {"kind": "classes", "per": "sequence", "size": 12, "classes": [f"c{at}" for at in range(12)]},
     ["names the class of each sequence", "c0, c1, c2", "c9 and 2 more", "nats a sequence", "one of its classes whatever"]),
    ({"kind": "labels", "dropout": 0.0}, {"kind": "labels", "per": "step", "size": 2}, ["which labels are on", "nats a step"]),
    ({"kind": "regression", "pooling": None, "dropout": 0.0}, {"kind": "reals", "per": "step", "size": 1},
     ["a value for each step", "guesses"]),
    ({"kind": "forecast", "distribution": "quantile", "levels": [0.1, 0.5, 0.9], "pooling": "last", "dropout": 0.0},
     {"kind": "forecast", "per": "sequence", "size": 1}, ["the next 12 steps of a series", "wilder"]),
])
def test_every_task_has_its_own_limits(head: dict[str, Any], target: dict[str, Any], says: list[str]) -> None:
    spec = {**SPEC, "layout": "items", "inputs": {"x": {"kind": "real", "size": 2}}, "targets": {"y": target},
            "data": {"forecast": {"horizon": 12}}}
    config = ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": {"y": head},
        "core": {"kind": "gru", "hidden_size": 4, "num_layers": 2, "dropout": 0.0, "bidirectional": True,
                 "recurrent_init": "orthogonal"},
    })
    said = card(config, spec, 5, {name: FIGURES[name] for name in FIGURES if name != "val/best_bpc"})
    for part in (*says, "a bidirectional GRU of 2 layers", "1 sequence, 1,200 steps", "model.predict(["):
        assert part in said, part


@pytest.mark.parametrize(("higher", "order"), [(True, ["best", "GRU", "worst"]), (False, ["worst", "GRU", "best"])])
def test_the_test_split_s_figures_are_a_table_the_best_first(higher: bool, order: list[str]) -> None:
    said = measured("accuracy", "GRU", {"worst": 0.1, "GRU": 0.5, "best": 0.9}, higher)
    assert [line.split("|")[1].strip(" *") for line in said.splitlines()[4:]] == order
    assert "| **GRU** | **0.5000** |" in said
