"""What `benchmarks.prepare` measures is a data set that can be prepared."""

import pytest
from pydantic import TypeAdapter

from benchmarks.prepare import CASES
from unroll.config.data import DataConfig

PATHS = {"pianoroll": {"url": "https://example.org/music.mat", "sha256": "0" * 64}, "ts": {"train": "data/raw/cases.ts"}}


@pytest.mark.parametrize("name", CASES)
def test_its_settings_are_those_of_its_source(name: str) -> None:
    data = CASES[name][2]
    TypeAdapter(DataConfig).validate_python(data | PATHS.get(data["kind"], {"path": "data/raw/a"}))
