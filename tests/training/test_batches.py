"""What Lightning is handed: any rank's part of any batch of any epoch."""

from types import SimpleNamespace

import pytest
import torch

from tests.training.conftest import BATCHES, prepare, settings
from unroll.data.batches import ItemLayout, StreamLayout
from unroll.errors import UserError
from unroll.training.batches import Batches, Step


def steps(prepared, epoch: int = 0, rank: int = 0, ranks: int = 1, split: str = "train", **changes) -> list[Step]:
    batches = Batches(prepared, settings(**changes), workers=0)
    batches.trainer = SimpleNamespace(global_rank=rank, world_size=ranks)
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
        assert [step.scale for step in group] == pytest.approx([1 / total] * len(group))


@pytest.mark.parametrize("unit", ["stream", "lines"])
def test_the_ranks_parts_are_the_whole_batch(unit, request):
    prepared = request.getfixturevalue(unit)
    whole = steps(prepared, accumulate=2)
    parts = [steps(prepared, rank=rank, ranks=4, accumulate=2) for rank in range(4)]
    for one, *several in zip(whole, *parts, strict=True):
        for fields in ("inputs", "targets"):
            joined = torch.cat([getattr(part, fields)["text"] for part in several], dim=1)
            assert torch.equal(joined, getattr(one, fields)["text"])
        assert {(part.scale, part.valid, part.fresh) for part in several} == {(one.scale, one.valid, one.fresh)}
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
        batches = Batches(prepared, settings(), workers=0)
        assert isinstance(batches.layout("train", 16), kind)
        assert batches.train_length == len(steps(prepared))


def test_items_are_cut_where_back_propagation_ends(lines):
    assert max(len(step.targets["text"]) for step in steps(lines, bptt=5)) == 5
    assert sum(step.valid for step in steps(lines, bptt=5)) < len(lines.tokens("text", "train"))


def test_a_text_with_less_than_two_symbols_a_lane_is_refused(tmp_path):
    prepared = prepare(tmp_path, "abcdefghij\n" * 10, "stream")
    length = len(prepared.tokens("text", "train"))
    Batches(prepared, settings(batch_size=length // 2), workers=0)
    with pytest.raises(UserError, match=rf"^train\.batch_size: 48 lanes need at least 96 steps.* has {length}\. "):
        Batches(prepared, settings(batch_size=48), workers=0)
