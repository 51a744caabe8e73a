"""The user's own files: found, decoded in blocks, split."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll.base.errors import UserError
from unroll.data.source import SPLITS
from unroll.sources import text as module
from unroll.sources import text as reader
from unroll.sources.text import Lines, Stream, blocks, find_files


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


def message(files: list[Path], encoding: str = "utf-8") -> str:
    with pytest.raises(UserError) as caught:
        read(files, encoding)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_text(tmp_path, mark):
    assert read(write(tmp_path, mark + "žluť".encode(), mark + b"b")) == "žluť\nb"


@pytest.mark.parametrize("raw", [b"a\nb\nc\n", b"a\r\nb\r\nc\r\n", b"a\rb\rc\r", b"a\r\nb\rc\n"])
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 20])
def test_every_line_end_is_a_newline(tmp_path, monkeypatch, raw, block):
    monkeypatch.setattr(module, "BLOCK", block)
    assert read(write(tmp_path, raw)) == "a\nb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32", "UTF8"])
@pytest.mark.parametrize("block", [5, 7, 64, 1 << 20])
def test_a_character_may_straddle_two_blocks(tmp_path, monkeypatch, chinese, encoding, block):
    monkeypatch.setattr(module, "BLOCK", block)
    assert read(write(tmp_path, chinese.encode(encoding)), encoding) == chinese


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16-le", "utf-16-be"])
def test_a_mark_that_the_codec_leaves_is_removed(tmp_path, chinese, encoding):
    assert read(write(tmp_path, ("\ufeff" + chinese).encode(encoding)), encoding) == chinese


def test_a_mark_within_the_text_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 4)
    assert read(write(tmp_path, "abcd\ufeffefgh".encode())) == "abcd\ufeffefgh"


@pytest.mark.parametrize(
    "contents, text",
    [
        ([b"a", b"b"], "a\nb"),
        ([b"a\n", b"b\n"], "a\nb\n"),
        ([b"a\r", b"b"], "a\nb"),
        ([b"a", b"", b"b"], "a\nb"),
        ([b""], ""),
    ],
)
def test_a_file_starts_on_a_line_of_its_own(tmp_path, contents, text):
    assert read(write(tmp_path, *contents)) == text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff")), block=st.integers(4, 9),
       encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_any_text_is_read_as_it_was_written(tmp_path, text, block, encoding):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        assert read(write(tmp_path, text.encode(encoding)), encoding) == text


@pytest.mark.parametrize("block", [4, 16, 1 << 20])
@pytest.mark.parametrize(
    "encoding, raw, place",
    [
        ("utf-8", b"0123456789\xff456", 10),
        ("utf-8", b"\xef\xbb\xbf0123456789\xff456", 13),
        ("utf-8", "0123456周".encode() + b"\xff", 10),
        ("utf-8", b"0123456789" + "周".encode()[:2], 10),      # the file ends within a character
        ("utf-8", "周興嗣".encode("gb18030"), 0),
        ("ascii", "0123456é".encode(), 7),
        ("gb18030", "周興嗣周興嗣".encode("gb18030") + b"\xff", 12),
        ("cp1252", b"0123456789\x81", 10),
        ("utf-16", "ab".encode("utf-16") + b"\x00\xdcab", 6),
    ],
)
def test_a_wrong_encoding_is_named_with_file_and_byte(tmp_path, monkeypatch, encoding, raw, place, block):
    monkeypatch.setattr(module, "BLOCK", block)
    files = write(tmp_path, "fine\n".encode(encoding), raw)
    assert message(files, encoding).startswith(f"{files[1]}: not {encoding} at byte {place}. ")


@pytest.mark.parametrize("written", ["gb18030", "utf_16"])
def test_the_encoding_that_a_text_was_written_in_is_suggested(tmp_path, chinese, written):
    files = write(tmp_path, chinese.encode(written))
    assert message(files).endswith(f"It may be {written}: set data.encoding={written}.")
    assert read(files, written) == chinese


def test_an_unknown_encoding_is_one_line(tmp_path):
    assert message(write(tmp_path, b"a"), "utf-9") == (
        "data.encoding: unknown encoding 'utf-9'; try utf-8, gb18030 or cp1252."
    )


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path):
    # a folder: root, too, may not read it as a file
    assert message([tmp_path]) == f"{tmp_path}: cannot be read (Is a directory). Check its permissions."


def test_a_file_that_has_gone_is_one_line(tmp_path):
    assert message([tmp_path / "a.txt"]).startswith(f"{tmp_path}/a.txt: cannot be read (No such file or directory).")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 10, 99, 100])
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_the_splits_of_a_stream_are_the_whole_text_in_order(tmp_path, monkeypatch, length, block):
    monkeypatch.setattr(module, "BLOCK", block)
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
    monkeypatch.setattr(module, "BLOCK", block)
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


@pytest.mark.parametrize("encoding", ["utf-16", "hex", "rot13", "undefined"])
def test_a_codec_that_cannot_read_the_file_is_one_line(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("天地玄黃".encode())
    with pytest.raises(UserError, match=encoding):
        "".join(blocks([tmp_path / "a.txt"], encoding))


def test_the_suggestion_looks_where_the_bad_byte_is(tmp_path, monkeypatch, chinese):
    monkeypatch.setattr(reader, "BLOCK", 2048)
    (tmp_path / "a.txt").write_bytes(b"plain ascii\n" * 1000 + chinese.encode("gb18030"))
    with pytest.raises(UserError, match=r"at byte 12000\. It may be gb18030: set data\.encoding=gb18030\.$"):
        "".join(blocks([tmp_path / "a.txt"], "utf-8"))


@pytest.mark.parametrize("encoding", ["utf8", "UTF-8", "U8"])
def test_the_encoding_that_failed_is_not_suggested(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(reader, "BLOCK", 64)
    (tmp_path / "a.txt").write_bytes("天地玄黃".encode() * 40 + b"\xff")
    with pytest.raises(UserError) as caught:
        "".join(blocks([tmp_path / "a.txt"], encoding))
    assert "utf_8" not in str(caught.value) and "ascii" not in str(caught.value)


def test_a_glob_that_is_none_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"data\.path"):
        find_files(tmp_path, "data/raw/**.txt")
