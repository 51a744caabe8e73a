"""Three kinds of task through DVC: a stream, padded sequences, windows."""

import json

import pytest

pytestmark = pytest.mark.long

QUIET = ["train.threads=1", "runtime.progress=false", "runtime.tracking.enabled=false"]
THROUGH_DVC = {
    "japanese_vowels": ["train.epochs=3", "model.core.hidden_size=16", "evaluate.dtw_cells=1"],
    "airline": ["train.epochs=3"],
    "signals": ["data.steps=3000", "train.epochs=1", "train.batch_size=4", "model.core.hidden_size=16"],
}


@pytest.mark.parametrize("experiment", THROUGH_DVC)
def test_a_row_through_dvc(repo, experiment):
    repo.unroll("compose", f"experiment={experiment}", *THROUGH_DVC[experiment], *QUIET)
    assert repo.repro() == ["prepare", "train", "evaluate", "generate"]
    assert repo.repro() == []
    test = json.loads((repo.folder / "metrics" / "test.json").read_text())
    assert any(name.startswith("baseline/") for name in test)
    assert (repo.folder / "artifacts" / "samples" / "predictions.csv").stat().st_size > 1000
    shown = repo.unroll("show").stdout
    assert "on the test split" in shown and ("majority" in shown or "seasonal_naive" in shown)
