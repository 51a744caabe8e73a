"""A model of music, made but not trained, beside those of `tests/prediction`."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.generation.many_fields import made  # noqa: F401  # a fixture
from tests.prediction.conftest import Made, core, make, save_random, zoo  # noqa: F401  # a fixture
from unroll.base.files import sha256

NOTES = 88


def rolls(count: int, seed: int) -> np.ndarray:
    """As MATLAB has a cell array: chords that stay for a while."""
    draw = np.random.default_rng(seed)
    cells = np.empty((1, count), object)
    for place in range(count):
        chords = draw.random((int(draw.integers(4, 9)), NOTES)) < 0.05
        cells[0, place] = np.repeat(chords, draw.integers(1, 4, len(chords)), axis=0).astype(np.float64)
    return cells


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder: Path = tmp_path_factory.mktemp("music")
    file = folder / "music.mat"
    savemat(file, {"traindata": rolls(9, 1), "validdata": rolls(3, 2), "testdata": rolls(3, 3)})
    workspace, prepared = make(folder, {
        "kind": "pianoroll", "url": file.as_uri(), "sha256": sha256(file), "licence": "mine", "inputs": {"x": "real"},
        "targets": {"x": "next_labels"},
    })
    predictor = save_random(prepared, workspace.model, {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}, core("lstm"), 0)
    return Made(workspace, prepared, workspace.model, predictor)
