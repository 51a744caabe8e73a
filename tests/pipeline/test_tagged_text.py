"""Targets of each symbol beside the next symbol of a text: a class and a number, from a table to predictions."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy

from tests.conftest import run, tiny
from tests.data.conftest import dealt, table, written
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.source import Split
from unroll.data.store import Prepared, open_prepared
from unroll.models.folder import load_model
from unroll.prediction.predictor import load

COLUMNS = {"text": ["letter"], "kind": ["kind"], "later": ["later"], "number": ["number"], "whole": ["whole"]}
TARGETS = {"text": "next", "kind": "tag", "later": "tag", "number": "values", "whole": "class"}
DATA = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "path": "data/raw/letters.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": COLUMNS, "series": "id", "time": None, "time_format": None,
    "tokenizer": {"kind": "char", "min_count": 1}, "inputs": {"text": "tokens"}, "targets": TARGETS,
    "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None, "validation": 0.2, "test": 0.2, "seed": 1, "licence": "none",
}
CLASSES = {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}
MODEL = {
    "inputs": {"text": {"kind": "embedding", "size": 8, "dropout": 0.0}},
    "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}, "kind": CLASSES, "later": CLASSES,
              "number": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0},
              "whole": {**CLASSES, "pooling": "last"}},
}


def rows() -> pd.DataFrame:
    """`kind` follows from the symbol, `later` from the next one, which is drawn at random; every fifth is unknown."""
    draw, made = np.random.default_rng(0), []
    for number in range(120):
        word = "".join(draw.choice([*"abcd"], draw.integers(2, 9)))
        made += [{"id": f"w{number}", "letter": letter, "kind": "vowel" if letter == "a" else "other",
                  "later": "yes" if word[at + 1 : at + 2] in ("a", "b") else "no",
                  "number": ord(letter) if len(made) % 5 else "", "whole": word[-1]} for at, letter in enumerate(word)]
    return pd.DataFrame(made)


def configured(**train: Any) -> Config:
    values: dict[str, Any] = tiny(
        "model=gru", "model.core.hidden_size=16", "train.max_steps=null", "train.learning_rate=0.02",
        "train.bptt=3", "generate.prompts=['',a]", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA
    values["model"] |= MODEL
    values["train"] |= {"monitor": "kind/loss", "epochs": 25, **train}
    return Config.model_validate(values)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("letters")
    (folder / "data" / "raw").mkdir(parents=True)
    rows().to_csv(folder / "data" / "raw" / "letters.csv", index=False)
    workspace = Workspace(folder, folder)
    run(workspace, configured(), "prepare", "train", "evaluate", "generate")
    return workspace


def test_each_row_of_a_target_stands_after_its_symbol(done):
    """Row t + 1 of what is predicted beside symbol t + 1, its first row unknown."""
    prepared = open_prepared(done.prepared)
    tokenizer, classes = prepared.tokenizer("text"), prepared.spec.targets["kind"].classes
    assert tokenizer.end is not None and classes is not None
    split: Split
    for split in ("train", "test"):
        offsets, text, kind = prepared.offsets(split), prepared.tokens("text", split), prepared.values("kind", split)
        holes = prepared.holes("kind", split)
        for first, last in pairwise(offsets):
            assert holes.known[first:last].tolist() == [False, *[True] * (last - first - 1)]
            assert text[last - 1] == tokenizer.end
            assert [classes[at] for at in kind[first + 1 : last]] == [
                "vowel" if letter == "a" else "other" for letter in tokenizer.decode(text[first : last - 1])]


def test_what_follows_from_a_symbol_is_learnt_and_what_follows_from_the_next_one_is_not(done):
    found = json.loads((done.metrics / "test.json").read_text())
    assert found["test/kind/accuracy"] == found["baseline/kind/symbol_accuracy"] == 1
    assert found["test/number/r2"] > 0.95
    assert found["test/whole/accuracy"] == 1
    assert max(found["test/later/accuracy"], found["baseline/later/symbol_accuracy"]) < 0.75
    # the next of four letters, drawn at random, and where a word ends
    assert 1.6 < found["test/text/bpc"] < 2.7


def by_hand(prepared: Prepared, done: Workspace, split: Split) -> dict[str, float]:
    """Mean losses, a sequence at a time: begin, x_1 … x_T read; x_1 … x_T, end and y_1 … y_T predicted."""
    network, tokenizer = load_model(done.model).network, prepared.tokenizer("text")
    sums: dict[str, list[float]] = {"text": [], "kind": []}
    offsets = prepared.offsets(split)
    for first, last in pairwise(offsets):
        symbols = torch.from_numpy(prepared.tokens("text", split)[first:last].astype(np.int64))
        read = torch.cat([torch.tensor([tokenizer.begin]), symbols[:-1]])
        raw, _ = network({"text": read[:, None]})
        sums["text"] += cross_entropy(raw["text"][:, 0], symbols, reduction="none").tolist()
        own = torch.tensor([letter == "a" for letter in tokenizer.decode(symbols[:-1].numpy())])
        other, vowel = (prepared.spec.targets["kind"].classes.index(name) for name in ("other", "vowel"))
        likely = torch.cat([-raw["kind"], raw["kind"]], dim=-1)[1:, 0].sigmoid()
        sums["kind"] += (-likely.gather(1, torch.where(own, vowel, other)[:, None]).log()).flatten().tolist()
    return {name: float(np.mean(values)) for name, values in sums.items()}


def test_losses_are_those_of_a_sequence_at_a_time(done):
    prepared = open_prepared(done.prepared)
    tested, trained = (json.loads((done.metrics / f"{name}.json").read_text()) for name in ("test", "train"))
    for name, loss in by_hand(prepared, done, "test").items():
        assert tested[f"test/{name}/loss"] == pytest.approx(loss, rel=1e-4)
    for name, loss in by_hand(prepared, done, "validation").items():
        assert trained[f"val/best_{name}/loss"] == pytest.approx(loss, rel=1e-4)


def test_predictions_stand_at_their_steps(done, tmp_path):
    file = done.root / "data" / "raw" / "letters.csv"
    predict(file, tmp_path / "out.csv", str(done.model), None, None)
    table, truth = pd.read_csv(tmp_path / "out.csv"), rows()
    truth["step"] = truth.groupby("id").cumcount() + 1
    both = truth.merge(table, left_on=["id", "step"], right_on=["sequence", "step"], suffixes=("", "_predicted"))
    assert len(both) == len(truth)
    assert (both["kind"] == both["kind_predicted"]).all()
    assert (both["number_predicted"] - both["letter"].map(ord)).abs().max() < 0.5
    # the end of each word costs something, and is no step of a target
    ends = table.groupby("sequence").tail(1)
    assert ends["kind"].isna().all() and ends["number"].isna().all() and ends["text_nats"].notna().all()
    assert len(table) == len(truth) + truth["id"].nunique()
    kept = pd.read_csv(done.samples / "predictions.csv")
    again = table.set_index(["sequence", "step"]).loc[[*zip(kept["sequence"], kept["step"], strict=True)]]
    np.testing.assert_allclose(kept["kind_p_vowel"], again["kind_p_vowel"], atol=1e-6)


def test_predictions_are_the_same_however_a_text_is_given(done):
    predictor = load(done.model)
    tokenizer = predictor.model.tokenizers["text"]
    whole = predictor.predict_all(["abcab", "dca"])
    assert [len(found) for found in whole["kind"]] == [5, 3]
    assert [len(found) for found in whole["text"]] == [6, 4]
    symbols = [np.append(tokenizer.encode("abcab"), tokenizer.end), tokenizer.encode("dcaabc")]
    given = predictor.predict_all(symbols)      # of one length, and one of them without its end
    assert [len(found) for found in given["kind"]] == [5, 6]
    np.testing.assert_allclose(given["kind"][0], whole["kind"][0])


def test_a_text_in_two_parts_has_each_steps_target_once(done):
    """A pooled head needs the whole text, so that this model has none."""
    prepared = open_prepared(done.prepared)
    folder, config = done.root / "stepped", configured()
    values = config.model_dump(mode="json")
    values["data"]["targets"] = {"text": "next", "kind": "tag"}
    values["data"]["columns"] = {name: COLUMNS[name] for name in ("text", "kind")}
    values["model"]["heads"] = {name: MODEL["heads"][name] for name in ("text", "kind")}
    values["train"] |= {"epochs": 1}
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "raw").symlink_to(done.root / "data" / "raw")
    workspace = Workspace(folder, folder)
    run(workspace, Config.model_validate(values), "prepare", "train")
    predictor = load(workspace.model)
    whole = predictor.predict_all(["abcab"])["kind"][0]
    memory = predictor.memory(1)
    parts = [predictor.predict_all([part], memory)["kind"][0] for part in ("ab", "cab")]
    assert [len(part) for part in parts] == [2, 3]
    np.testing.assert_allclose(np.concatenate(parts), whole)
    memory = predictor.memory(1)
    stepped = [predictor.step(prepared.tokenizer("text").encode(letter), memory)["kind"] for letter in "abcab"]
    np.testing.assert_allclose(np.concatenate(stepped), whole)


def test_another_input_of_steps_beside_both_is_refused():
    with pytest.raises(ValidationError, match="has no x"):
        table({"text": "tokens", "x": "real"}, {"text": "next", "kind": "tag"})


def test_unequal_lengths_are_named_as_the_user_counts_them(tmp_path: Path):
    pieces = [{"text": "abc", "kind": np.array(["u", "v", "u"][: 2 + (number < 4)])} for number in range(6)]
    code, where = refusal(lambda: written(tmp_path, table({"text": "tokens"}, {"text": "next", "kind": "tag"}),
                                          dealt(pieces)), "")[:2]
    assert code == "unequal-lengths"
    assert where == "data, sequence 1 of the test split"
