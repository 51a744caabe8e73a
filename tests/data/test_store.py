"""The prepared folder: right counts, small arrays, and a clear word when it is not what it should be."""

import json
import tracemalloc
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY, run, snapshot, tiny
from tests.specs import make_spec
from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json
from unroll.base.workspace import Workspace
from unroll.config.load import load
from unroll.config.sources.text import Settings as TextData
from unroll.config.tokenizers import bpe, byte, char
from unroll.data.fitting import fit_codecs
from unroll.data.npy import Array
from unroll.data.parts import decode
from unroll.data.source import SPLITS, Origin, Source
from unroll.data.spec import FORMAT, Counts
from unroll.data.store import Prepared, open_prepared
from unroll.data.tokenizers import fit
from unroll.data.writer import write_prepared
from unroll.readers import text as reader
from unroll.sources.common import text as text_source
from unroll.sources.common.text import whole_lines
from unroll.stages.prepare import prepare

BYTE = byte.Settings(kind="byte")
CHAR = char.Settings(kind="char", min_count=1)
BPE = bpe.Settings(kind="bpe", vocab_size=280, min_frequency=2)
RUNTIME = load(REPOSITORY / "params.yaml").runtime

every = pytest.mark.parametrize("tokenizer", [BYTE, CHAR, BPE], ids=lambda config: config.kind)


def data(unit: str = "stream", tokenizer=CHAR, **others) -> TextData:
    return TextData(**{
        "kind": "text", "path": "data/raw/a.txt", "unit": unit, "encoding": "utf-8", "licence": "CC0",
        "inputs": {"text": "tokens"}, "targets": {"text": "next"}, "tokenizer": tokenizer,
        "validation": 0.1, "test": 0.2, "seed": 1, **others,
    })


def made(folder: Path, text: str, config: TextData) -> Prepared:
    """The text, prepared as a user would have it."""
    file = folder / "data" / "raw" / "a.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    prepare(Workspace(folder, folder), RUNTIME, config)
    return open_prepared(folder / "data" / "prepared")


class Given(Source):
    """A source whose splits are given."""

    def __init__(self, layout: str, splits: dict[str, list[str]]) -> None:
        self.layout, self._splits = layout, splits

    def pieces(self, split: str) -> Iterator[dict[str, str]]:
        return ({"text": piece} for piece in self._splits[split])


def written(folder: Path, config: TextData, **splits: list[str]) -> Prepared:
    source = Given("stream" if config.unit == "stream" else "items", splits)
    write_prepared(folder / "prepared", config, source, Origin("given", "CC0", "0" * 64), fit_codecs(config, source))
    return open_prepared(folder / "prepared")


@every
def test_the_symbols_of_a_stream_are_its_text(tmp_path, chinese, tokenizer):
    prepared = made(tmp_path, chinese, data(tokenizer=tokenizer, validation=0.1))
    read = "".join(prepared.tokenizer("text").decode(prepared.tokens("text", split)) for split in SPLITS)
    if tokenizer is CHAR:
        known = set(prepared.tokenizer("text").decode(prepared.tokens("text", "train")))
        assert read == "".join(each if each in known else "\ufffd" for each in chinese)
    else:
        assert read == chinese


@every
def test_the_symbols_of_items_are_the_lines_each_with_an_end(tmp_path, chinese, tokenizer):
    lines = sorted(line for line in chinese.split("\n") if line)
    prepared = made(tmp_path, "\n".join(lines), data("line", tokenizer))
    restored = prepared.tokenizer("text")
    read = []
    for split in SPLITS:
        tokens, offsets = prepared.tokens("text", split), prepared.offsets(split)
        assert offsets[0] == 0 and offsets[-1] == len(tokens)
        for start, stop in pairwise(offsets):
            assert tokens[stop - 1] == restored.end
            read.append(restored.decode(tokens[start:stop]))
    if tokenizer is not CHAR:
        assert sorted(read) == lines
    assert len(read) == len(lines)


def test_a_stream_is_counted(tmp_path):
    prepared = written(tmp_path, data(), train=["ab\n周", "a"], validation=["bé"], test=["周周\n"])
    assert prepared.spec.splits == {
        "train": Counts(steps=5, characters=5, bytes=7, unknown=0, sequences=1),
        "validation": Counts(steps=2, characters=2, bytes=3, unknown=1, sequences=1),
        "test": Counts(steps=3, characters=3, bytes=7, unknown=0, sequences=1),
    }
    assert prepared.offsets("train") is None


def test_items_are_counted_with_the_newline_that_ends_each(tmp_path):
    prepared = written(tmp_path, data("line"), train=["ab", "周"], validation=["é"], test=["a", "b", "ab"])
    assert prepared.spec.splits == {
        "train": Counts(steps=5, characters=5, bytes=7, unknown=0, sequences=2),
        "validation": Counts(steps=2, characters=2, bytes=3, unknown=1, sequences=1),
        "test": Counts(steps=7, characters=7, bytes=7, unknown=0, sequences=3),
    }
    assert prepared.offsets("test").tolist() == [0, 2, 4, 7]


def test_bytes_are_as_many_symbols_as_bytes_and_none_is_unknown(tmp_path, chinese):
    for split in made(tmp_path, chinese, data(tokenizer=BYTE)).spec.splits.values():
        assert split.steps == split.bytes > split.characters
        assert split.unknown == 0


@pytest.mark.parametrize("unit", ["stream", "line"])
def test_the_counts_do_not_depend_on_the_tokenizer(tmp_path, chinese, unit):
    counts = [
        {split: (counts.characters, counts.bytes, counts.sequences) for split, counts in prepared.spec.splits.items()}
        for tokenizer in (BYTE, CHAR, BPE)
        for prepared in [made(tmp_path / tokenizer.kind, chinese, data(unit, tokenizer))]
    ]
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize("tokenizer", [CHAR, BPE], ids=lambda config: config.kind)
def test_the_tokenizer_knows_the_training_split_alone(tmp_path, tokenizer):
    train, rest = "the cat sat on the mat\n" * 35, "a zebra, a zebra\n" * 10
    own = fit(tokenizer, False, [train])
    prepared = written(tmp_path, data(tokenizer=tokenizer), train=[train], validation=[rest], test=[rest])
    assert prepared.tokenizer("text").state() == own.state()
    whole = made(tmp_path, train + rest, data(tokenizer=tokenizer, test=0.2))
    assert "zebra" not in whole.tokenizer("text").decode(whole.tokens("text", "train"))
    assert whole.tokenizer("text").encode(rest).tolist() == own.encode(rest).tolist()


@pytest.mark.parametrize(
    "tokenizer, unit, kind",
    [(BYTE, "stream", np.uint8), (BYTE, "line", np.uint16), (CHAR, "stream", np.uint8), (BPE, "stream", np.uint16)],
)
def test_symbols_take_the_smallest_unsigned_type(tmp_path, tokenizer, unit, kind):
    text = ["ab " * 10, "abc " * 10]
    prepared = written(tmp_path, data(unit, tokenizer), train=text, validation=text, test=text)
    assert prepared.tokens("text", "train").dtype == kind


@pytest.mark.parametrize("characters, kind", [(255, np.uint8), (256, np.uint16), (65536, np.uint32)])
def test_a_larger_alphabet_takes_a_larger_type(tmp_path, characters, kind):
    text = ["".join(chr(0x10000 + each) for each in range(characters))]
    prepared = written(tmp_path, data(), train=text, validation=text, test=text)
    assert prepared.spec.inputs["text"].size == characters + 1
    assert prepared.tokens("text", "test").dtype == kind
    assert int(prepared.tokens("text", "test").max()) == characters


def test_arrays_are_mapped_and_any_program_can_read_them(tmp_path):
    prepared = written(tmp_path, data("line"), train=["ab"], validation=["a"], test=["b"])
    assert isinstance(prepared.tokens("text", "train"), np.memmap)
    assert isinstance(prepared.offsets("train"), np.memmap)
    assert np.load(prepared.folder / "train" / "text" / "values.npy", allow_pickle=False).tolist() == [1, 2, 4]


@settings(max_examples=30, deadline=None)
@given(pieces=st.lists(st.lists(st.integers(0, 65535), max_size=5), max_size=5))
def test_an_array_is_what_was_appended(tmp_path_factory, pieces):
    file = tmp_path_factory.mktemp("array") / "a.npy"
    with Array(file, np.dtype(np.uint16)) as array:
        for piece in pieces:
            array.append(np.array(piece, np.int64))
    assert np.load(file).tolist() == [each for piece in pieces for each in piece]


@every
def test_preparing_twice_gives_the_same_bytes(tmp_path, chinese, tokenizer):
    made(tmp_path, chinese, data(tokenizer=tokenizer))
    first = snapshot(tmp_path)
    made(tmp_path, chinese, data(tokenizer=tokenizer))
    assert snapshot(tmp_path) == first


def test_the_spec_says_what_lies_there(tmp_path, chinese):
    prepared = made(tmp_path, chinese, data())
    spec = prepared.spec
    assert (spec.source.kind, spec.source.name, spec.source.licence) == ("text", "data/raw/a.txt", "CC0")
    assert spec.inputs["text"].size == spec.targets["text"].size == prepared.tokenizer("text").size
    assert prepared.files == {
        file.relative_to(prepared.folder).as_posix(): sha256(file)
        for file in prepared.folder.rglob("*") if file.is_file() and file.name != "spec.json"
    }
    assert str(tmp_path) not in (prepared.folder / "spec.json").read_text(encoding="utf-8")


def test_the_digest_changes_with_every_byte_of_the_text(tmp_path, chinese):
    first = made(tmp_path, chinese, data()).digest
    assert made(tmp_path, chinese[:-1] + "~", data()).digest != first
    assert made(tmp_path, chinese, data()).digest == first


@pytest.mark.parametrize("text, unit", [("", "stream"), ("a", "stream"), ("", "line"), ("a", "line"), ("\n\n", "line")])
def test_a_source_that_is_too_short_is_one_line_and_leaves_nothing(tmp_path, text, unit):
    with pytest.raises(UserError, match=r"^data: the \w+ split is empty; the source is too short\. Give more of it\.$"):
        made(tmp_path, text, data(unit))
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["raw"]


def test_a_failed_preparation_leaves_the_one_before(tmp_path, chinese):
    made(tmp_path, chinese, data())
    first = snapshot(tmp_path)
    with pytest.raises(UserError):
        made(tmp_path, "", data())
    assert snapshot(tmp_path) == first


def test_unknown_characters_are_announced(tmp_path, capsys):
    made(tmp_path, "a" * 70 + "b" * 10 + "a" * 20, data())
    assert set(capsys.readouterr().out.splitlines()) == {
        "prepare: train: 70 characters, 70 steps",
        "prepare: validation: 10 characters, 10 steps, 100.00% unknown",
        "prepare: test: 20 characters, 20 steps",
        "prepare: text: tokens of size 2",
        "prepare: text: classes of size 2",
        f"prepare: data/raw/a.txt → {tmp_path}/data/prepared",
    }


@pytest.fixture
def short(tmp_path) -> Prepared:
    return written(tmp_path, data("line"), train=["ab" * 500], validation=["a"], test=["b"])


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError) as caught:
        open_prepared(tmp_path)
    assert (caught.value.code, caught.value.where) == ("missing-file", f"{tmp_path}/spec.json")


@pytest.mark.parametrize(("text", "code"), [
    ("{", "damaged"), ("\xff", "damaged"), ("[" * 100_000, "damaged"), ("{}", "damaged"), ("[]", "damaged"),
    ("null", "damaged"), ("1", "damaged"), ('{"format": 2}', "wrong-version"), ('{"spec": 1}', "damaged"),
    ('{"spec": {"format": 3}}', "wrong-version"), ('{"spec": {"format": 5}}', "wrong-version"),
    ('{"spec": {"format": 4}}', "damaged"),
])
def test_a_spec_that_cannot_be_used_is_refused(short, text, code):
    (short.folder / "spec.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError) as caught:
        open_prepared(short.folder)
    assert (caught.value.code, caught.value.where) == (code, f"{short.folder}/spec.json")
    assert caught.value.text.endswith("Make it again with `unroll prepare`.")


@pytest.mark.parametrize("place", [(), ("spec",), ("spec", "inputs", "text"), ("spec", "splits", "test"), ("spec", "reading")])
def test_a_key_that_this_version_does_not_know_is_refused(short, place):
    content = json.loads((short.folder / "spec.json").read_text(encoding="utf-8"))
    part = content
    for key in place:
        part = part[key]
    part["later"] = 1
    write_json(short.folder / "spec.json", content)
    with pytest.raises(UserError) as caught:
        open_prepared(short.folder)
    assert caught.value.code == "damaged" and ".".join([*place[1:], "later"]) in caught.value.text


def test_both_formats_are_named(short):
    (short.folder / "spec.json").write_text('{"spec": {"format": 7}}')
    with pytest.raises(UserError, match=f"format 7, .* this one reads format {FORMAT}"):
        open_prepared(short.folder)


@pytest.mark.parametrize("name", ["train/text/values.npy", "train/offsets.npy"])
@pytest.mark.parametrize("damage, code", [(None, "missing-file"), (lambda raw: raw[:140], "damaged"),
                                          (lambda raw: raw[:20], "damaged"), (lambda raw: b"text" * 40, "damaged")])
def test_an_array_that_cannot_be_used_is_one_line(short, name, damage, code):
    file = short.folder / name
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UserError) as caught:
        short.offsets("train") if "offsets" in name else short.tokens("text", "train")
    assert (caught.value.code, caught.value.where) == (code, str(file))


def test_the_configuration_it_was_made_from_opens_it(short):
    assert open_prepared(short.folder, data("line")).digest == short.digest


@pytest.mark.parametrize(
    "name, other",
    [("seed", {"seed": 2}), ("tokenizer", {"tokenizer": BYTE}), ("unit", {"unit": "stream"}), ("test", {"test": 0.3})],
)
def test_another_configuration_is_refused_by_name(short, name, other):
    with pytest.raises(UserError) as caught:
        open_prepared(short.folder, data(**{"unit": "line", **other}))
    assert (caught.value.code, caught.value.where) == ("stale", str(short.folder))
    assert f"data.{name} differs" in caught.value.text


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.text(alphabet="ab\n"), max_size=8), block=st.integers(1, 12))
def test_whole_lines_are_the_same_text_and_end_with_a_line_where_there_is_one(pieces, block):
    read = list(whole_lines(pieces, block))
    assert "".join(read) == "".join(pieces)
    assert all(each.endswith("\n") or "\n" not in each for each in read[:-1])


def test_a_merge_does_not_straddle_two_blocks(tmp_path, monkeypatch):
    text, config = "the cat sat on the mat\n" * 50, data(tokenizer=BPE)
    whole = made(tmp_path / "whole", text, config)
    monkeypatch.setattr(reader, "BLOCK", 4)         # four symbols at a time, as a slow disk would give them
    monkeypatch.setattr(text_source, "whole_lines", partial(whole_lines, block=40))
    cut = made(tmp_path / "cut", text, config)
    for split in SPLITS:
        assert cut.tokens("text", split).tolist() == whole.tokens("text", split).tolist()


def peak(folder: Path, text: str, config: TextData) -> int:
    """Bytes that Python and NumPy hold at most while a text is prepared."""
    file = folder / "data" / "raw" / "a.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    tracemalloc.start()
    try:
        prepare(Workspace(folder, folder), RUNTIME, config)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_text_is_prepared_in_a_fraction_of_its_size(tmp_path):
    assert peak(tmp_path, f"{'x' * 79}\n" * 400_000, data(tokenizer=BYTE)) < 16_000_000


@pytest.mark.parametrize("unit", ["stream", "line"])
@pytest.mark.parametrize("tokenizer", [BYTE, CHAR], ids=lambda config: config.kind)
def test_memory_does_not_grow_with_the_text(tmp_path, monkeypatch, unit, tokenizer):
    monkeypatch.setattr(reader, "BLOCK", 1 << 12)
    monkeypatch.setattr(text_source, "whole_lines", partial(whole_lines, block=1 << 12))
    text = "".join(f"{number:079}\n" for number in range(3_000))
    short, long = (peak(tmp_path, part, data(unit, tokenizer)) for part in (text[: len(text) // 4], text))
    assert long - short < len(text) / 8


def opened(folder: Path) -> Prepared:
    return Prepared(folder, make_spec({"text": {"kind": "tokens", "size": 2}}, {}), {}, "")


@pytest.mark.parametrize("raw", [b"", b"\x93NUMPY\x01\x00v\x00(((((" + b" " * 113])
def test_an_empty_array_or_header_is_one_line(tmp_path, raw):
    (tmp_path / "train" / "text").mkdir(parents=True)
    (tmp_path / "train" / "text" / "values.npy").write_bytes(raw)
    with pytest.raises(UserError, match="damaged"):
        opened(tmp_path).tokens("text", "train")


@pytest.mark.parametrize("text", [None, "", "{}", "[]"])
def test_a_tokenizer_that_cannot_be_read_is_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "text.tokenizer.json").write_text(text)
    with pytest.raises(UserError, match=r"text\.tokenizer\.json: (missing|damaged)\. Make it again with"):
        opened(tmp_path).tokenizer("text")


def test_items_are_decoded_each_on_a_line_of_its_own(workspace):
    run(workspace, tiny("data.unit=line"), "prepare")
    prepared = open_prepared(workspace.prepared)
    text = decode(prepared.tokenizer("text"), prepared.tokens("text", "train"), prepared.offsets("train"))
    counted = prepared.spec.splits["train"]
    assert len(text) == counted.characters and text.count("\n") == counted.sequences
