"""Model folders of older formats open, and predict and write what they did when they were made.

`format3/` was made by the commit e689a0a: small trainings, and beside each folder its predictions by that code.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unroll

FORMATS = sorted(Path(__file__).parent.glob("format*/*/"))


def expected(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: "-".join(folder.parts[-2:]))
def test_a_folder_of_an_older_format_predicts_what_it_did(folder: Path) -> None:
    then = expected(folder)
    given = [each if isinstance(each, str) else np.array(each) for each in then["sequences"]]
    now = unroll.load(folder).predict(given)
    for one, other in zip(now, then["predictions"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("folder", [folder for folder in FORMATS if "texts" in expected(folder)],
                         ids=lambda folder: "-".join(folder.parts[-2:]))
def test_a_language_model_of_an_older_format_writes_what_it_did(folder: Path) -> None:
    then = expected(folder)
    asked = then["generate"]
    assert unroll.load(folder).generate(asked["prompts"], asked["seed"], **asked["settings"]) == then["texts"]
