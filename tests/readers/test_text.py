"""Text decoded in blocks: any encoding, any line end, and what each mistake is called."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.readers import text as text_format
from unroll.readers.text import blocks


def write(folder: Path, *contents: bytes) -> list[Path]:
    files = [folder / f"{number}.txt" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files


def read(files: list[Path], encoding: str = "utf-8") -> str:
    return "".join(blocks(files, encoding))


def refused(files: list[Path], encoding: str = "utf-8") -> UserError:
    with pytest.raises(UserError) as caught:
        read(files, encoding)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_text(tmp_path, mark):
    assert read(write(tmp_path, mark + "žluť".encode(), mark + b"b")) == "žluť\nb"


@pytest.mark.parametrize("raw", [b"a\nb\nc\n", b"a\r\nb\r\nc\r\n", b"a\rb\rc\r", b"a\r\nb\rc\n"])
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 20])
def test_every_line_end_is_a_newline(tmp_path, monkeypatch, raw, block):
    monkeypatch.setattr(text_format, "BLOCK", block)
    assert read(write(tmp_path, raw)) == "a\nb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32", "UTF8"])
@pytest.mark.parametrize("block", [5, 7, 64, 1 << 20])
def test_a_character_may_straddle_two_blocks(tmp_path, monkeypatch, chinese, encoding, block):
    monkeypatch.setattr(text_format, "BLOCK", block)
    assert read(write(tmp_path, chinese.encode(encoding)), encoding) == chinese


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16-le", "utf-16-be"])
def test_a_mark_that_the_codec_leaves_is_removed(tmp_path, chinese, encoding):
    assert read(write(tmp_path, ("\ufeff" + chinese).encode(encoding)), encoding) == chinese


def test_a_mark_within_the_text_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(text_format, "BLOCK", 4)
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
        patch.setattr(text_format, "BLOCK", block)
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
    monkeypatch.setattr(text_format, "BLOCK", block)
    files = write(tmp_path, "fine\n".encode(encoding), raw)
    error = refused(files, encoding)
    assert (error.code, error.where) == ("unreadable", str(files[1])) and f"at byte {place}. " in error.text


@pytest.mark.parametrize("written", ["gb18030", "utf_16"])
def test_the_encoding_that_a_text_was_written_in_is_suggested(tmp_path, chinese, written):
    files = write(tmp_path, chinese.encode(written))
    assert refused(files).text.endswith(f" It may be {written}. Set data.encoding to {written}.")
    assert read(files, written) == chinese


def test_an_unknown_encoding_is_one_line(tmp_path):
    error = refused(write(tmp_path, b"a"), "utf-9")
    assert (error.code, error.where) == ("unknown-name", "data.encoding")


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path):
    # a folder: root, too, may not read it as a file
    assert refusal(lambda: read([tmp_path])) == ("unreadable", str(tmp_path))


def test_a_file_that_has_gone_is_one_line(tmp_path):
    assert refusal(lambda: read([tmp_path / "a.txt"]), f"{tmp_path}/") == ("unreadable", "a.txt")


@pytest.mark.parametrize("encoding", ["utf-16", "hex", "rot13", "undefined"])
def test_a_codec_that_cannot_read_the_file_is_one_line(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("天地玄黃".encode())
    with pytest.raises(UserError, match=encoding):
        "".join(blocks([tmp_path / "a.txt"], encoding))


def test_the_suggestion_looks_where_the_bad_byte_is(tmp_path, monkeypatch, chinese):
    monkeypatch.setattr(text_format, "BLOCK", 2048)
    (tmp_path / "a.txt").write_bytes(b"plain ascii\n" * 1000 + chinese.encode("gb18030"))
    with pytest.raises(UserError, match=r"at byte 12000\. It may be gb18030\. Set data\.encoding to gb18030\.$"):
        "".join(blocks([tmp_path / "a.txt"], "utf-8"))


@pytest.mark.parametrize("encoding", ["utf8", "UTF-8", "U8"])
def test_the_encoding_that_failed_is_not_suggested(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(text_format, "BLOCK", 64)
    (tmp_path / "a.txt").write_bytes("天地玄黃".encode() * 40 + b"\xff")
    with pytest.raises(UserError) as caught:
        "".join(blocks([tmp_path / "a.txt"], encoding))
    assert "utf_8" not in str(caught.value) and "ascii" not in str(caught.value)
