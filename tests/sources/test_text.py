"""The user's own files: found, and split as a stream or by line."""

from pathlib import Path

import pytest

from unroll.base.errors import UserError
from unroll.data.source import SPLITS
from unroll.readers import text as text_format
from unroll.readers.text import blocks
from unroll.sources.common.access import find_files
from unroll.sources.common.text import Lines, Stream


@pytest.fixture
def project(tmp_path):
    for name in ("a.txt", "b.txt", "c.md", "deep/d.txt", ".hidden.txt", ".git/e.txt", "a.txt.dvc", ".gitignore"):
        file = tmp_path / "data" / "raw" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


def write(folder: Path, *contents: bytes) -> list[Path]:
    files = [folder / f"{number}.txt" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files


def read(files: list[Path], encoding: str = "utf-8") -> str:
    return "".join(blocks(files, encoding))


@pytest.mark.parametrize(
    "pattern, found",
    [
        ("data/raw/a.txt", ["a.txt"]),
        ("data/raw/*.txt", ["a.txt", "b.txt"]),
        ("data/raw/**/*.txt", ["a.txt", "b.txt", "deep/d.txt"]),
        ("data/raw/deep", ["deep/d.txt"]),
        ("data/raw", ["a.txt", "b.txt", "c.md", "deep/d.txt"]),
        ("data/raw/", ["a.txt", "b.txt", "c.md", "deep/d.txt"]),
        ("data/raw/[bc].*", ["b.txt", "c.md"]),
    ],
)
def test_a_file_a_folder_or_a_glob_names_what_is_not_hidden(project, pattern, found):
    assert [file.relative_to(project / "data" / "raw").as_posix() for file in find_files(project, pattern)] == found


@pytest.mark.parametrize("pattern", ["data/raw/z.txt", "data/raw/*.csv", "data/raw/.git", "data/raw/a.txt.dvc"])
def test_a_path_without_files_is_one_line(project, pattern):
    with pytest.raises(UserError) as caught:
        find_files(project, pattern)
    assert str(caught.value) == (
        f'data.path: no such file "{pattern}". Give a file, a folder or a glob below data/raw.'
    )


@pytest.mark.parametrize("pattern", ["corpus.txt", "/etc/passwd", "data/raw/../../a.txt", "data/prepared", "data/rawer",
                                     "", ".", "data", "~/a.txt"])
def test_a_path_that_dvc_does_not_watch_is_refused(project, pattern):
    with pytest.raises(UserError) as caught:
        find_files(project, pattern)
    assert str(caught.value) == (
        f"data.path: {pattern!r} is not below data/raw, which DVC watches. Copy or link it there."
    )


def test_a_linked_file_is_read(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "long.txt"
    elsewhere.write_text("far away")
    (project / "data" / "raw" / "link.txt").symlink_to(elsewhere)
    assert read(find_files(project, "data/raw/link.txt")) == "far away"


@pytest.mark.parametrize("length", [0, 1, 2, 3, 10, 99, 100])
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_the_splits_of_a_stream_are_the_whole_text_in_order(tmp_path, monkeypatch, length, block):
    monkeypatch.setattr(text_format, "BLOCK", block)
    text = "".join(chr(0x4E00 + place) for place in range(length))
    stream = Stream(write(tmp_path, text.encode()), "utf-8", 0.1, 0.2, seed=1)
    split = {name: "".join(stream.pieces(name)) for name in SPLITS}
    assert split["train"] + split["validation"] + split["test"] == text
    assert len(split["test"]) == pytest.approx(0.2 * length, abs=1)
    assert len(split["validation"]) == pytest.approx(0.1 * length, abs=1)


def test_a_stream_runs_over_the_borders_of_files(tmp_path):
    stream = Stream(write(tmp_path, b"01234", b"56789", b"abcde"), "utf-8", 0.2, 0.2, seed=1)
    assert ["".join(stream.pieces(split)) for split in SPLITS] == ["01234\n5678", "9\na", "bcde"]


def test_the_first_part_trains_whatever_the_seed(tmp_path):
    files = write(tmp_path, b"0123456789")
    assert list(Stream(files, "utf-8", 0.2, 0.2, seed=1).pieces("train")) == ["012345"]
    assert list(Stream(files, "utf-8", 0.2, 0.2, seed=2).pieces("train")) == ["012345"]


def names(number: int = 400) -> list[str]:
    return [f"name {each}" for each in range(number)]


@pytest.mark.parametrize("block", [8, 1 << 20])
@pytest.mark.parametrize("end", ["", "\n"])
def test_every_line_is_in_one_split_and_empty_ones_in_none(tmp_path, monkeypatch, block, end):
    monkeypatch.setattr(text_format, "BLOCK", block)
    lines = Lines(write(tmp_path, ("\n\n".join(names()) + end).encode()), "utf-8", 0.1, 0.2, seed=1)
    split = {name: list(lines.pieces(name)) for name in SPLITS}
    assert sorted(item for items in split.values() for item in items) == sorted(names())
    shares = {name: len(items) / 400 for name, items in split.items()}
    assert shares == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.05)


def test_equal_lines_share_a_split(tmp_path):
    lines = Lines(write(tmp_path, "\n".join(names() * 2 + names()[:50]).encode()), "utf-8", 0.1, 0.2, seed=1)
    split = [set(lines.pieces(name)) for name in SPLITS]
    assert sum(map(len, split)) == len(set.union(*split)) == 400
    assert sum(len(list(lines.pieces(name))) for name in SPLITS) == 850


def test_the_split_of_a_line_depends_on_nothing_but_itself_and_the_seed(tmp_path):
    def test(lines: list[str], seed: int) -> set[str]:
        return set(Lines(write(tmp_path, "\n".join(lines).encode()), "utf-8", 0.1, 0.2, seed).pieces("test"))

    assert test(names(), 1) == test(names()[::-1], 1)
    assert test(names(100), 1) == test(names(), 1) & set(names(100))
    assert test(names(), 1) != test(names(), 2)


def test_a_line_may_hold_anything_but_a_line_end(tmp_path):
    items = ["a\u2028b", "\x0b", " ", "a\x85b", "\x1c"]
    lines = Lines(write(tmp_path, "\n".join(items).encode()), "utf-8", 0.1, 0.2, seed=1)
    assert sorted(item for name in SPLITS for item in lines.pieces(name)) == sorted(items)


def test_a_glob_that_is_none_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"data\.path"):
        find_files(tmp_path, "data/raw/**.txt")
