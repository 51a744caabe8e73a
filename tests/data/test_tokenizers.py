"""Text → symbols → the same text, for every tokenizer, as one stream and as short items."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.config.data import BPETokenizer, ByteTokenizer, CharTokenizer
from unroll.data.tokenizers import Tokenizer, fit, restore
from unroll.errors import UserError

BYTE = ByteTokenizer(kind="byte")
CHAR = CharTokenizer(kind="char", min_count=1)
BPE = BPETokenizer(kind="bpe", vocab_size=300, min_frequency=2)
CORPUS = "the cat sat on the mat, the cat sat.\nthat hat!\n" * 20

every = pytest.mark.parametrize("config", [BYTE, CHAR, BPE], ids=lambda config: config.kind)
units = pytest.mark.parametrize("unit", ["stream", "line"])


def fitted(config, unit: str = "stream", corpus: str = CORPUS) -> Tokenizer:
    return fit(config, unit, [corpus])


# made once: a property is tried on many texts
LOSSLESS = {f"{config.kind} {unit}": fitted(config, unit) for config in (BYTE, BPE) for unit in ("stream", "line")}
ALPHABET = sorted(set(CORPUS))


@pytest.mark.parametrize("name", LOSSLESS)
@settings(max_examples=100, deadline=None)
@given(text=st.text())
def test_bytes_and_merges_give_back_any_text(name, text):
    tokenizer = LOSSLESS[name]
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert ids.size == 0 or 0 <= ids.min() <= ids.max() < tokenizer.size - 2 * tokenizer.items


@units
@given(text=st.text(alphabet=ALPHABET))
@settings(max_examples=100, deadline=None)
def test_characters_give_back_any_text_of_their_alphabet(unit, text):
    tokenizer = fitted(CHAR, unit)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert len(ids) == len(text)
    assert tokenizer.unknown not in ids


@settings(max_examples=100, deadline=None)
@given(text=st.text())
def test_characters_stand_for_what_they_do_not_know_with_one_symbol(text):
    tokenizer = fitted(CHAR)
    ids = tokenizer.encode(text)
    assert [int(each) == tokenizer.unknown for each in ids] == [each not in ALPHABET for each in text]
    assert tokenizer.decode(ids) == "".join(each if each in ALPHABET else "\ufffd" for each in text)


@every
@units
def test_chinese_comes_back(config, unit, chinese):
    tokenizer = fitted(config, unit, chinese)
    assert tokenizer.decode(tokenizer.encode(chinese)) == chinese


def test_chinese_has_a_symbol_for_each_character_and_three_bytes_for_most(chinese):
    assert fitted(CHAR, corpus=chinese).size == 1 + len(set(chinese))
    assert len(fitted(BYTE).encode(chinese)) == len(chinese.encode()) > 2.5 * len(chinese)


def test_merges_shorten_what_they_were_trained_on(chinese):
    for text in (CORPUS, chinese):
        merged = fitted(BPETokenizer(kind="bpe", vocab_size=600, min_frequency=2), corpus=text)
        assert len(merged.encode(text)) < len(text.encode())


@every
@units
def test_a_restored_tokenizer_is_the_same(config, unit):
    first = fitted(config, unit)
    second = restore(json.loads(json.dumps(first.state())))
    assert second.state() == first.state()
    for name in ("size", "begin", "end", "unknown", "items"):
        assert getattr(second, name) == getattr(first, name)
    text = CORPUS + "what was never seen: 周 \U0001f408\n"
    assert second.encode(text).tolist() == first.encode(text).tolist()


def test_a_state_of_another_version_is_one_line():
    with pytest.raises(UserError, match="unknown kind 'word'; it was written by another version"):
        restore({"kind": "word"})


@every
@units
def test_fitting_twice_gives_the_same_state(config, unit, chinese):
    assert fitted(config, unit, chinese).state() == fitted(config, unit, chinese).state()


def test_characters_do_not_depend_on_the_order_in_which_they_were_met():
    assert fitted(CHAR).state() == fitted(CHAR, corpus=CORPUS[::-1]).state()
    assert fit(CHAR, "stream", [CORPUS]).state() == fit(CHAR, "stream", CORPUS.splitlines(keepends=True)).state()


def test_a_rare_character_is_unknown():
    tokenizer = fitted(CharTokenizer(kind="char", min_count=3), corpus="aaabbc")
    assert tokenizer.size == 2
    assert tokenizer.decode(tokenizer.encode("abca")) == "a\ufffd\ufffda"


def test_characters_of_nothing_know_nothing():
    tokenizer = fitted(CHAR, corpus="")
    assert tokenizer.size == 1
    assert tokenizer.encode("ab").tolist() == [0, 0]


@every
def test_a_stream_is_read_from_a_newline_and_has_no_end(config):
    tokenizer = fitted(config)
    assert [tokenizer.begin] == tokenizer.encode("\n").tolist()
    assert tokenizer.end is None


def test_a_stream_of_characters_without_newlines_is_read_from_the_unknown_symbol():
    assert fitted(CHAR, corpus="abc").begin == 0


@every
def test_items_have_a_begin_and_an_end_that_no_text_has(config):
    stream, items = fitted(config, "stream"), fitted(config, "line")
    assert (items.begin, items.end, items.size) == (stream.size, stream.size + 1, stream.size + 2)
    assert not {items.begin, items.end} & set(items.encode(CORPUS).tolist())


@every
def test_begin_and_end_are_not_shown(config):
    items = fitted(config, "line")
    ids = np.concatenate([[items.begin], items.encode("the cat"), [items.end]])
    assert items.decode(ids) == "the cat"


def test_bytes_that_are_no_text_are_shown_as_such():
    assert fitted(BYTE).decode(np.array([0x61, 0xFF, 0x62])) == "a\ufffdb"


def test_a_vocabulary_is_no_larger_than_asked_for(chinese):
    assert fitted(BPE, corpus=chinese).size == 300
    assert fitted(BPETokenizer(kind="bpe", vocab_size=257, min_frequency=1), "line").size == 257 + 2


def test_a_pair_that_is_rarer_than_asked_for_is_not_merged():
    assert fitted(BPETokenizer(kind="bpe", vocab_size=300, min_frequency=3), corpus="ab ab").size == 256
