"""Hours of PM2.5 before and after origins, of which some are hidden."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unroll.base.files import sha256
from unroll.config.sources.beijing import Settings
from unroll.data.source import SPLITS
from unroll.sources import Access, open_source
from unroll.sources.beijing import WEATHER, hide, runs

HOURS = 2000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"pm2.5": np.arange(float(HOURS)), **{name: draw.random(HOURS) for name in WEATHER}})
    for start, length in ((3, 1), (100, 10), (800, 30)):
        table.loc[start : start + length - 1, "pm2.5"] = np.nan
    table.to_csv(tmp_path / "pm.csv", index=False)
    return tmp_path / "pm.csv"


def settings(file: Path, **changes) -> Settings:
    return Settings(**{"kind": "beijing", "url": file.as_uri(), "sha256": sha256(file), "licence": "none", "seed": 1,
                       "weather": False, "hidden": 0.3, "horizon": 24, "context": 72, "stride": 6, "scale": "standard",
                       "missing": "mask", "validation": 0.2, "test": 0.2, "inputs": {"x": "real"},
                       "targets": {"y": "value"}, **changes})


def test_what_is_predicted_follows_what_is_read_and_stays_known_where_that_is_hidden(file):
    whole, hidden = (open_source(settings(file, hidden=share), Access(file.parent, file.parent))[0]
                     for share in (0, 0.3))
    seen: set[float] = set()
    for split in SPLITS:
        own = set()
        for full, part in zip(whole.pieces(split), hidden.pieces(split), strict=True):
            np.testing.assert_array_equal(full["y"], part["y"])
            assert full["x"].shape == (72, 1) and full["y"].shape == (24,)
            known = ~np.isnan(part["x"])
            np.testing.assert_array_equal(part["x"][known], full["x"][known])
            steps = np.diff(np.concatenate([full["x"][:, 0], full["y"]]))
            assert (steps[~np.isnan(steps)] == 1).all(), "the day after follows at once"
            own |= set(full["y"][~np.isnan(full["y"])])
        assert own and not own & seen, "no hour is predicted in two splits"
        seen |= own


def test_exactly_the_share_is_hidden_in_runs_and_the_seed_decides_which():
    values = np.arange(3000.0)
    values[50:60] = np.nan
    for share in (0.1, 0.5):
        found = hide(values, share, 1)
        assert np.isnan(found).sum() == 10 + round(2990 * share)
        np.testing.assert_array_equal(found, hide(values, share, 1))
        assert not np.array_equal(found, hide(values, share, 2), equal_nan=True)
    assert runs(np.isnan(hide(values, 0.1, 1))).mean() > 8
    np.testing.assert_array_equal(hide(values, 0, 1), values)


def test_weather_is_read_where_it_is_asked_for(file):
    source = open_source(settings(file, weather=True), Access(file.parent, file.parent))[0]
    assert next(iter(source.pieces("train")))["x"].shape == (72, 7) and source.columns == {"x": ["pm2.5", *WEATHER]}
