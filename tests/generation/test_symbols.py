"""Prompts into symbols; text as it comes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll.base.errors import UserError
from unroll.data.tokenizers import byte, char, word
from unroll.generation.symbols import Transcript, encode_prompt, never_drawn

quick = settings(max_examples=200, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.too_slow])     # a busy machine is no fault
START = np.array([10])


def written(text, stops=(), min_length=0, tokenizer=None):
    """The parts that came, and whether it was stopped."""
    tokenizer = tokenizer or byte.Fitted(items=False)
    writing, parts = Transcript(tokenizer, START, stops, min_length), []
    for symbol in tokenizer.encode(text).tolist():
        parts.append(writing.add(symbol))
        if writing.stopped:
            break
    return [*parts, writing.end()], writing.stopped


@quick
@given(st.text("abß世", max_size=30))
def test_no_part_is_half_a_character_and_all_are_the_text(text):
    parts, stopped = written(text)
    assert "".join(parts) == text and not stopped and "\ufffd" not in "".join(parts)


@quick
@given(st.text("ab", max_size=20), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_text_ends_before_the_first_stop_string(text, stops):
    parts, stopped = written(text, stops)
    # the stop string that is complete first ends the text
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    expected = text if not ends else text[: min(text[: min(ends)].find(stop) for stop in stops if stop in text[: min(ends)])]
    assert "".join(parts) == expected and stopped == bool(ends)


def test_what_may_become_a_stop_string_is_held_back():
    parts, _ = written("xab1abc", ["abc"])
    assert parts == ["x", "", "", "ab1", "", "", "", ""]
    assert written("xab", ["abc"])[0] == ["x", "", "", "ab"]


def test_before_the_least_length_no_string_stops():
    assert "".join(written("aXbXc", ["X"], min_length=3)[0]) == "aXb"
    assert "".join(written("0123456abXabY", ["ab"], min_length=9)[0]) == "0123456abX", "complete too early, it is text"
    assert "".join(written("01234567abXab", ["ab"], min_length=9)[0]) == "01234567"


def test_half_a_character_at_the_end_is_shown_as_such():
    writing = Transcript(byte.Fitted(items=False), START)
    assert [writing.add(each) for each in "世".encode()[:2]] == ["", ""] and writing.end() == "\ufffd"


def test_a_prompt_starts_with_the_begin_symbol():
    tokenizer = char.Fitted("\nabc", items=False)
    assert encode_prompt(tokenizer, "cab").tolist() == [1, 4, 2, 3]
    assert encode_prompt(tokenizer, "").tolist() == [1]
    assert encode_prompt(byte.Fitted(items=True), "A").tolist() == [256, 65]


def test_an_unknown_symbol_of_a_prompt_is_named_with_its_place():
    with pytest.raises(UserError) as caught:
        encode_prompt(char.Fitted("\nabc", items=False), "abäc€")
    assert (caught.value.code, caught.value.where) == ("unknown-symbol", "prompt 'abäc€'")
    assert "\n" not in str(caught.value) and "'ä' (symbol 3)" in str(caught.value)
    assert encode_prompt(char.Fitted("\nabc", items=False), "abäc€", replace_unknown=True).tolist() == [1, 2, 3, 0, 4, 0]


def test_an_unknown_word_of_a_prompt_is_named_whole():
    with pytest.raises(UserError, match=r"'flew' \(symbol 3\)"):
        encode_prompt(word.Fitted(["cat", "the"], lowercase=True, items=False), "The cat flew")


def test_a_tokenizer_without_an_unknown_symbol_takes_any_prompt():
    assert encode_prompt(byte.Fitted(items=False), "ä").tolist() == [10, 195, 164]


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        (char.Fitted("\nabc", items=False), [0]),
        (char.Fitted("abc", items=True), [0, 4]),
        (byte.Fitted(items=False), []),
        (byte.Fitted(items=True), [256]),
    ],
)
def test_no_sample_may_contain_the_unknown_symbol_or_the_begin_of_an_item(tokenizer, expected):
    assert sorted(never_drawn(tokenizer)) == expected
