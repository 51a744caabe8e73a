"""Every target is predicted once, from what stands before it, however the batches are cut and dealt."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.data.batches import Batch, ItemLayout, Layout, StreamLayout, all_batches
from unroll.data.encoders import Scaler
from unroll.data.fields import IGNORED, Field, Sequences
from unroll.data.frame import Frame
from unroll.data.spec import ForecastSpec
from unroll.data.windows import WindowLayout

BEGIN = 99
SHAPES = [(1, 1, 1), (12, 3, 2), (13, 3, 2), (13, 4, 100), (100, 8, 7), (7, 8, 3), (97, 5, 16)]     # N, lanes, steps

shapes = pytest.mark.parametrize("length, lanes, steps", SHAPES)


def text(tokens: np.ndarray, bounds: np.ndarray | None = None, begin: int = BEGIN) -> Sequences:
    """Symbols that are predicted from those before them, as a prepared folder has them."""
    read = Field(tokens, "step", begin, np.int64, ahead=-1)
    return Sequences({"text": read}, {"text": Field(tokens, "step", IGNORED, np.int64)}, bounds)


def bounds_of(lengths: list[int]) -> np.ndarray:
    ends = np.cumsum(lengths)
    return np.stack([ends - lengths, ends], axis=1)


def stream(length: int, lanes: int, steps: int, warmup: int = 0) -> StreamLayout:
    return StreamLayout(text(np.arange(length, dtype=np.uint16) + 100), lanes, steps, warmup)


def x(batch: Batch) -> np.ndarray:
    return batch.inputs["text"]


def y(batch: Batch) -> np.ndarray:
    return batch.targets["text"]


def joined(batches: list[Batch]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([x(each) for each in batches]), np.concatenate([y(each) for each in batches])


def test_the_picture_of_the_docstring():
    """a … q as 1 … 17: the last step of the last lane is padding."""
    layout = StreamLayout(text(np.arange(1, 18, dtype=np.uint8), begin=0), lanes=2, steps=3)
    first, second, third = all_batches(layout)
    assert x(first).T.tolist() == [[0, 1, 2], [9, 10, 11]]
    assert y(first).T.tolist() == [[1, 2, 3], [10, 11, 12]]
    assert y(second).T.tolist() == [[4, 5, 6], [13, 14, 15]]
    assert y(third).T.tolist() == [[7, 8, 9], [16, 17, IGNORED]]
    assert [each.items.tolist() for each in (first, second, third)] == [[0, 9]] * 3


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
    assert [len(y(each)) for each in batches[:-1]] == [steps] * (len(batches) - 1)
    assert 1 <= len(y(batches[-1])) <= steps
    assert {x(each).shape[1] for each in batches} == {lanes}


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


def dealt(whole: Batch, parts: list[Batch], per: str = "step") -> None:
    """The ranks' lanes are disjoint, and together they are the batch."""
    for fields in ("inputs", "targets"):
        for name, each in getattr(whole, fields).items():
            # a target of a whole sequence has no time axis before its lanes
            axis = int(fields == "inputs" or per == "step")
            found = np.concatenate([getattr(part, fields)[name] for part in parts], axis=axis)
            np.testing.assert_array_equal(found, each)
    for name in ("lengths", "items"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
    assert {(part.fresh, part.valid) for part in parts} == {(whole.fresh, whole.valid)}
    widths = np.cumsum([0, *(len(part.lengths) for part in parts)])
    assert [part.lanes for part in parts] == [(first, len(whole.lengths)) for first in widths[:-1]]


@settings(max_examples=100, deadline=None)
@given(length=st.integers(1, 60), lanes=st.integers(1, 9), steps=st.integers(1, 12), warmup=st.integers(0, 12))
def test_the_targets_that_count_are_known_before_the_batch_is_made(length, lanes, steps, warmup):
    layout = stream(length, lanes, steps, warmup)
    for index, batch in enumerate(all_batches(layout)):
        assert batch.valid == sum(layout.counts(index).values()) == (y(batch) != IGNORED).sum()
    assert sum(sum(layout.counts(index).values()) for index in range(len(layout))) == length


def test_every_epoch_reads_a_stream_alike():
    assert np.array_equal(x(stream(50, 4, 5).batch(1, epoch=0)), x(stream(50, 4, 5).batch(1, epoch=3)))


# ---------------------------------------------------------------------------------------------------- short items

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2]


def items(size: int = 4, seed: int | None = 1, longest: int | None = None, lengths: list[int] = LENGTHS) -> ItemLayout:
    """Item i is i * 100 + 0, 1, 2, …"""
    tokens = np.concatenate([100 * number + np.arange(length) for number, length in enumerate(lengths)])
    return ItemLayout(text(tokens.astype(np.uint16), bounds_of(lengths)), size, seed, longest)


def batches(layout: Layout, epoch: int = 0) -> list[Batch]:
    return [layout.batch(index, epoch) for index in range(len(layout))]


def rows(batch: Batch) -> list[list[int]]:
    """The items of a batch, without their padding."""
    return [[int(each) for each in lane if each != IGNORED] for lane in y(batch).T if lane[0] != IGNORED]


def order(layout: ItemLayout, epoch: int = 0) -> list[list[int]]:
    return [[row[0] // 100 for row in rows(batch)] for batch in batches(layout, epoch)]


@pytest.mark.parametrize("size", [1, 4, 22, 50])
@pytest.mark.parametrize("epoch", [0, 1])
def test_every_item_is_read_once_an_epoch_and_whole(size, epoch):
    read = [row for batch in batches(items(size), epoch) for row in rows(batch)]
    assert sorted(read) == [[100 * number + each for each in range(length)] for number, length in enumerate(LENGTHS)]


def test_an_item_starts_from_begin_and_is_predicted_step_by_step():
    for batch in batches(items()):
        assert (x(batch)[0] == BEGIN).all()
        counts = y(batch)[1:] != IGNORED
        assert (x(batch)[1:] == y(batch)[:-1])[counts].all()


def test_what_pads_a_batch_is_a_symbol_that_does_not_count():
    for batch in batches(items()):
        assert x(batch).shape == y(batch).shape
        assert x(batch).min() >= 0
        ends = (y(batch) != IGNORED).sum(axis=0)
        assert all((lane[end:] == IGNORED).all() for lane, end in zip(y(batch).T, ends, strict=True))
        assert len(y(batch)) == ends.max()
        assert batch.lengths.tolist() == ends.tolist()


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


@pytest.mark.parametrize("seed", [None, 1])
def test_an_item_is_read_some_steps_at_a_time_to_its_end(seed):
    layout = items(longest=4, seed=seed)
    for epoch in (0, 1):
        read, lanes = [], {}
        assert layout.batch(0, epoch).fresh
        for index in range(len(layout)):
            batch = layout.batch(index, epoch)
            if batch.fresh:
                read += lanes.values()
                lanes = {}
            assert y(batch).shape[0] <= 4
            for lane, column in enumerate(y(batch).T):
                lanes[lane] = lanes.get(lane, []) + [int(each) for each in column if each != IGNORED]
        read = sorted(row for row in [*read, *lanes.values()] if row)
        assert [len(row) for row in read] == LENGTHS
        assert all(row == [row[0] + each for each in range(len(row))] for row in read)


def test_the_last_batch_holds_the_rest():
    sizes = sorted(len(batch) for batch in order(items()))
    assert sizes == [2, 4, 4, 4, 4, 4]
    assert {x(batch).shape[1] for batch in batches(items())} == {4}


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
        assert batch.valid == sum(layout.counts(index, epoch).values()) == (y(batch) != IGNORED).sum()


def test_without_a_seed_items_come_in_order_of_their_length_in_every_epoch():
    read = order(items(seed=None))
    assert [LENGTHS[item] for batch in read for item in batch] == sorted(LENGTHS)
    assert read == order(items(seed=None), 5)
    # of equal length, in the data's own order
    assert [item for batch in read for item in batch if LENGTHS[item] == 3] == [0, 9, 15, 17]


def test_an_empty_lane_holds_nothing_and_does_not_count():
    *_, last = sorted(batches(items()), key=lambda batch: -(batch.items >= 0).sum())
    empty = last.items < 0
    assert empty.tolist() == [False, False, True, True]
    assert (last.lengths[empty] == 0).all() and (y(last)[:, empty] == IGNORED).all() and (x(last)[:, empty] == BEGIN).all()
    assert last.valid == last.lengths.sum() == (y(last) != IGNORED).sum()


def test_a_lane_says_which_sequence_it_holds():
    for batch in batches(items()):
        assert [row[0] // 100 for row in rows(batch)] == [item for item in batch.items if item >= 0]


def test_padding_is_the_share_of_steps_that_are_none():
    assert items(size=2, seed=None, lengths=[1, 2, 4, 4, 7]).padding() == pytest.approx(1 - 18 / (4 + 8 + 7))
    assert items(size=5, seed=None, lengths=[3] * 9).padding() == 0


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=60), size=st.integers(1, 9))
def test_bucketing_never_pads_more_than_an_order_by_chance(lengths, size):
    lengths = lengths + lengths[:1] * (-len(lengths) % size)        # the last batch is a whole one
    parts = np.random.default_rng(0).permutation(lengths).reshape(-1, size)
    by_chance = 1 - sum(lengths) / sum(len(part) * part.max() for part in parts)
    assert items(size=size, lengths=lengths).padding() <= by_chance + 1e-9


# ------------------------------------------------------------------------------------------------- real-valued steps


def reals(steps: int, bounds: np.ndarray | None = None, ahead: int = 1) -> Sequences:
    """Two numbers a step, (10 t, 10 t + 1), halved when shown; the target is the step `ahead`."""
    values = np.stack([10.0 * np.arange(steps), 10.0 * np.arange(steps) + 1], axis=1).astype(np.float32)

    def halved(given: np.ndarray) -> np.ndarray:
        return given / 2

    read = Field(values, "step", 0, np.float32, show=halved)
    return Sequences({"x": read}, {"x": Field(values, "step", np.nan, np.float32, ahead, halved)}, bounds)


@shapes
@pytest.mark.parametrize("warmup", [0, 5])
def test_every_next_vector_of_a_stream_is_predicted_once_from_the_one_before_it(length, lanes, steps, warmup):
    """The last step has none to be predicted."""
    made = list(all_batches(StreamLayout(reals(length + 1), lanes, steps, warmup)))
    given, target = (np.concatenate([getattr(each, part)["x"] for each in made]) for part in ("inputs", "targets"))
    counts = ~np.isnan(target).any(axis=-1)
    assert counts.sum() == length == sum(each.valid for each in made)
    assert target.dtype == given.dtype == np.float32
    assert target.swapaxes(0, 1)[counts.T][:, 0].tolist() == [5.0 * step for step in range(1, length + 1)]
    assert (given[counts] == target[counts] - 5).all()
    assert not counts[:warmup].any()


def test_a_step_that_is_not_there_is_read_as_zero():
    last = list(all_batches(StreamLayout(reals(7), 4, 2)))[-1]          # six targets in four lanes of two
    assert (last.inputs["x"][:, 3] == 0).all() and np.isnan(last.targets["x"][:, 3]).all()


def test_the_next_vector_of_items_is_in_their_own_sequence():
    lengths = [4, 1, 3]
    own = bounds_of(lengths) - [0, 1]           # the last step of a sequence has no next one to predict
    layout = ItemLayout(reals(8, own), 2, None)
    seen = {}
    for batch in all_batches(layout):
        for lane, item in enumerate(batch.items):
            length = batch.lengths[lane]
            seen[int(item)] = (batch.inputs["x"][:length, lane, 0] / 5).tolist(), \
                (batch.targets["x"][:length, lane, 0] / 5).tolist()
            assert np.isnan(batch.targets["x"][length:, lane]).all()
    assert seen[0] == ([0, 1, 2], [1, 2, 3]) and seen[1] == ([], []) and seen[2] == ([5, 6], [6, 7])
    assert sum(each.valid for each in all_batches(layout)) == 5


def test_a_batch_of_sequences_that_have_no_next_step_can_still_be_read():
    """One step of padding: no kernel takes none."""
    layout = ItemLayout(reals(3, bounds_of([1, 1, 1]) - [0, 1]), 2, None)
    for batch in all_batches(layout):
        assert batch.inputs["x"].shape == (1, 2, 2) and not batch.inputs["x"].any()
        assert np.isnan(batch.targets["x"]).all() and not batch.lengths.any() and batch.valid == 0
    assert layout.padding() == 1


# ------------------------------------------------------------------------------- tags, classes and values of sequences


def tagged(bounds: np.ndarray | None) -> Sequences:
    values = np.arange(30, dtype=np.uint8)
    return Sequences({"text": Field(values, "step", 0, np.int64)},
                     {"tag": Field(values % 4, "step", IGNORED, np.int64)}, bounds)


@pytest.mark.parametrize("bounds", [None, bounds_of([5, 9, 1, 15])], ids=["stream", "items"])
def test_a_tag_stands_at_its_own_step(bounds):
    layout = StreamLayout(tagged(None), 4, 3) if bounds is None else ItemLayout(tagged(bounds), 3, 1)
    count = 0
    for batch in all_batches(layout):
        counts = batch.targets["tag"] != IGNORED
        assert (batch.targets["tag"] == batch.inputs["text"] % 4)[counts].all()
        count += counts.sum()
    assert count == 30


def whole(lengths: list[int]) -> Sequences:
    """A class and two numbers a sequence."""
    count = len(lengths)
    return Sequences(
        {"x": Field(np.arange(sum(lengths), dtype=np.float32)[:, None], "step", 0, np.float32)},
        {"label": Field(np.arange(count, dtype=np.uint8), "sequence", IGNORED, np.int64),
         "y": Field(np.arange(2.0 * count, dtype=np.float32).reshape(count, 2), "sequence", np.nan, np.float32)},
        bounds_of(lengths),
    )


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_sequence_has_one_target_of_each_kind(ranks):
    layout = ItemLayout(whole(LENGTHS), 4, 1)
    seen = []
    for index, batch in enumerate(batches(layout)):
        parts = [layout.batch(index, 0, rank, ranks) for rank in range(ranks)]
        dealt(batch, parts, "sequence")
        assert batch.targets["label"].shape == (4,) and batch.targets["y"].shape == (4, 2)
        count = (batch.targets["label"] != IGNORED).sum()
        assert batch.counts == layout.counts(index) == {"label": count, "y": count}
        for part in parts:
            held = part.items >= 0
            assert part.targets["label"][held].tolist() == part.items[held].tolist()
            assert part.targets["y"][held, 0].tolist() == (2 * part.items[held]).tolist()
            assert (part.targets["label"][~held] == IGNORED).all() and np.isnan(part.targets["y"][~held]).all()
            seen += part.items[held].tolist()
    assert sorted(seen) == [*range(len(LENGTHS))]


def test_only_some_of_the_sequences_are_those_and_no_others():
    given = whole(LENGTHS).only(slice(5, 9))
    assert len(given) == 4 and given.lengths.tolist() == LENGTHS[5:9]
    batch = ItemLayout(given, 4, None).batch(0)
    assert sorted(batch.targets["label"].tolist()) == [5, 6, 7, 8]
    for lane, item in enumerate(batch.items):
        first = sum(LENGTHS[: 5 + item])
        length = batch.lengths[lane]
        assert batch.inputs["x"][:length, lane, 0].tolist() == [*range(first, first + length)]
    assert [*range(0, 22, 3)] == sorted(
        int(each) for batch in all_batches(ItemLayout(whole(LENGTHS).only(slice(None, None, 3)), 4, None))
        for each in batch.targets["label"] if each >= 0)


def test_only_a_stretch_of_a_stream_is_that_stretch():
    given = text(np.arange(50)).only(slice(0, 20))
    assert len(given) == 20
    _, targets = joined(list(all_batches(StreamLayout(given, 3, 4))))
    assert targets.T[targets.T >= 0].tolist() == [*range(20)]
    assert len(reals(50).only(slice(0, 20))) == 19


# ----------------------------------------------------------------------------------------------------- windows

CONFIG = ForecastSpec(horizon=3, context=5, season=2, log=False, stride=1)
ONES = Scaler(np.zeros(2), np.ones(2))
FRAME = Frame(CONFIG, Scaler(np.zeros(4), np.ones(4)), ONES)


def windows(series: list[int], stride: int = 1) -> Sequences:
    """Series of the given lengths, two numbers a step: 1000 · series + the square of the step, and minus that."""
    parts = [1000 * number + np.arange(length) ** 2 for number, length in enumerate(series)]
    values = np.concatenate(parts).astype(np.float32)
    ends = np.cumsum([0, *series])
    starts = np.concatenate([np.arange(a, b - FRAME.rows - 3 + 1) for a, b in pairwise(ends)])[::stride]
    field = Field(np.stack([values, -values], axis=1), "step", 0, np.float32)
    return Sequences({"x": field}, {}, np.stack([starts, starts + FRAME.rows], axis=1), FRAME, None, "x")


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("ranks", [1, 2])
def test_every_window_is_read_once_and_what_follows_it_is_its_target(ranks, seed):
    given = windows([20, 11])
    layout = WindowLayout(given, 4, seed)
    values = given.inputs["x"].values
    seen = []
    for index, batch in enumerate(batches(layout)):
        parts = [layout.batch(index, 0, rank, ranks) for rank in range(ranks)]
        dealt(batch, parts, "sequence")
        assert batch.fresh and batch.valid == sum(layout.counts(index).values()) == (batch.items >= 0).sum()
        assert batch.inputs["x"].shape == (5, 4, 4) and batch.targets["x"].shape == (4, 3, 2)
        for lane, item in enumerate(batch.items):
            target = batch.targets["x"][lane]
            if item < 0:
                assert np.isnan(target).all() and batch.lengths[lane] == 0
                continue
            assert batch.lengths[lane] == 5
            first, last = given.bounds[item]
            seen.append(item)
            # the value a season ago, then the same one again
            ago = np.array([last - 2, last - 1, last - 2])
            np.testing.assert_allclose(target, values[last : last + 3] - values[ago], rtol=1e-6)
            growth = values[first + 2 : last] - values[first : last - 2]
            np.testing.assert_allclose(batch.inputs["x"][:, lane, 2:], growth, rtol=1e-6)
    assert sorted(seen) == [*range(20 - 9 + 2)]


def test_the_length_of_windows_is_that_of_what_is_read_of_the_series():
    assert set(windows([20, 11]).lengths) == {FRAME.rows} == {7}


def test_windows_meet_others_in_another_epoch():
    layout = WindowLayout(windows([40]), 4, 1)
    assert layout.batch(0, 0).items.tolist() == layout.batch(0, 0).items.tolist() != layout.batch(0, 1).items.tolist()
