"""Every symbol is predicted once, from what stands before it, however the batches are cut and dealt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.data.batches import IGNORED, Batch, ItemLayout, StreamLayout, all_batches

BEGIN = 99
SHAPES = [(1, 1, 1), (12, 3, 2), (13, 3, 2), (13, 4, 100), (100, 8, 7), (7, 8, 3), (97, 5, 16)]     # N, lanes, steps

shapes = pytest.mark.parametrize("length, lanes, steps", SHAPES)


def stream(length: int, lanes: int, steps: int, warmup: int = 0) -> StreamLayout:
    return StreamLayout(np.arange(length, dtype=np.uint16) + 100, BEGIN, lanes, steps, warmup)


def joined(batches: list[Batch]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([each.inputs for each in batches]), np.concatenate([each.targets for each in batches])


def test_the_picture_of_the_docstring():
    layout = StreamLayout(np.arange(1, 17, dtype=np.uint8), 0, lanes=2, steps=3)     # a … p as 1 … 16
    first, second, third = all_batches(layout)
    assert first.inputs.T.tolist() == [[0, 1, 2], [8, 9, 10]]
    assert first.targets.T.tolist() == [[1, 2, 3], [9, 10, 11]]
    assert second.targets.T.tolist() == [[4, 5, 6], [12, 13, 14]]
    assert third.targets.T.tolist() == [[7, 8], [15, 16]]


@shapes
def test_lane_after_lane_the_targets_are_the_stream(length, lanes, steps):
    _, targets = joined(list(all_batches(stream(length, lanes, steps))))
    read = targets.T.ravel()
    assert read[read != IGNORED].tolist() == [*range(100, 100 + length)]


@shapes
def test_every_symbol_is_predicted_from_the_one_before_it(length, lanes, steps):
    inputs, targets = joined(list(all_batches(stream(length, lanes, steps))))
    assert inputs[0, 0] == BEGIN
    counts = targets != IGNORED
    counts[0, 0] = False
    assert (inputs[counts] == targets[counts] - 1).all()
    assert (inputs[1:] == targets[:-1])[counts[1:]].all()


@shapes
def test_a_batch_has_no_more_steps_than_asked_for(length, lanes, steps):
    batches = list(all_batches(stream(length, lanes, steps)))
    assert [len(each.targets) for each in batches[:-1]] == [steps] * (len(batches) - 1)
    assert 1 <= len(batches[-1].targets) <= steps
    assert {each.inputs.shape[1] for each in batches} == {lanes}


@shapes
def test_the_state_is_fresh_at_the_start_of_the_stream_alone(length, lanes, steps):
    assert [each.fresh for each in all_batches(stream(length, lanes, steps))].index(True) == 0
    assert sum(each.fresh for each in all_batches(stream(length, lanes, steps))) == 1


@shapes
@pytest.mark.parametrize("warmup", [0, 1, 5, 40])
def test_with_a_warm_up_every_symbol_is_scored_once(length, lanes, steps, warmup):
    _, targets = joined(list(all_batches(stream(length, lanes, steps, warmup))))
    read = targets.T.ravel()
    assert read[read != IGNORED].tolist() == [*range(100, 100 + length)]
    assert (targets[:warmup] == IGNORED).all()


@pytest.mark.parametrize("warmup", [1, 5, 40])
def test_a_warm_up_reads_what_stands_before_the_lane(warmup):
    inputs, _ = joined(list(all_batches(stream(100, 4, 7, warmup))))
    for lane in range(4):
        # what is read up to the lane's first target ends with the symbol before it
        before = [*[BEGIN] * (warmup + 1), *range(100, 100 + 25 * lane)][-(warmup + 1):]
        assert inputs[: warmup + 1, lane].tolist() == before


@pytest.mark.parametrize("length, lanes, steps", [(100, 8, 7), (7, 8, 3), (97, 4, 16)])
@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("warmup", [0, 3])
def test_the_lanes_dealt_over_ranks_are_the_whole_batch(length, lanes, steps, ranks, warmup):
    layout = stream(length, lanes, steps, warmup)
    for index, whole in enumerate(all_batches(layout)):
        dealt(whole, [layout.batch(index, 0, rank, ranks) for rank in range(ranks)])


def dealt(whole: Batch, parts: list[Batch]) -> None:
    assert np.array_equal(np.concatenate([part.inputs for part in parts], axis=1), whole.inputs)
    assert np.array_equal(np.concatenate([part.targets for part in parts], axis=1), whole.targets)
    assert {(part.fresh, part.valid) for part in parts} == {(whole.fresh, whole.valid)}
    widths = np.cumsum([0, *(part.inputs.shape[1] for part in parts)])
    assert [part.lanes for part in parts] == [(first, whole.inputs.shape[1]) for first in widths[:-1]]


@settings(max_examples=100, deadline=None)
@given(length=st.integers(1, 60), lanes=st.integers(1, 9), steps=st.integers(1, 12), warmup=st.integers(0, 12))
def test_the_targets_that_count_are_known_before_the_batch_is_made(length, lanes, steps, warmup):
    layout = stream(length, lanes, steps, warmup)
    for index, batch in enumerate(all_batches(layout)):
        assert batch.valid == layout.count_valid(index) == (batch.targets != IGNORED).sum()
    assert sum(map(layout.count_valid, range(len(layout)))) == length


def test_every_epoch_reads_a_stream_alike():
    assert np.array_equal(stream(50, 4, 5).batch(1, epoch=0).inputs, stream(50, 4, 5).batch(1, epoch=3).inputs)


# ---------------------------------------------------------------------------------------------------- short items

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2]


def items(size: int = 4, seed: int = 1, longest: int | None = None, lengths: list[int] = LENGTHS) -> ItemLayout:
    """Item i is i * 100 + 0, 1, 2, …"""
    tokens = np.concatenate([100 * number + np.arange(length) for number, length in enumerate(lengths)])
    return ItemLayout(tokens.astype(np.uint16), np.cumsum([0, *lengths]), BEGIN, size, seed, longest)


def batches(layout: ItemLayout, epoch: int = 0) -> list[Batch]:
    return [layout.batch(index, epoch) for index in range(len(layout))]


def rows(batch: Batch) -> list[list[int]]:
    """The items of a batch, without their padding."""
    return [[int(each) for each in lane if each != IGNORED] for lane in batch.targets.T if lane[0] != IGNORED]


def order(layout: ItemLayout, epoch: int = 0) -> list[list[int]]:
    return [[row[0] // 100 for row in rows(batch)] for batch in batches(layout, epoch)]


@pytest.mark.parametrize("size", [1, 4, 22, 50])
@pytest.mark.parametrize("epoch", [0, 1])
def test_every_item_is_read_once_an_epoch_and_whole(size, epoch):
    read = [row for batch in batches(items(size), epoch) for row in rows(batch)]
    assert sorted(read) == [[100 * number + each for each in range(length)] for number, length in enumerate(LENGTHS)]


def test_an_item_starts_from_begin_and_is_predicted_step_by_step():
    for batch in batches(items()):
        assert (batch.inputs[0] == BEGIN).all()
        counts = batch.targets[1:] != IGNORED
        assert (batch.inputs[1:] == batch.targets[:-1])[counts].all()


def test_what_pads_a_batch_is_a_symbol_that_does_not_count():
    for batch in batches(items()):
        assert batch.inputs.shape == batch.targets.shape
        assert batch.inputs.min() >= 0
        ends = (batch.targets != IGNORED).sum(axis=0)
        assert all((lane[end:] == IGNORED).all() for lane, end in zip(batch.targets.T, ends, strict=True))
        assert len(batch.targets) == ends.max()


def test_every_batch_of_items_starts_from_a_fresh_state():
    assert all(batch.fresh for batch in batches(items()))


def test_the_order_depends_on_seed_and_epoch_alone():
    assert order(items(), 0) == order(items(), 0)
    layout = items()
    later = order(layout, 1)
    assert order(layout, 0) == order(items(), 0)
    assert order(items(), 1) == later
    assert len({str(each) for each in (order(items(), 0), later, order(items(seed=2), 0))}) == 3


def test_a_negative_seed_is_a_seed():
    assert order(items(seed=-1)) == order(items(seed=-1)) != order(items(seed=1))


def test_neighbours_in_length_share_a_batch():
    for batch in order(items()):
        lengths = sorted(LENGTHS[item] for item in batch)
        assert not [each for item, each in enumerate(LENGTHS) if item not in batch and lengths[0] < each < lengths[-1]]


def test_items_of_one_length_meet_others_every_epoch():
    layout = items(lengths=[5] * 40)
    assert {frozenset(batch) for batch in order(layout, 0)} != {frozenset(batch) for batch in order(layout, 1)}


def test_batches_are_not_read_from_short_to_long():
    lengths = [max(LENGTHS[item] for item in batch) for batch in order(items(size=2))]
    assert lengths != sorted(lengths)


def test_an_item_is_cut_at_the_longest_that_is_asked_for():
    layout = items(longest=4)
    read = sorted(row for batch in batches(layout) for row in rows(batch))
    assert [len(row) for row in read] == [min(length, 4) for length in LENGTHS]
    assert all(row == [row[0] + each for each in range(len(row))] for row in read)


def test_the_last_batch_holds_the_rest():
    sizes = sorted(len(batch) for batch in order(items()))
    assert sizes == [2, 4, 4, 4, 4, 4]
    assert {batch.inputs.shape[1] for batch in batches(items())} == {4}


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_items_dealt_over_ranks_are_the_whole_batch(ranks):
    layout = items(longest=6)
    for epoch in (0, 1):
        for index, whole in enumerate(batches(layout, epoch)):
            dealt(whole, [layout.batch(index, epoch, rank, ranks) for rank in range(ranks)])


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20), size=st.integers(1, 7), epoch=st.integers(0, 3),
       longest=st.none() | st.integers(1, 9))
def test_the_targets_of_items_that_count_are_known_before_the_batch_is_made(lengths, size, epoch, longest):
    layout = items(size, longest=longest, lengths=lengths)
    for index, batch in enumerate(batches(layout, epoch)):
        assert batch.valid == layout.count_valid(index, epoch) == (batch.targets != IGNORED).sum()
