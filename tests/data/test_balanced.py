"""Batches in which classes are equally likely: what an epoch reads, whatever the seed, the epoch and the ranks."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.data.balanced import BalancedLayout
from unroll.data.batches import ItemLayout, all_batches
from unroll.data.fields import IGNORED, Field, Holes, Sequences

quick = settings(max_examples=60, deadline=None, derandomize=True)


def sequences(classes: list[int], lengths: list[int] | None = None) -> Sequences:
    """Each sequence's steps are its number; -1: its class is unknown."""
    lengths = [1 + number % 5 for number in range(len(classes))] if lengths is None else lengths
    ends = np.cumsum(lengths)
    x = np.repeat(np.arange(len(classes)), lengths).astype(np.float32)[:, None]
    known = np.array(classes) >= 0
    label = Field(np.array(classes).clip(0), "sequence", IGNORED, np.int64, holes=None if known.all() else Holes.of(known))
    return Sequences({"x": Field(x, "step", 0, np.float32)}, {"label": label}, np.stack([ends - lengths, ends], axis=1))


def read(layout: ItemLayout, epoch: int) -> list[int]:
    return [item for at in range(len(layout)) for item in layout.batch(at, epoch).items.tolist() if item >= 0]


@quick
@given(st.lists(st.integers(-1, 3), min_size=1, max_size=60).filter(lambda classes: max(classes) >= 0),
       st.integers(1, 9), st.integers(0, 2**63 - 1), st.integers(0, 5))
def test_each_class_is_read_equally_often_and_its_sequences_are_too(classes, size, seed, epoch):
    layout = BalancedLayout(sequences(classes), size, seed, "label")
    found = read(layout, epoch)
    assert len(found) == len(classes) and len(layout) == -(-len(classes) // size)
    times = Counter(found)
    assert all(times[number] == 1 for number, own in enumerate(classes) if own < 0)
    counts = Counter(classes[item] for item in found if classes[item] >= 0)
    assert set(counts) == set(classes) - {-1} and max(counts.values()) - min(counts.values()) <= 1
    for name in counts:
        own = [times[number] for number, each in enumerate(classes) if each == name]
        assert max(own) - min(own) <= 1


def test_an_epoch_follows_from_seed_and_number_alone():
    classes = [0] * 40 + [1] * 6 + [2] * 2
    first, again, other = (BalancedLayout(sequences(classes), 8, seed, "label") for seed in (1, 1, 2))
    for epoch in (3, 0, 3):
        assert read(first, epoch) == read(again, epoch) != read(other, epoch)
    assert read(first, 0) != read(first, 1)
    seen = {item for epoch in range(12) for item in read(first, epoch)}
    assert seen == set(range(len(classes))), "over epochs a frequent class is read whole"


def test_repeats_do_not_fill_a_batch_and_classes_share_each():
    """Of two sequences of 400 steps among shorter ones, bucketing by length would put all repeats side by side."""
    layout = BalancedLayout(sequences([0] * 62 + [1] * 2, [1 + number % 9 for number in range(62)] + [400] * 2), 8, 1, "label")
    most = [Counter(batch.items.tolist()).most_common(1)[0][1] for batch in all_batches(layout)]
    rare = [int((batch.items >= 62).sum()) for batch in all_batches(layout)]
    assert max(most) <= 5 and 0 < min(rare) <= max(rare) < 8, (most, rare)


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_read_the_parts_of_one_batch_and_agree_on_counts(ranks):
    layout = BalancedLayout(sequences([0] * 25 + [-1] * 4 + [1] * 4), 8, 1, "label")
    for at in range(len(layout)):
        whole, parts = layout.batch(at, 2), [layout.batch(at, 2, rank, ranks) for rank in range(ranks)]
        np.testing.assert_array_equal(np.concatenate([part.items for part in parts]), whole.items)
        np.testing.assert_array_equal(np.concatenate([part.targets["label"] for part in parts]), whole.targets["label"])
        assert {part.counts["label"] for part in parts} == {(whole.targets["label"] >= 0).sum()}
        for lane, item in enumerate(whole.items):
            if item >= 0:
                assert whole.fresh and whole.inputs["x"][: whole.lengths[lane], lane, 0].tolist() == [item] * whole.lengths[lane]
