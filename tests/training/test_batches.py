"""What Lightning is handed: any rank's part of any batch of any epoch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.conftest import refused
from tests.data.conftest import dealt, npz, table, written
from tests.training.conftest import BATCHES, prepare, settings
from unroll.data.batches import ItemLayout, StreamLayout
from unroll.data.windows import WindowLayout
from unroll.sources.common.series import Series
from unroll.stages.train import unit_of
from unroll.training.batches import Batches, Step
from unroll.training.callbacks import Unit


def steps(prepared, epoch: int = 0, rank: int = 0, ranks: int = 1, split: str = "train", **changes) -> list[Step]:
    whole = any(target.per == "sequence" for target in prepared.spec.targets.values())
    batches = Batches(prepared, settings(**changes), workers=0, whole=whole)
    batches.trainer = SimpleNamespace(global_rank=rank, world_size=ranks, accelerator=None)
    loader = batches.train_dataloader() if split == "train" else batches.val_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


def count(targets: torch.Tensor) -> int:
    return int((targets >= 0).sum())


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("unit", ["stream", "lines"])
def test_every_symbol_is_a_target_once_an_epoch(unit, split, request):
    prepared = request.getfixturevalue(unit)
    made = steps(prepared, split=split)
    seen = torch.cat([step.targets["text"][step.targets["text"] >= 0] for step in made])
    assert sorted(seen.tolist()) == sorted(prepared.tokens("text", split).tolist())
    assert [step.valid for step in made] == [count(step.targets["text"]) for step in made]


@pytest.mark.parametrize("accumulate", [1, 3, 100])
@pytest.mark.parametrize("unit", ["stream", "lines"])
def test_a_loss_is_scaled_by_the_targets_of_its_whole_optimiser_step(unit, accumulate, request):
    made = steps(request.getfixturevalue(unit), accumulate=accumulate)
    for at in range(0, len(made), accumulate):
        group = made[at : at + accumulate]
        total = sum(count(step.targets["text"]) for step in group)
        assert [step.scales["text"] for step in group] == pytest.approx([1 / total] * len(group))


@pytest.mark.parametrize("unit", ["stream", "lines"])
def test_the_ranks_parts_are_the_whole_batch(unit, request):
    prepared = request.getfixturevalue(unit)
    whole = steps(prepared, accumulate=2)
    parts = [steps(prepared, rank=rank, ranks=4, accumulate=2) for rank in range(4)]
    for one, *several in zip(whole, *parts, strict=True):
        for fields in ("inputs", "targets"):
            joined = torch.cat([getattr(part, fields)["text"] for part in several], dim=1)
            assert torch.equal(joined, getattr(one, fields)["text"])
        assert all((part.scales, part.counts, part.fresh) == (one.scales, one.counts, one.fresh) for part in several)
        assert [tuple(part.lanes) for part in several] == [(0, 8), (2, 8), (4, 8), (6, 8)]


def test_a_stream_starts_afresh_once_and_lines_always(stream, lines):
    assert [step.fresh for step in steps(stream)] == [True] + [False] * (BATCHES - 1)
    assert all(step.fresh for step in steps(lines))


def test_lines_meet_others_in_another_epoch(lines, stream):
    first, again, second = (steps(lines, epoch=epoch)[0].targets["text"] for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert first.shape != second.shape or not torch.equal(first, second)
    assert torch.equal(steps(stream, epoch=0)[3].inputs["text"], steps(stream, epoch=1)[3].inputs["text"])


def test_the_unit_chooses_the_layout(stream, lines):
    for prepared, kind in ((stream, StreamLayout), (lines, ItemLayout)):
        batches = Batches(prepared, settings(), workers=0, whole=False)
        assert isinstance(batches.layout("train", 16), kind)
        assert batches.train_length == len(steps(prepared))


@pytest.mark.parametrize("bptt", [1, 5, 16, 1000])
def test_items_beyond_back_propagation_are_read_to_their_end(lines, bptt):
    """In consecutive batches of the same lanes, of which the first starts afresh."""
    made = steps(lines, bptt=bptt)
    assert max(len(step.targets["text"]) for step in made) <= bptt
    assert sum(step.valid for step in made) == len(lines.tokens("text", "train"))
    whole, chunked = steps(lines, bptt=1000), iter(made)
    for group in whole:
        parts = [next(chunked) for _ in range(-(-len(group.targets["text"]) // bptt))]
        assert [part.fresh for part in parts] == [True] + [False] * (len(parts) - 1)
        for fields in ("inputs", "targets"):
            joined = torch.cat([getattr(part, fields)["text"] for part in parts])
            assert torch.equal(joined, getattr(group, fields)["text"])
        assert torch.equal(sum(part.lengths for part in parts), group.lengths)
    assert next(chunked, None) is None


def test_a_text_with_less_than_two_symbols_a_lane_is_refused(tmp_path):
    prepared = prepare(tmp_path, "abcdefghij\n" * 10, "stream")
    length = len(prepared.tokens("text", "train"))
    Batches(prepared, settings(batch_size=length // 2), workers=0, whole=False)
    with refused("too-short", "train.batch_size", "96 steps", f"has {length}. "):
        Batches(prepared, settings(batch_size=48), workers=0, whole=False)


# ------------------------------------------------------------------------------------------------ other tasks

DRAW = np.random.default_rng(0)
LENGTHS = [9, 4, 12, 1, 7, 3, 11, 2, 6, 5, 8, 10, 3, 6]


def sequences(folder, kind: str):
    """Ten for training: a class each, or a value a step."""
    pieces = [{"x": DRAW.standard_normal((length, 2)), "y": "ab"[number % 2] if kind == "class" else DRAW.random((length, 1))}
              for number, length in enumerate(LENGTHS)]
    return written(folder, npz("y", kind), dealt(pieces))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_of_whole_sequences_each_counts_once_and_is_read_whole(tmp_path, accumulate):
    """Wherever back-propagation would end: its class is that of all of it."""
    prepared = sequences(tmp_path, "class")
    made = steps(prepared, bptt=3, batch_size=4, accumulate=accumulate)
    assert sorted(length for step in made for length in step.lengths.tolist() if length) == sorted(LENGTHS[:10])
    assert [step.valid for step in made] == [int((step.targets["y"] >= 0).sum()) for step in made]
    assert sum(step.valid for step in made) == 10 and all(step.fresh for step in made)
    for at in range(0, 3, accumulate):
        group = made[at : at + accumulate]
        assert [step.scales["y"] for step in group] == [1 / sum(step.valid for step in group)] * len(group)
    assert sum(step.valid for step in steps(prepared, bptt=3, batch_size=4, split="validation")) == 2


def test_of_a_value_a_step_what_is_beyond_back_propagation_is_read_too(tmp_path):
    prepared = sequences(tmp_path, "values")
    made = steps(prepared, bptt=3, batch_size=4)
    assert max(len(step.inputs["x"]) for step in made) == 3
    assert sum(step.valid for step in made) == sum(LENGTHS[:10])
    assert torch.cat([step.targets["y"].flatten() for step in made]).isfinite().sum() == sum(LENGTHS[:10])


def test_ranks_without_a_sequence_have_lanes_of_nothing(tmp_path):
    """Ten sequences in batches of eight over four devices: the last batch leaves three of them without one."""
    prepared = sequences(tmp_path, "class")
    parts = [steps(prepared, rank=rank, ranks=4, batch_size=8, accumulate=1) for rank in range(4)]
    for together in zip(*parts, strict=True):
        assert {len(step.lengths) for step in together} == {2}
        assert len({step.inputs["x"].shape[0] for step in together}) == 1       # as long as the longest of all ranks
        assert sum(int((step.targets["y"] >= 0).sum()) for step in together) == together[0].valid


@pytest.mark.parametrize(("stride", "windows"), [(1, 44), (4, 11), (100, 1)])
def test_training_windows_stand_apart_as_far_as_is_asked_for_and_validation_has_all(tmp_path, stride, windows):
    config = table({"x": "real"}, {"x": "forecast"},
                   {"horizon": 2, "context": 3, "season": 2, "log": False, "start": "season", "window": "none", "stride": stride,
                    "eval_stride": 1, "eval_windows": None})
    source = Series("x", [DRAW.standard_normal((100, 1))], ["a"], config.forecast, 0.25, 0.25)
    prepared = written(tmp_path, config, source)
    batches = Batches(prepared, settings(batch_size=8), workers=0, whole=False)
    assert isinstance(batches.layout("train", 16), WindowLayout)
    assert sum(step.valid for step in steps(prepared)) == windows
    assert sum(step.valid for step in steps(prepared, split="validation")) == 24


@pytest.mark.parametrize(("stride", "most", "windows"), [(1, None, 48), (1, 10, 10), (5, None, 10), (5, 4, 4)])
def test_validation_and_test_score_as_many_windows_as_is_asked_for(tmp_path, stride, most, windows):
    config = table({"x": "real"}, {"x": "forecast"},
                   {"horizon": 2, "context": 3, "season": 2, "log": False, "start": "season", "window": "none", "stride": 1,
                    "eval_stride": stride, "eval_windows": most})
    series = [DRAW.standard_normal((100, 1)), DRAW.standard_normal((100, 1))]
    prepared = written(tmp_path, config, Series("x", series, ["a", "b"], config.forecast, 0.25, 0.25))
    assert sum(step.valid for step in steps(prepared)) == 88
    assert sum(step.valid for step in steps(prepared, split="validation")) == len(prepared.sequences("test")) == windows
    assert {*prepared.sequences("test").bounds.series(slice(None))} == {0, 1}


def test_what_a_loss_is_the_mean_of(stream, lines, tmp_path):
    """Of text alone a nat is a number of bits a character: here a symbol is a character, or the end of a line."""
    for prepared in (stream, lines):
        assert unit_of(prepared) == Unit("symbols", pytest.approx(1 / np.log(2)))
    assert unit_of(sequences(tmp_path / "a", "class")) == Unit("sequences", None)
    assert unit_of(sequences(tmp_path / "b", "values")) == Unit("steps", None)
    config = table({"text": "tokens"}, {"label": "class"})
    texts = dealt([{"text": "abc" * length, "label": "ab"[length % 2]} for length in range(1, 9)])
    assert unit_of(written(tmp_path / "c", config, texts)) == Unit("sequences", None)


def test_a_loss_is_said_in_bits_where_it_has_some():
    assert Unit("symbols", 2.0).text(1.5) == ", 3.000 bits/character"
    assert Unit("steps", None).text(1.5) == ""
