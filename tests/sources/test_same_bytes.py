"""What is read once is read so by every later version: the digests of what sources yield."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from tests.sources import test_archive, test_folder, test_npz, test_pianoroll, test_table
from unroll.sources import Access, open_source


def wave(count: int) -> np.ndarray:
    """Numbers that are the same on every machine, as sines are not."""
    return (np.arange(count) * 7919 % 101 - 50) / 16


X = wave(360).reshape(20, 6, 3)
LENGTHS = np.arange(20) % 6 + 1


def arrays(project: Path, kind: str, y: Any, **others: Any) -> Any:
    test_npz.write(project, X_train=X, y_train=y, **others)
    return test_npz.config(targets={"y": kind}, test=0.2)


def table(project: Path) -> Any:
    rows = [f"s{row % 7},{row},{value!r},{row % 7 % 2}" for row, value in enumerate(wave(80).tolist())]
    test_table.write(project, "id,t,a,c\n" + "\n".join(rows))
    return test_table.config(series="id", time="t", columns={"x": ["a"], "y": ["c"]}, targets={"y": "class"},
                             validation=0.3, test=0.3)


def cases(project: Path) -> Any:
    pytest.importorskip("aeon")
    rows = [":".join(",".join(map(str, case[:, at])) for at in range(3)) + f":{'ab'[number % 2]}"
            for number, case in enumerate(X[np.newaxis].repeat(2, 0).reshape(40, 6, 3))]
    return test_archive.config(test_archive.ts(project, "a.ts", rows, univariate=False), 0.2)


def recordings(project: Path, kind: str) -> Any:
    test_folder.write(project, test_folder.TEXTS if kind == "tokens" else test_folder.RECORDINGS)
    return test_folder.config() if kind == "tokens" else test_folder.config(**test_folder.REAL)


CASES: dict[str, Any] = {
    "class": (lambda project: arrays(project, "class", np.arange(20) % 2), "5f9395a985c8291e"),
    "tag": (lambda project: arrays(project, "tag", X[..., 0].round(), lengths_train=LENGTHS), "9a1fbf597f7ac4f6"),
    "value": (lambda project: arrays(project, "value", X[:, 0].astype(np.float32)), "160c7b7aef615e83"),
    "labels": (lambda project: arrays(project, "labels", X > 0), "eb80a22044203dc1"),
    "texts": (lambda project: recordings(project, "tokens"), "36e219ef9b5b6b02"),
    "recordings": (lambda project: recordings(project, "real"), "08a91aae878f3348"),
    "ts": (cases, "5b1c3ce126483c6d"),
    "table": (table, "6c97658477f022d5"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_source_yields_stays_the_same(tmp_path: Path, name: str) -> None:
    make, digest = CASES[name]
    assert open_source(make(tmp_path), Access(tmp_path))[1].sha256[:16] == digest


def test_what_music_yields_stays_the_same(tmp_path: Path) -> None:
    cells = np.empty((1, 3), object)
    for place in range(3):
        cells[0, place] = (wave((place + 4) * 88) > 2.5).astype(float).reshape(-1, 88)
    savemat(tmp_path / "a.mat", dict.fromkeys(test_pianoroll.NAMES.values(), cells))
    assert test_pianoroll.open_pianoroll(tmp_path / "a.mat")[1].sha256[:16] == "cbe162e1763cff07"
