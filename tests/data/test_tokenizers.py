"""Text → symbols → the same text, for every tokenizer, as one stream and as short items."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.base.errors import UserError
from unroll.commands.init.steps import find_tokenizer
from unroll.config.tokenizers import TOKENIZERS, bpe, byte, char, reused, word
from unroll.data.tokenizers import Tokenizer, fit, restore, tokenizer_class

BYTE = byte.Settings(kind="byte")
CHAR = char.Settings(kind="char", min_count=1)
BPE = bpe.Settings(kind="bpe", vocab_size=300, min_frequency=2)
WORD = word.Settings(kind="word", min_count=1, lowercase=False)
LOWER = word.Settings(kind="word", min_count=1, lowercase=True)
REUSED = reused.Settings(kind="reused", path="", sha256=None, extend=None)    # tests/pipeline/test_pretrained.py
CORPUS = "the cat sat on the mat, the cat sat.\nthat hat!\n" * 20

every = pytest.mark.parametrize("config", [BYTE, CHAR, BPE, WORD], ids=lambda config: config.kind)
shapes = pytest.mark.parametrize("items", [False, True], ids=["stream", "items"])


def fitted(config, items: bool = False, corpus: str = CORPUS) -> Tokenizer:
    return fit(config, items, [corpus])


# made once: a property is tried on many texts
LOSSLESS = {f"{config.kind} {items}": fitted(config, items) for config in (BYTE, BPE) for items in (False, True)}
ALPHABET = sorted(set(CORPUS))


@pytest.mark.parametrize("name", LOSSLESS)
@settings(max_examples=100, deadline=None)
@given(text=st.text())
def test_bytes_and_merges_give_back_any_text(name, text):
    tokenizer = LOSSLESS[name]
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert ids.size == 0 or 0 <= ids.min() <= ids.max() < tokenizer.size - 2 * tokenizer.items


@shapes
@given(text=st.text(alphabet=ALPHABET))
@settings(max_examples=100, deadline=None)
def test_characters_give_back_any_text_of_their_alphabet(items, text):
    tokenizer = fitted(CHAR, items)
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


@pytest.mark.parametrize("config", [BYTE, CHAR, BPE], ids=lambda config: config.kind)
@shapes
def test_chinese_comes_back(config, items, chinese):
    tokenizer = fitted(config, items, chinese)
    assert tokenizer.decode(tokenizer.encode(chinese)) == chinese


def test_chinese_has_a_symbol_for_each_character_and_three_bytes_for_most(chinese):
    assert fitted(CHAR, corpus=chinese).size == 1 + len(set(chinese))
    assert len(fitted(BYTE).encode(chinese)) == len(chinese.encode()) > 2.5 * len(chinese)


def test_merges_shorten_what_they_were_trained_on(chinese):
    for text in (CORPUS, chinese):
        merged = fitted(bpe.Settings(kind="bpe", vocab_size=600, min_frequency=2), corpus=text)
        assert len(merged.encode(text)) < len(text.encode())


@every
@shapes
def test_a_restored_tokenizer_is_the_same(config, items):
    first = fitted(config, items)
    second = restore(json.loads(json.dumps(first.state())))
    assert second.state() == first.state()
    for name in ("size", "begin", "end", "unknown", "items"):
        assert getattr(second, name) == getattr(first, name)
    text = CORPUS + "what was never seen: 周 \U0001f408\n"
    assert second.encode(text).tolist() == first.encode(text).tolist()


@pytest.mark.parametrize("items", [False, True])
@pytest.mark.parametrize("config", [CHAR, WORD, LOWER], ids=["char", "word", "lower"])
def test_a_vocabulary_is_extended_by_what_is_frequent(config, items):
    tokenizer = fitted(config, items)
    more = tokenizer.extended(["Dog dog dog 7"], 2)
    assert {*tokenizer.state()["alphabet" if config is CHAR else "words"]} < {*more.state()["alphabet" if config is CHAR else "words"]}
    assert more.unknown not in more.encode("the dog sat") and more.unknown in more.encode("7") and more.items == items


@pytest.mark.parametrize("config", [BYTE, BPE], ids=["byte", "bpe"])
def test_what_encodes_every_text_is_not_extended(config):
    with pytest.raises(UserError) as caught:
        fitted(config).extended(["x"], 1)
    assert (caught.value.code, caught.value.where) == ("no-effect", "data.tokenizer.extend")


def test_a_state_of_another_version_is_refused():
    with pytest.raises(UserError) as caught:
        restore({"kind": "syllable"}, "text.tokenizer.json")
    assert (caught.value.code, caught.value.where) == ("wrong-version", "text.tokenizer.json")


def test_every_kind_is_tried_here():
    assert sorted(config.kind for config in (BYTE, CHAR, BPE, WORD, REUSED)) == [*TOKENIZERS.own]


# letters whose lower case is longer, or depends on what stands around them
LETTERS = "aİıIΣσςẞßǅﬁ'’.\n \u0307\u0301_1"


@pytest.mark.parametrize("config", [BYTE, CHAR, WORD, LOWER], ids=["byte", "char", "word", "lower"])
@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(alphabet=LETTERS, min_size=1, max_size=8), min_size=1, max_size=4))
def test_symbols_are_counted_as_they_are_encoded(config, texts):
    """Before anything is fitted, cell by cell: a table's tags are repeated so often."""
    kind = tokenizer_class(config.kind)
    joined = kind.joint.join(texts)
    tokenizer = fitted(config, corpus=joined)
    assert sum(map(kind.count, texts)) == len(tokenizer.encode(joined))
    assert config.kind == "byte" or tokenizer.unknown not in tokenizer.encode(joined)


@pytest.mark.parametrize("config", [BYTE, CHAR, BPE, WORD, LOWER], ids=["byte", "char", "bpe", "word", "lower"])
@settings(max_examples=100, deadline=None)
@given(text=st.text(LETTERS) | st.text() | st.lists(st.sampled_from(["the", "Cat", "hat", ",", "\n"])).map(" ".join))
def test_programs_without_this_package_encode_by_an_expression(config, text):
    made = fitted(config)
    names = {name: __import__(name) for name in made.modules} | {"known": made.state(), "text": text}
    assert eval(made.expression, names) == made.encode(text).tolist()


def test_merges_are_not_counted_beforehand():
    with pytest.raises(UserError) as caught:
        tokenizer_class("bpe").count("ab")
    assert (caught.value.code, caught.value.where) == ("conflict", "data.tokenizer")


@every
@shapes
def test_fitting_twice_gives_the_same_state(config, items, chinese):
    corpus = CORPUS if config is WORD else chinese
    assert fitted(config, items, corpus).state() == fitted(config, items, corpus).state()


def test_characters_do_not_depend_on_the_order_in_which_they_were_met():
    assert fitted(CHAR).state() == fitted(CHAR, corpus=CORPUS[::-1]).state()
    assert fit(CHAR, False, [CORPUS]).state() == fit(CHAR, False, CORPUS.splitlines(keepends=True)).state()


def test_a_rare_character_is_unknown():
    tokenizer = fitted(char.Settings(kind="char", min_count=3), corpus="aaabbc")
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
    stream, items = fitted(config, False), fitted(config, True)
    assert (items.begin, items.end, items.size) == (stream.size, stream.size + 1, stream.size + 2)
    assert not {items.begin, items.end} & set(items.encode(CORPUS).tolist())


@every
def test_begin_and_end_are_not_shown(config):
    items = fitted(config, True)
    ids = np.concatenate([[items.begin], items.encode("the cat"), [items.end]])
    assert items.decode(ids) == "the cat"


@every
def test_symbols_are_numbered_from_zero_to_the_size(config):
    for items in (False, True):
        tokenizer = fitted(config, items)
        ids = tokenizer.encode(CORPUS)
        assert 0 <= ids.min() <= ids.max() < tokenizer.size - 2 * items


def test_bytes_that_are_no_text_are_shown_as_such():
    assert fitted(BYTE).decode(np.array([0x61, 0xFF, 0x62])) == "a\ufffdb"


def test_a_vocabulary_is_no_larger_than_asked_for(chinese):
    assert fitted(BPE, corpus=chinese).size == 300
    assert fitted(bpe.Settings(kind="bpe", vocab_size=257, min_frequency=1), True).size == 257 + 2


def test_a_pair_that_is_rarer_than_asked_for_is_not_merged():
    assert fitted(bpe.Settings(kind="bpe", vocab_size=300, min_frequency=3), corpus="ab ab").size == 256


# ------------------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(("text", "words"), [
    ("The cat sat.", ["The", "cat", "sat", "."]),
    ("don't stop, rock’n’roll!", ["don't", "stop", ",", "rock’n’roll", "!"]),
    ("a\n\nb", ["a", "\n", "\n", "b"]),
    ("x_1 = f(2.5)  # naïve", ["x_1", "=", "f", "(", "2", ".", "5", ")", "#", "naïve"]),
    ("'quoted'", ["'", "quoted", "'"]),
    ("  \t ", []),
])
def test_words_numbers_marks_and_line_ends_are_symbols(text, words):
    tokenizer = fitted(WORD, corpus=text)
    assert [tokenizer.words[each - 1] for each in tokenizer.encode(text)] == words
    assert tokenizer.words == sorted(set(words))


@pytest.mark.parametrize("text", [CORPUS, "Is it (really) so? Yes; [sic] it is: 7 % more!\nA line.\n", "one\n\ntwo"])
def test_words_of_usual_spacing_come_back(text):
    tokenizer = fitted(WORD, corpus=text)
    assert tokenizer.decode(tokenizer.encode(text)) == text.replace(" %", "%")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abAB ,.!?()'\n9_-"))
def test_decoded_words_are_the_same_words(text):
    tokenizer = fitted(WORD, corpus=text)
    ids = tokenizer.encode(text)
    spaced = "".join(text.split(" "))
    assert tokenizer.decode(ids).replace(" ", "") == spaced


@pytest.mark.parametrize(("text", "words"), [("İstanbul", ["i\u0307stanbul"]), ("İ İ", ["i\u0307"]), ("ΟΔΟΣ. Σ", [".", "οδος", "σ"])])
def test_a_word_stays_one_symbol_in_lower_case(text, words):
    tokenizer = fitted(LOWER, corpus=text)
    assert tokenizer.words == words
    assert tokenizer.unknown not in tokenizer.encode(text)


def test_a_rare_or_new_word_is_unknown():
    tokenizer = fitted(word.Settings(kind="word", min_count=2, lowercase=False), corpus="a a b B b c")
    assert tokenizer.words == ["a", "b"]
    assert tokenizer.encode("b c d a").tolist() == [2, 0, 0, 1]
    assert tokenizer.decode(tokenizer.encode("a c b")) == "a \ufffd b"
    assert tokenizer.unknown == 0


def test_case_is_kept_or_not():
    assert fitted(WORD, corpus="The the").words == ["The", "the"]
    folded = fitted(word.Settings(kind="word", min_count=2, lowercase=True), corpus="The the")
    assert folded.words == ["the"] and folded.encode("THE tHe").tolist() == [1, 1]


@pytest.mark.parametrize("text", ["天地玄黃宇宙洪荒日月盈昃辰宿列張", "ひらがなとカタカナ", "ภาษาไทยไม่มีช่องว่าง", "မြန်မာဘာသာစကား",
                                  "ភាសាខ្មែរ", "abc天地玄黃宇宙"])
def test_a_script_without_spaces_is_refused(text):
    with pytest.raises(UserError) as caught:
        fitted(WORD, corpus=text)
    assert (caught.value.code, caught.value.where) == ("conflict", "data.tokenizer")


@pytest.mark.parametrize("text", ["한국어는 띄어쓰기가 있다", "русский язык", "اللغة العربية", "हिन्दी भाषा", "Greek: ὁ λόγος", "",
                                  "mostly English words and one of 日本"])
def test_a_script_with_spaces_is_taken(text):
    fitted(WORD, corpus=text)


@pytest.mark.parametrize("text", ["a b c d 日本 1 2 3 4 5 6 7 8 9", "日本 の 本 a b c d e f g", "words of one 日本 and more words", "天地 玄黃"])
def test_words_are_proposed_only_where_they_can_be_fitted(text):
    if find_tokenizer([text]) == "word":
        fitted(WORD, corpus=text)
    else:
        with pytest.raises(UserError):
            fitted(WORD, corpus=text)
