"""Classes: accuracy and F1 against scikit-learn, and baselines against what they say they are."""

import dataclasses
import itertools
from collections import Counter
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score

from tests.data.conftest import dealt, npz, table, written
from tests.evaluation.conftest import evaluation, model_of
from tests.models.test_heads import head_of
from unroll.baselines import classifiers as simple
from unroll.baselines import nearest
from unroll.config.losses import LOSSES
from unroll.config.tokenizers import word
from unroll.data.store import Prepared
from unroll.evaluation.recall import plain_names
from unroll.evaluation.reports import classification
from unroll.evaluation.reports.classification import macro_f1, measures
from unroll.evaluation.scored import Scored, score
from unroll.models.head import Sizes
from unroll.sources.common.memory import Items, OneStream

quick = settings(max_examples=40, deadline=None, derandomize=True)
DRAW = np.random.default_rng(0)


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_accuracy_and_macro_f1_are_scikit_learns(pairs):
    """Over the classes that occur."""
    truth, predicted = (np.array(each, np.int64) for each in zip(*pairs, strict=True))
    found = measures(Scored(np.eye(5)[predicted], truth, 0.25), 5, "test/")
    assert found == {
        "test/loss": 0.25,
        "test/accuracy": pytest.approx(accuracy_score(truth, predicted), abs=1e-6),
        "test/balanced_accuracy": pytest.approx(
            recall_score(truth, predicted, labels=np.unique(truth), average="macro"), abs=1e-12),
        "test/macro_f1": pytest.approx(f1_score(truth, predicted, average="macro"), abs=1e-6),
    }
    # what a validation counts, in two batches, says the same
    head = head_of("classification", Sizes(3, 5), loss="cross_entropy", pooling="last")
    outputs, target = torch.eye(5)[torch.from_numpy(predicted)], torch.from_numpy(truth)
    counted = sum(head.statistics(outputs[part], target[part]) for part in (slice(0, 1), slice(1, None)))
    assert {f"test/{name}": value for name, value in head.measure(counted).items()} == pytest.approx(
        {name: value for name, value in found.items() if name != "test/loss"}, abs=1e-6)


def test_macro_f1_by_hand():
    # class 0: precision 2/3, recall 1; class 1: precision 1, recall 1/2
    assert macro_f1(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2) == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-6)


# ------------------------------------------------------------------------------------------------- real sequences

LENGTHS = [6, 9, 7, 5, 8, 6, 9, 5, 7, 8, 6, 5]
NAMES = ["up", "down", "still", "up"] * 3


def moving() -> list[dict[str, object]]:
    slopes = {"up": 1.0, "down": -1.0, "still": 0.0}
    return [{"x": (slopes[name] * np.arange(length) + 0.2 * DRAW.standard_normal(length))[:, None], "label": name}
            for name, length in zip(NAMES, LENGTHS, strict=True)]


@pytest.fixture
def sequences(tmp_path) -> Prepared:
    return written(tmp_path, npz("label", "class"), dealt(moving()))


def dtw(a: np.ndarray, b: np.ndarray) -> float:
    """Sakoe & Chiba (1978), squared differences, no window."""
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i, j in np.ndindex(len(a), len(b)):
        cost[i + 1, j + 1] = ((a[i] - b[j]) ** 2).sum() + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    return float(cost[-1, -1])


def test_the_nearest_neighbour_is_the_nearest_of_training_and_validation(sequences):
    pytest.importorskip("aeon")
    known, test = [], []
    for split in ("train", "validation", "test"):
        values, offsets = sequences.values("x", split), sequences.offsets(split)
        cases = [values[a:b] for a, b in itertools.pairwise(offsets)]
        (test if split == "test" else known).extend(zip(cases, sequences.values("label", split), strict=True))
    expected = [min(known, key=lambda each: dtw(case, each[0]))[1] for case, _ in test]
    found = nearest.nearest_neighbour(sequences, "x", "label", 10**9)
    assert found["dtw_1nn"].tolist() == expected


def test_warping_that_would_take_too_long_is_left_out_with_a_line(sequences, capsys):
    assert nearest.nearest_neighbour(sequences, "x", "label", most_cells=700) == {}
    assert capsys.readouterr().out == "evaluate: 1-NN DTW left out: 7.7e+02 cells, evaluate.dtw_cells allows 7.0e+02\n"


@pytest.mark.usefixtures("without_aeon")
def test_warping_without_aeon_is_left_out_with_a_line(sequences, capsys):
    assert nearest.nearest_neighbour(sequences, "x", "label", 10**9) == {}
    assert "aeon is not installed" in capsys.readouterr().err


def test_the_report_of_a_class_per_sequence(sequences, tmp_path):
    model = model_of(sequences, "class")
    report = classification.report(model, sequences, "label", evaluation())
    scored = score(model.network, sequences.sequences("test"), "label", evaluation())
    truth, predicted = scored.targets, scored.predictions.argmax(axis=1)
    averages = ("accuracy", "balanced_accuracy", "macro_f1")
    names = {f"{prefix}{name}" for prefix in ("test/", "best/val_", "best/train_") for name in ("loss", *averages)}
    occurring = {sequences.spec.targets["label"].classes[each] for each in truth}
    names |= {f"test/recall/{name}" for name in occurring}
    methods = {"majority"} | ({"dtw_1nn"} if find_spec("aeon") else set())
    assert set(report.metrics) == names | {f"baseline/{m}_{n}" for m in methods for n in averages}
    assert report.metrics["test/accuracy"] == (truth == predicted).mean()
    most = Counter(sequences.values("label", "train").tolist()).most_common(1)[0][0]
    assert report.metrics["baseline/majority_accuracy"] == (truth == most).mean()
    assert (report.measure, report.higher_is_better) == ("accuracy", True)
    assert set(report.comparison.baselines) == methods
    report.draw(tmp_path)
    assert (tmp_path / "confusion.png").stat().st_size > 5000
    assert (tmp_path / "recall.png").stat().st_size > 5000
    table = pd.read_csv(tmp_path / "recall.csv", index_col="class")
    assert set(table.index) == {"up", "down", "still"} and table["training"].is_monotonic_decreasing
    assert table["training"].to_dict() == dict(zip(sequences.spec.targets["label"].classes,
                                                   sequences.spec.targets["label"].counts, strict=True))
    for name, row in table.iterrows():
        own = truth == sequences.spec.targets["label"].classes.index(name)
        assert row["test"] == own.sum() and np.isnan(row["recall"]) == (name not in occurring)
        if name in occurring:
            assert row["recall"] == report.metrics[f"test/recall/{name}"] == (predicted[own] == truth[own]).mean()


def test_the_names_of_metrics_are_mlflows_and_as_many_as_classes():
    from mlflow.utils.validation import _validate_metric_name

    names = ["C++", "C##", "C", "a/b", "..", ".", " ", "é", "x" * 300, "x" * 301, "1.0", "1.0."]
    plain = plain_names(names)
    assert len(set(plain)) == len(names)
    for name in plain:
        _validate_metric_name(f"test/recall/{name}")
    assert plain_names(["standing", "1.5", "lie down"]) == ["standing", "1.5", "lie down"]


def test_the_card_says_what_probabilities_are_after_a_loss_that_weighs(sequences):
    plain, model = model_of(sequences, "class"), model_of(sequences, "class")
    head = model.config.heads["label"]
    loss = LOSSES.settings_of("logit_adjusted").model_validate({"kind": "logit_adjusted", "tau": 1.0})
    config = model.config.model_copy(update={"heads": {"label": head.model_copy(update={"loss": loss})}})
    model = dataclasses.replace(model, config=config)
    more, less = (classification.report(each, sequences, "label", evaluation()).prose.limits for each in (model, plain))
    assert more == (*less, loss.probabilities)


# -------------------------------------------------------------------------------------------------------- tags


def streamed(folder, fields, config) -> Prepared:
    count = len(next(iter(fields.values())))
    return written(folder, config, OneStream(fields, {"train": (0, count - 90), "validation": (count - 90, count - 60),
                                                      "test": (count - 60, count)}))


def test_by_symbol_predicts_the_most_frequent_class_of_each_symbol(tmp_path):
    text = "".join(DRAW.choice([*"abc"], 400))
    tags = np.array([("x" if each == "a" else "y") if DRAW.random() < 0.9 else "z" for each in text])
    made = streamed(tmp_path, {"text": text, "tag": tags}, table({"text": "tokens"}, {"tag": "tag"}))
    found = simple.by_symbol(made, "text", "tag", 3)
    mostly = {each: Counter(tags[:310][[c == each for c in text[:310]]]).most_common(1)[0][0] for each in "abc"}
    assert ["xyz"[each] for each in found] == [mostly[each] for each in text[-60:]]


def test_one_step_predicts_from_the_numbers_of_a_step_and_their_squares(tmp_path):
    """A circle: no straight line parts it."""
    x = DRAW.uniform(-2, 2, (600, 2))
    tags = np.where((x**2).sum(axis=1) < 2, "in", "out")
    made = streamed(tmp_path, {"x": x, "tag": tags}, npz("tag", "tag"))
    found = simple.one_step(made, "x", "tag", evaluation(train_tokens=10_000))
    truth = made.values("tag", "test")
    assert (found == truth).mean() > 0.9 > (truth == np.bincount(truth).argmax()).mean()
    again = simple.one_step(made, "x", "tag", evaluation(train_tokens=10_000))
    assert np.array_equal(found, again)


def test_one_step_reads_steps_from_all_of_a_long_training_split(tmp_path):
    """Its beginning may hold one class alone."""
    tags = np.array(["a"] * 300 + ["b"] * 300)
    x = DRAW.standard_normal((600, 1)) + 9 * (tags == "b")[:, None]
    made = streamed(tmp_path, {"x": x, "tag": tags}, npz("tag", "tag"))
    assert set(simple.one_step(made, "x", "tag", evaluation(train_tokens=50)).tolist()) == {1}


def test_one_step_predicts_the_only_class_that_it_reads(tmp_path):
    tags = np.array(["a"] * 509 + ["b"] * 91)
    made = streamed(tmp_path, {"x": DRAW.standard_normal((600, 1)), "tag": tags}, npz("tag", "tag"))
    assert set(simple.one_step(made, "x", "tag", evaluation(train_tokens=5)).tolist()) == {0}


def test_one_step_is_asked_about_steps_that_are_known_alone(tmp_path):
    x = DRAW.standard_normal((600, 1))
    tags = np.where(x[:, 0] > 0, "a", "b").astype(object)
    tags[::3], x[::7] = "", np.nan
    made = streamed(tmp_path, {"x": x, "tag": tags}, npz("tag", "tag").model_copy(update={"missing": "mask"}))
    found, known = simple.one_step(made, "x", "tag", evaluation(train_tokens=10_000)), made.known("tag", "test")
    assert len(found) == len(known) == 40 and (found == made.values("tag", "test")[known]).mean() > 0.8


@pytest.mark.parametrize("kind", ["text", "real"])
def test_the_report_of_a_class_per_step(tmp_path, kind):
    text, x = "".join(DRAW.choice([*"abc"], 400)), DRAW.standard_normal((400, 2))
    tags = np.array(["even" if each in "ab" else "odd" for each in text])
    fields = {"text": text, "tag": tags} if kind == "text" else {"x": x, "tag": tags}
    made = streamed(tmp_path, fields, table({"text": "tokens"}, {"tag": "tag"}) if kind == "text" else npz("tag", "tag"))
    report = classification.report(model_of(made, "tag", "cnn"), made, "tag", evaluation())
    method = "symbol" if kind == "text" else "one_step"
    assert set(report.comparison.baselines) == {"majority", method}
    if kind == "text":
        assert report.metrics["baseline/symbol_accuracy"] == report.metrics["baseline/symbol_macro_f1"] == 1


# --------------------------------------------------------------------------------------------------------- texts


def texts(words: dict[str, list[str]], count: int = 30) -> Items:
    pieces = [{"text": " ".join(DRAW.choice(known, 6)), "label": label} for label, known in words.items()
              for _ in range(count)]
    order = DRAW.permutation(len(pieces))
    return Items([pieces[each] for each in order], {"train": range(40), "validation": range(40, 50), "test": range(50, 60)})


def test_tfidf_separates_texts_by_their_words(tmp_path):
    made = written(tmp_path, table({"text": "tokens"}, {"label": "class"}),
                   texts({"music": ["song", "choir", "note", "the", "of"], "sea": ["wave", "salt", "ship", "the", "of"]}))
    found = simple.words(made, "text", "label", evaluation())["tfidf"]
    assert found.tolist() == made.values("label", "test").tolist()
    assert classification.baselines(made, "label", 2, evaluation())["tfidf"].tolist() == found.tolist()


def test_words_are_read_back_from_symbols_that_are_words(tmp_path):
    config = table({"text": "tokens"}, {"label": "class"}).model_copy(
        update={"tokenizer": word.Settings(kind="word", min_count=1, lowercase=True)})
    made = written(tmp_path, config, texts({"a": ["song", "the"], "b": ["wave", "of"]}))
    assert simple.words(made, "text", "label", evaluation())["tfidf"].tolist() == made.values("label", "test").tolist()


def test_texts_without_a_word_that_stands_twice_have_no_such_baseline(tmp_path, capsys):
    """As short texts in a script without spaces: every sentence is a word of its own."""
    pieces = [{"text": "".join(map(chr, DRAW.integers(0x4E00, 0x9FFF, 8))), "label": "ab"[each % 2]} for each in range(12)]
    made = written(tmp_path, table({"text": "tokens"}, {"label": "class"}), dealt(pieces))
    assert set(classification.baselines(made, "label", 2, evaluation())) == {"majority"}
    assert "left out" in capsys.readouterr().out
