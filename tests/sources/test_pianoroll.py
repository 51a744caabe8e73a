"""Piano rolls in MATLAB files: the published ones where they lie beside the project, a small one everywhere."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.conftest import REPOSITORY
from unroll.base.errors import UserError
from unroll.config.sources.pianoroll import Settings as PianorollData
from unroll.data.source import SPLITS, Origin, Source
from unroll.sources import Access, open_source

SHARED = REPOSITORY.parent / "shared" / "data"
NAMES = {"train": "traindata", "validation": "validdata", "test": "testdata"}


def open_pianoroll(file: Path) -> tuple[Source, Origin]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    settings = PianorollData(kind="pianoroll", url=f"https://example.org/{file.name}", sha256=digest, licence="CC0",
                             inputs={"x": "real"}, targets={"x": "next_labels"})
    return open_source(settings, Access(file.parent, mirror=file.parent))


def rolls(*lengths: int) -> np.ndarray:
    """As MATLAB has a cell array, (1, n), each (T, 88)."""
    draw = np.random.default_rng(sum(lengths))
    cells = np.empty((1, len(lengths)), object)
    for place, length in enumerate(lengths):
        cells[0, place] = (draw.random((length, 88)) < 0.05).astype(np.float64)
    return cells


@pytest.fixture
def mat(tmp_path) -> tuple[Path, dict[str, np.ndarray]]:
    content = {"traindata": rolls(5, 1, 9), "validdata": rolls(4), "testdata": rolls(6, 6)}
    savemat(tmp_path / "music.mat", content)
    return tmp_path / "music.mat", content


def test_the_published_split_is_kept(mat):
    file, content = mat
    source, origin = open_pianoroll(file)
    assert source.layout == "items" and (origin.name, origin.licence) == ("https://example.org/music.mat", "CC0")
    for split in SPLITS:
        found = [piece["x"] for piece in source.pieces(split)]
        assert [each.dtype for each in found] == [np.uint8] * len(found)
        expected = [*content[NAMES[split]][0]]
        assert [each.shape for each in found] == [each.shape for each in expected]
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_pieces_of_one_length_are_pieces_too(tmp_path):
    savemat(tmp_path / "a.mat", {name: rolls(4, 4) for name in NAMES.values()})
    source, _ = open_pianoroll(tmp_path / "a.mat")
    assert [piece["x"].shape for piece in source.pieces("train")] == [(4, 88)] * 2


@pytest.mark.parametrize("content", [b"", b"no MATLAB file at all" * 20, b"MATLAB 5.0 MAT-file" + b" " * 200])
def test_what_is_no_matlab_file_is_one_line(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.mat: not a MATLAB file with traindata, validdata, testdata") as caught:
        open_pianoroll(tmp_path / "a.mat")
    assert "\n" not in str(caught.value)


def test_rolls_of_unequal_numbers_of_keys_are_refused(tmp_path):
    uneven = rolls(4, 4)
    uneven[0, 1] = np.zeros((4, 87))
    savemat(tmp_path / "a.mat", {name: uneven for name in NAMES.values()})
    with pytest.raises(UserError) as caught:
        open_pianoroll(tmp_path / "a.mat")
    assert (caught.value.code, caught.value.where) == ("unequal-lengths", "data, sequence 2")


@pytest.mark.parametrize("content", [{"traindata": rolls(3)}, {name: np.zeros((0, 0)) for name in NAMES.values()}])
def test_a_matlab_file_of_other_things_is_one_line(tmp_path, content):
    savemat(tmp_path / "a.mat", content)
    with pytest.raises(UserError, match=r"a\.mat: not a MATLAB file with traindata, validdata, testdata"):
        open_pianoroll(tmp_path / "a.mat")


@pytest.mark.parametrize(("name", "counts", "steps"), [
    ("JSB_Chorales.mat", (229, 76, 77), 23_000), ("Nottingham.mat", (694, 173, 170), 250_000),
])
def test_the_published_files_hold_what_was_published(name, counts, steps):
    """Boulanger-Lewandowski et al. (2012)."""
    if not (SHARED / name).is_file():
        pytest.skip("not beside the project")
    source, _ = open_pianoroll(SHARED / name)
    pieces = {split: [piece["x"] for piece in source.pieces(split)] for split in SPLITS}
    assert tuple(len(each) for each in pieces.values()) == counts
    everything = np.concatenate([roll for each in pieces.values() for roll in each])
    assert everything.shape[1] == 88 and set(np.unique(everything)) == {0, 1}
    assert len(everything) == pytest.approx(steps, rel=0.1)
    assert 3 < everything.sum(axis=1).mean() < 5 and min(len(roll) for each in pieces.values() for roll in each) > 1
