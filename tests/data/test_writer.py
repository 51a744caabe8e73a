"""A prepared folder of every kind of target: what is written is what batches are cut from."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import refused
from tests.data.conftest import dealt, npz, table, written
from unroll.base.errors import UserError
from unroll.config.sources.mackey_glass import Settings as MackeyGlassData
from unroll.config.sources.pianoroll import Settings as PianorollData
from unroll.data import npy
from unroll.data.batches import ItemLayout, Layout, StreamLayout, all_batches
from unroll.data.categories import END
from unroll.data.codecs import NumberCodec
from unroll.data.frame import Frame
from unroll.data.source import SPLITS, Place
from unroll.data.spec import Counts, TargetSpec
from unroll.data.split_writer import SplitWriter
from unroll.data.store import Prepared
from unroll.data.windows import WindowLayout
from unroll.sources.common.memory import Items, OneStream
from unroll.sources.common.series import Series
from unroll.stages.prepare import known

DRAW = np.random.default_rng(0)


def layout(prepared: Prepared, split: Any) -> Layout:
    data = prepared.sequences(split)
    if data.frame is not None:
        return WindowLayout(data, 4, None)
    return StreamLayout(data, 3, 4) if data.bounds is None else ItemLayout(data, 3, None)


LENGTHS = [3, 5, 1, 4, 2, 6, 3, 2]
VECTORS = [5 + 2 * DRAW.standard_normal((length, 2)) for length in LENGTHS]


def seen(prepared: Prepared, split: Any) -> Iterator[tuple[int, np.ndarray, Any]]:
    """Each sequence's number, its input without padding, and its target."""
    for batch in all_batches(layout(prepared, split)):
        (given,), (target,) = batch.inputs.values(), batch.targets.values()
        for lane, item in enumerate(batch.items):
            if item >= 0:
                length = batch.lengths[lane]
                per = next(iter(prepared.spec.targets.values())).per
                yield int(item), given[:length, lane], target[:length, lane] if per == "step" else target[lane]


def first(split: str) -> int:
    return {"train": 0, "validation": 4, "test": 6}[split]


def test_a_class_a_sequence(tmp_path):
    names = ["dog", "cat", "dog", "cat", "cat", "dog", "dog", "cat"]
    source = dealt([{"x": each, "label": name} for each, name in zip(VECTORS, names, strict=True)])
    prepared = written(tmp_path, npz("label", "class"), source)
    rows = np.concatenate(VECTORS[:4])
    assert prepared.spec.targets["label"] == TargetSpec(kind="classes", per="sequence", size=2, classes=("cat", "dog"),
                                                               counts=(2, 2))
    assert prepared.spec.layout == "items" and prepared.spec.longest == 5
    assert prepared.spec.splits["train"] == Counts(sequences=4, steps=13)
    assert prepared.values("label", "train").dtype == np.uint8
    for split in SPLITS:
        found = {number: (given, target) for number, given, target in seen(prepared, split)}
        assert [["cat", "dog"][int(found[each][1])] for each in sorted(found)] == names[first(split):][: len(found)]
        for number, (given, _) in found.items():
            # scaled by what training is
            expected = (VECTORS[first(split) + number] - rows.mean(axis=0)) / rows.std(axis=0)
            np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)


def test_how_often_training_has_each_class_leaves_out_what_is_unknown(tmp_path):
    names = ["dog", "", "dog", "cat", "cat", "cat", "dog", "cat"]
    source = dealt([{"x": each, "label": name} for each, name in zip(VECTORS, names, strict=True)])
    assert written(tmp_path, npz("label", "class"), source).spec.targets["label"].counts == (1, 2)


def test_how_often_each_category_comes_next(tmp_path):
    """The end of an item is a class, too."""
    states = [["b", "a", "b"], ["c"], ["b", "b"], ["a"], ["a"], ["b"], ["b"], ["c"]]
    source = dealt([{"state": np.array(each)} for each in states])
    target = written(tmp_path, table({"state": "categories"}, {"state": "next"}), source).spec.targets["state"]
    assert dict(zip(target.classes, target.counts, strict=True)) == {"a": 2, "b": 4, "c": 1, "⟨end⟩": 4}


def test_an_empty_cell_is_no_category_that_comes_next(tmp_path):
    """It is read and left out of the loss as one that training never saw."""
    states = [["b", "", "a"], ["", "b"], ["b", "b"], ["a"], ["a"], ["b"], ["b", ""], ["z"]]
    source = dealt([{"state": np.array(each)} for each in states])
    prepared = written(tmp_path, table({"state": "categories"}, {"state": "next"}), source)
    assert prepared.spec.inputs["state"].categories == (("a", "b"),)
    assert prepared.spec.targets["state"].classes == ("a", "b", END) and prepared.spec.targets["state"].counts == (2, 4, 4)
    assert prepared.values("state", "train").tolist() == [[2], [0], [1], [3], [0], [2], [3], [2], [2], [3], [1], [3]]
    assert prepared.known("state", "test").tolist() == [0, 2, 4]
    for split, line in (("train", "10 of 12"), ("test", "3 of 5")):
        assert f"{line} known in {split}" in [*known(prepared, "state")]


def test_rows_that_end_items_are_not_counted_as_missing(tmp_path):
    states = [["b", "a"], ["b", "b", "a"], ["a"], ["b"], ["a"], ["b"], ["b"], ["a"]]
    source = dealt([{"state": np.array(each), "x": np.arange(len(each), dtype=float)} for each in states])
    inputs, targets = {"state": "categories", "x": "real"}, {"state": "next", "x": "next"}
    config = table(inputs, targets).model_copy(update={"missing": "mask"})
    assert [*known(written(tmp_path / "all", config, source), "x")] == []
    source = dealt([{"state": np.array(each), "x": np.where(np.arange(len(each)) == 1, np.nan, 0.5)} for each in states])
    assert [*known(written(tmp_path / "holes", config, source), "x")] == ["5 of 7 known in train"]


@pytest.mark.parametrize("scale", ["standard", "none"])
@pytest.mark.parametrize("kind", ["value", "values"])
def test_a_value_a_sequence_or_a_step(tmp_path, kind, scale):
    values = [DRAW.random(3) * 10 if kind == "value" else DRAW.random((length, 3)) * 10 for length in LENGTHS]
    source = dealt([{"x": each, "y": value} for each, value in zip(VECTORS, values, strict=True)])
    prepared = written(tmp_path, npz("y", kind, scale), source)
    described = prepared.spec.targets["y"]
    assert (described.kind, described.per, described.size) == (
        "reals", "sequence" if kind == "value" else "step", 3)
    rows = np.concatenate([np.atleast_2d(each) for each in values[:4]])
    mean, deviation = (rows.mean(axis=0), rows.std(axis=0)) if scale == "standard" else (0, 1)
    for split in SPLITS:
        for number, _, target in seen(prepared, split):
            np.testing.assert_allclose(target, (values[first(split) + number] - mean) / deviation, rtol=1e-4, atol=1e-5)


def test_one_number_may_come_without_brackets(tmp_path):
    source = dealt([{"x": each[:, 0], "y": float(number)} for number, each in enumerate(VECTORS)])
    prepared = written(tmp_path, npz("y", "value"), source)
    assert prepared.spec.inputs["x"].size == prepared.spec.targets["y"].size == 1
    assert prepared.values("x", "test").shape == (5, 1) and prepared.values("y", "test").tolist() == [[6], [7]]


def test_a_tag_a_step_of_text(tmp_path):
    """No end symbol: it would have no tag."""
    words = ["the", "cat", "ran", "a", "dog", "sat"]
    tags = {"the": "D", "a": "D", "cat": "N", "dog": "N", "ran": "V", "sat": "V"}
    source = dealt([{"text": word, "tag": np.array([tags[word]] * len(word))} for word in [*words, "cat", "the"]])
    prepared = written(tmp_path, table({"text": "tokens"}, {"tag": "tag"}), source)
    assert prepared.spec.splits["train"] == Counts(sequences=4, steps=10, characters=10, bytes=10)
    assert prepared.spec.inputs["text"].begin is None and prepared.tokenizer("text").end is None
    assert prepared.spec.targets["tag"].classes == ("D", "N", "V")
    assert prepared.spec.targets["tag"].counts == (4, 3, 3)      # the, a; cat; ran
    for number, given, target in seen(prepared, "train"):
        assert prepared.tokenizer("text").decode(given) == words[number]
        assert ["DNV"[each] for each in target] == [tags[words[number]]] * len(words[number])


def test_a_class_of_a_text(tmp_path):
    """Read as it stands, its end symbol too: nothing is predicted of it step by step."""
    texts = ["good", "bad", "so good", "very bad", "good", "bad", "good", "bad"]
    source = dealt([{"text": each, "label": "+" if "good" in each else "-"} for each in texts])
    prepared = written(tmp_path, table({"text": "tokens"}, {"label": "class"}), source)
    tokenizer = prepared.tokenizer("text")
    for number, given, target in seen(prepared, "train"):
        assert tokenizer.decode(given) == texts[number] and given[-1] == tokenizer.end
        assert "+-"[target] == ("+" if "good" in texts[number] else "-")


def test_labels_a_step(tmp_path):
    on = [DRAW.integers(0, 2, (length, 4)) for length in LENGTHS]
    source = dealt([{"x": each, "on": labels} for each, labels in zip(VECTORS, on, strict=True)])
    prepared = written(tmp_path, npz("on", "labels"), source)
    assert prepared.spec.targets["on"] == TargetSpec(kind="labels", per="step", size=4)
    for number, _, target in seen(prepared, "test"):
        assert target.dtype == np.float32 and target.tolist() == on[6 + number].tolist()


def test_the_next_labels_of_a_piano_roll(tmp_path):
    config = PianorollData(kind="pianoroll", url="https://a", sha256="0" * 64, licence="CC0", inputs={"x": "real"},
                           targets={"x": "next_labels"})
    rolls = [DRAW.integers(0, 2, (length, 88)).astype(np.uint8) for length in LENGTHS]
    prepared = written(tmp_path, config, dealt([{"x": roll} for roll in rolls]))
    assert prepared.spec.targets["x"] == TargetSpec(kind="labels", per="step", of="x", ahead=1, size=88)
    assert prepared.values("x", "train").dtype == np.uint8      # a bit of the size
    found = {number: (given, target) for number, given, target in seen(prepared, "train")}
    for number, (given, target) in found.items():
        assert given.tolist() == rolls[number][:-1].tolist() and target.tolist() == rolls[number][1:].tolist()
    assert len(found) == 4 and len(found[2][0]) == 0        # one step has no next one


def test_places_and_columns_are_kept(tmp_path):
    splits = {"train": range(5), "validation": [5], "test": [7, 6]}
    pieces = [{"x": each, "label": "ab"[number % 2]} for number, each in enumerate(VECTORS[:8])]
    source = Items(pieces, splits, [f"file {number}" for number in range(8)], {"x": ["p", "q"]})
    prepared = written(tmp_path, npz("label", "class"), source)
    assert prepared.places("test") == [Place("file 7", 0), Place("file 6", 0)]
    assert prepared.spec.inputs["x"].names == ("p", "q")
    unnamed = written(tmp_path / "unnamed", npz("label", "class"), Items(pieces, splits))
    assert unnamed.places("test") == [Place("1", 0), Place("2", 0)] and unnamed.spec.inputs["x"].names is None


def test_the_next_vector_of_a_stream(tmp_path):
    config = MackeyGlassData(kind="mackey_glass", tau=17.0, interval=1.0, steps=40, scale="standard",
                             inputs={"x": "real"}, targets={"x": "next"}, validation=0.25, test=0.25, seed=1)
    x = 3 + np.arange(40.0)[:, None] ** 2
    bounds = {"train": (0, 20), "validation": (20, 30), "test": (30, 40)}
    prepared = written(tmp_path, config, OneStream({"x": x}, bounds))
    assert prepared.spec.layout == "stream" and prepared.offsets("test") is None
    assert prepared.spec.targets["x"].scale == prepared.spec.inputs["x"].scale
    mean, deviation = x[:20].mean(), x[:20].std()
    for split, (start, stop) in bounds.items():
        pairs = []
        for batch in all_batches(layout(prepared, split)):
            known = ~np.isnan(batch.targets["x"][..., 0])
            pairs += zip(batch.inputs["x"][known][:, 0], batch.targets["x"][known][:, 0], strict=True)
        found = sorted(round(a * deviation + mean, 2) for a, _ in pairs), sorted(round(b * deviation + mean, 2) for _, b in pairs)
        assert found[0] == pytest.approx(x[start : stop - 1, 0], abs=0.01)
        assert found[1] == pytest.approx(x[start + 1 : stop, 0], abs=0.01)


@pytest.mark.parametrize("level", [0.0, 1e4, 1e8, -1.7e9])
def test_a_small_swing_of_a_large_level_keeps_its_digits(tmp_path, level):
    """As a time stamp has them: seven digits would be the level's alone."""
    x = [level + each for each in VECTORS]
    prepared = written(tmp_path, npz("y", "values"), dealt([{"x": each, "y": 2 * each} for each in x]))
    rows = np.concatenate(x[:4])
    assert prepared.values("x", "train").dtype == (np.float64 if abs(level) > 5000 else np.float32)
    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    data = prepared.sequences("train")
    for field in (data.inputs["x"], data.targets["y"]):
        np.testing.assert_allclose(field.at(np.arange(len(rows)), np.ones(len(rows), bool)), expected, rtol=0, atol=1e-3)


# ---------------------------------------------------------------------------------------------------------- windows

FORECAST = {"horizon": 3, "context": 4, "season": 2, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}


def windows(folder: Path, series: list[np.ndarray], **changes: Any) -> Prepared:
    config = table({"x": "real"}, {"x": "forecast"}, {**FORECAST, **changes})
    assert config.forecast is not None
    source = Series("x", series, [str(each) for each in range(len(series))], config.forecast, 0.25, 0.25)
    return written(folder, config, source)


def cuts(length: int) -> dict[str, tuple[int, int]]:
    return {"train": (0, length // 2), "validation": (length // 2, 3 * length // 4), "test": (3 * length // 4, length)}


@pytest.mark.parametrize("changes", [{}, {"season": 1}, {"horizon": 7}, {"context": 1}])
def test_no_target_of_a_window_is_in_another_split_and_none_is_left_out(tmp_path, changes):
    """Each step's value says which it is: a hundred for a series, one for a step."""
    series = [1 + np.arange(length, dtype=float)[:, None] + 100 * number for number, length in enumerate((48, 72))]
    prepared = windows(tmp_path, series, **changes)
    assert prepared.spec.forecast is not None
    horizon = prepared.spec.forecast.horizon
    for split in SPLITS:
        data = prepared.sequences(split)
        assert data.frame is not None and data.bounds is not None
        values = data.inputs["x"].values
        targets = [values[last : last + horizon, 0] for _, last in data.bounds]
        reads = [values[start:last, 0] for start, last in data.bounds]
        origins = set()
        for target, read in zip(targets, reads, strict=True):
            number, place = divmod(int(target[0] - 1), 100)
            start, stop = cuts((48, 72)[number])[split]
            assert start <= place and place + horizon <= stop
            # one unbroken stretch of one series
            assert (np.diff([*read, *target]) == 1).all()
            origins.add((number, place))
        # from every origin that leaves room for the horizon; of training, that also leaves room for a window
        before = data.frame.rows if split == "train" else 0
        assert origins == {(number, place) for number, length in enumerate((48, 72))
                           for start, stop in [cuts(length)[split]]
                           for place in range(start + before, stop - horizon + 1)}


def test_what_a_forecast_is_scaled_by_is_of_the_training_split_alone(tmp_path):
    draw = np.random.default_rng(1)
    quiet = draw.standard_normal((48, 1))
    loud = quiet.copy()
    loud[24:] *= 1000
    first, second = (windows(tmp_path / name, [each]) for name, each in (("a", quiet), ("b", loud)))
    assert first.spec.targets["x"].frame == second.spec.targets["x"].frame
    expected = Frame.fit(first.spec.forecast, [quiet[:24]])
    np.testing.assert_allclose(first.spec.targets["x"].frame.correction.deviation,
                               expected.correction.deviation, rtol=1e-6)


def test_windows_of_a_large_level_keep_their_digits(tmp_path):
    series = np.random.default_rng(2).standard_normal((60, 1))
    (low, high) = (windows(tmp_path / name, [level + series]) for name, level in (("a", 0.0), ("b", 1e9)))
    batches = [layout(each, "test").batch(0) for each in (low, high)]
    for part in ("inputs", "targets"):
        first, second = (getattr(each, part)["x"] for each in batches)
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-3)


@pytest.mark.parametrize("log", [False, True])
def test_a_batch_of_windows_is_decoded_to_what_came(tmp_path, log):
    series = np.exp(np.random.default_rng(2).standard_normal((60, 2)))
    prepared = windows(tmp_path, [series], log=log)
    data = prepared.sequences("test")
    assert data.frame is not None and data.bounds is not None
    values = np.asarray(data.inputs["x"].values)
    count = 0
    for batch in all_batches(layout(prepared, "test")):
        for lane, item in enumerate(batch.items):
            if item >= 0:
                start, stop = data.bounds[item]
                decoded = data.frame.decode(values[start:stop, None], batch.targets["x"][lane : lane + 1])
                np.testing.assert_allclose(decoded[0], values[stop : stop + 3], rtol=1e-5)
                count += 1
    assert count == 15 - 3 + 1
    assert (prepared.spec.inputs["x"].size, prepared.spec.inputs["x"].width) == (4, 2)
    assert (prepared.spec.targets["x"].size, prepared.spec.longest) == (2, 4)


# --------------------------------------------------------------------------------------------------------- mistakes


def test_fields_of_unequal_length_are_named(tmp_path):
    pieces = [{"x": each, "y": np.zeros((len(each) + (number == 7), 1))} for number, each in enumerate(VECTORS)]
    with refused("unequal-lengths", "data, sequence 2 of the test split", "x 2, y 3."):
        written(tmp_path, npz("y", "values"), dealt(pieces))


def test_tags_that_merges_do_not_fit_are_answered_with_the_tokenizer_that_does(tmp_path):
    pieces = [{"text": "abc", "tag": np.array(["A", "B"])}] * 8
    with refused("unequal-lengths", "data, sequence 1 of the train split", "text 3, tag 2", "data/tokenizer=char"):
        written(tmp_path, table({"text": "tokens"}, {"tag": "tag"}), dealt(pieces))


def test_tokens_need_a_tokenizer(tmp_path):
    pieces = [{"text": "abc", "label": "ab"[number % 2]} for number in range(8)]
    with refused("missing-value", "data.tokenizer", "data/tokenizer=char"):
        config = table({"text": "tokens"}, {"label": "class"}).model_copy(update={"tokenizer": None})
        written(tmp_path, config, dealt(pieces))


@pytest.mark.parametrize(("place", "named"), [(5, "2 of the validation"), (3, "4 of the train")])
def test_an_empty_sequence_is_named(tmp_path, place, named):
    pieces = [{"x": each, "label": "ab"[number % 2]} for number, each in enumerate(VECTORS)]
    pieces[place]["x"] = np.zeros((0, 2))
    with refused("empty", f"data, sequence {named} split"):
        written(tmp_path, npz("label", "class"), dealt(pieces))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("value", "code", "shown"), [
    (np.nan, "missing-number", "nan"), (np.inf, "bad-number", "inf"), (-1e300, "bad-number", "-1e+300"),
])
def test_a_bad_number_is_named_by_its_place(tmp_path, value, code, shown, split):
    pieces = [{"x": each.copy(), "label": "ab"[number % 2]} for number, each in enumerate(VECTORS)]
    number = {"train": 1, "test": 0}[split]
    pieces[first(split) + number]["x"][2, 1] = value
    with refused(code, f"data.x, sequence {number + 1} of the {split} split, step 3, number 2", shown):
        written(tmp_path, npz("label", "class"), dealt(pieces))


@pytest.mark.parametrize("number", [2, 7])
def test_a_sequence_of_another_width_is_named(tmp_path, number):
    pieces = [{"x": each, "label": "ab"[index % 2]} for index, each in enumerate(VECTORS)]
    pieces[number]["x"] = np.zeros((3, 5))
    split, at = ("train", 3) if number == 2 else ("test", 2)
    with refused("unequal-lengths", f"data.x, sequence {at} of the {split} split", "5 numbers per step where others have 2"):
        written(tmp_path, npz("label", "class"), dealt(pieces))


def test_one_class_alone_is_refused(tmp_path):
    with refused("too-short", "data.targets.label", "['a']"):
        written(tmp_path, npz("label", "class"), dealt([{"x": each, "label": "a"} for each in VECTORS]))


def test_a_class_that_training_lacks_is_named_with_its_sequence(tmp_path):
    labels = ["a", "b", "a", "b", "a", "b", "a", "c"]
    pieces = [{"x": each, "label": label} for each, label in zip(VECTORS, labels, strict=True)]
    with refused("unknown-class", "data.label, sequence 2 of the test split", "'c'"):
        written(tmp_path, npz("label", "class"), dealt(pieces))


@pytest.mark.parametrize(("target", "kind"), [("x", "next_labels"), ("on", "labels")])
def test_labels_are_zeros_and_ones(tmp_path, target, kind):
    pieces = [{"x": np.full((3, 2), 2)} if target == "x" else {"x": np.zeros((3, 2)), "on": np.full((3, 2), 2)}] * 8
    with refused("bad-label", f"data.{target}, sequence 1 of the train split, step 1, number 1", "2 where a label is"):
        written(tmp_path, npz(target, kind), dealt(pieces))


@pytest.mark.parametrize("place", [5, 55])
def test_a_series_without_a_logarithm_is_refused_whatever_its_split(tmp_path, place):
    series = np.ones((60, 1))
    series[place] = 0
    with pytest.raises(UserError) as caught:
        windows(tmp_path, [series], log=True)
    assert caught.value.code == "bad-number" and "data.forecast.log=false" in caught.value.text
    assert ("train" if place == 5 else "test") in caught.value.where


def test_values_that_are_known_in_part_are_not_copied_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "STRETCH", 1 << 12)
    values = DRAW.standard_normal((200_000, 4))
    values[::7] = np.nan
    codec = NumberCodec(partial=True).fit("none", [("here", values)])
    with SplitWriter(tmp_path, dealt([{"y": values}] * 5), "test", {"y": codec}, (), ()) as writer:
        tracemalloc.start()
        writer.add({"y": values})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < values.nbytes
    np.testing.assert_array_equal(np.load(tmp_path / "test" / "y" / "values.npy"), np.nan_to_num(values).astype(np.float32))
