"""Masks follow from (seed, step, site, lane) and nothing else."""

import pytest
import torch

from unroll.models.dropout import Masks, no_dropout

ONES = torch.ones(5, 8, 64)     # (T, B, F)


def mask(seed: int = 1, step: int = 2, lanes: tuple[int, int] = (0, 8), x: torch.Tensor = ONES, site: int = 1):
    masks = Masks(seed, step, lanes)
    for _ in range(site - 1):
        masks(x, 0.0)
    return masks(x, 0.5)


def test_one_mask_serves_all_time_steps():
    drawn = mask()
    assert (drawn == drawn[:1]).all()
    assert 0 < (drawn == 0).float().mean() < 1


def test_every_lane_and_feature_has_a_draw_of_its_own():
    drawn = mask()[0]
    assert len({tuple(lane.tolist()) for lane in drawn}) == 8
    assert len({tuple(feature.tolist()) for feature in drawn.T}) > 48


@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_ranks_draw_their_slices_of_the_whole_mask(ranks):
    size = 8 // ranks
    parts = [mask(lanes=(first, 8), x=ONES[:, :size]) for first in range(0, 8, size)]
    assert torch.equal(torch.cat(parts, dim=1), mask())


@pytest.mark.parametrize("other", [{"seed": 2}, {"step": 3}, {"site": 2}, {"seed": -1}, {"seed": 2**70}])
def test_another_seed_step_or_site_is_another_mask(other):
    assert torch.equal(mask(), mask())
    assert not torch.equal(mask(**other), mask())


def test_a_site_without_dropout_still_counts():
    """Turning one site off leaves the masks of the others as they are."""
    on, off = Masks(1, 0, (0, 8)), Masks(1, 0, (0, 8))
    on(ONES, 0.3), off(ONES, 0.0)
    assert torch.equal(on(ONES, 0.5), off(ONES, 0.5))


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_dropout_preserves_the_mean(probability):
    drawn = Masks(0, 0, (0, 200))(torch.ones(1, 200, 500), probability)
    assert float(drawn.mean()) == pytest.approx(1, abs=0.03)
    assert drawn.unique().tolist() == pytest.approx([0, 1 / (1 - probability)])


def test_what_is_not_dropped_is_scaled_alone():
    x = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0))
    dropped = mask(x=x)
    assert torch.equal(dropped[dropped != 0], 2 * x[dropped != 0])


def test_no_mask_touches_or_reads_the_global_random_state():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    drawn = mask()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(mask(), drawn)


def test_without_dropout_nothing_is_dropped():
    assert Masks(1, 1, (0, 8))(ONES, 0.0) is ONES
    assert no_dropout(ONES, 0.9) is ONES
