"""What a pattern allows next, against Python's own regular expressions."""


import re

import numpy as np
import pytest

from unroll.base.errors import UserError
from unroll.generation.pattern import Pattern

LETTERS = "ab1.世"
SINGLE = [None, *(each.encode() for each in LETTERS)]


def everything(pattern: Pattern, vocabulary: list[bytes | None], length: int) -> set[str]:
    """Every text that can be written, up to the length."""
    found, open_ends = set(), [(np.zeros(1, np.int64), b"", length)]
    while open_ends:
        state, text, left = open_ends.pop()
        allowed = np.flatnonzero(pattern.allowed(state, left, True)[0])
        assert left == 0 or len(allowed) or pattern.over(state)[0]
        if left == 0 or pattern.over(state)[0]:
            found.add(text.decode())
            continue
        for symbol in allowed:
            after = pattern.follow(state, np.array([symbol]), left)
            if after[0] < 0:
                found.add(text.decode())
            else:
                open_ends.append((after, text + vocabulary[symbol], left - 1))
    return found


def matching(pattern: str, length: int) -> set[str]:
    texts = {""}
    for _ in range(length):
        texts |= {text + letter for text in texts for letter in LETTERS}
    return {text for text in texts if re.fullmatch(pattern, text)}


@pytest.mark.parametrize("pattern", ["a", "(ab|ba)+1?", "[ab]{2,3}", "a*", "世+a|1", r"\d\.?", "(a|ab)(b|1)", ".b."])
def test_what_can_be_written_is_what_matches(pattern):
    assert everything(Pattern(pattern, SINGLE, 4), SINGLE, 4) == matching(pattern, 4)


def test_symbols_of_several_characters_and_of_parts_of_one():
    parts = [b"a", b"ab", b"b", b"1", b".", *(bytes([each]) for each in "世".encode())]
    assert everything(Pattern("(ab)+世?", parts, 5), parts, 5) >= {"ab", "abab", "ab世", "ababab", "ababababab"}


def test_what_is_left_is_enough_to_match():
    pattern = Pattern("a+b{3}", SINGLE, 5)
    state = np.zeros(1, np.int64)
    for left in (5, 4):
        state = pattern.follow(state, np.array([1]), left)
    assert np.flatnonzero(pattern.allowed(state, 3, True)[0]).tolist() == [2], "another a would leave too few for b"
    assert np.flatnonzero(pattern.allowed(state, 4, True)[0]).tolist() == [1, 2]


def test_where_it_matches_anything_may_follow_unless_it_may_not_end():
    pattern = Pattern("a+", SINGLE, None)
    state = pattern.follow(np.zeros(1, np.int64), np.array([1]), None)
    assert pattern.allowed(state, None, True).all()
    assert np.flatnonzero(pattern.allowed(state, None, False)[0]).tolist() == [1]
    assert pattern.follow(state, np.array([2]), None) == [-1]


def test_what_always_goes_on_ends_by_the_end_symbol_alone():
    pattern = Pattern("[ab]*", SINGLE, None, end=0, always=True)
    assert np.flatnonzero(pattern.allowed(np.zeros(1, np.int64), None, True)[0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(pattern.allowed(np.zeros(1, np.int64), None, False)[0]).tolist() == [1, 2]


@pytest.mark.parametrize(("pattern", "where", "code"), [
    ("(", "pattern", "unsupported"), ("a(?=b)", "pattern", "unsupported"), (r"(a)\1", "pattern", "unsupported"),
    ("xyz{3}", "pattern", "unknown-symbol"), ("a{6}", "pattern, length", "conflict"),
])
def test_what_cannot_be_met_is_one_line(pattern, where, code):
    with pytest.raises(UserError) as caught:
        Pattern(pattern, SINGLE, 5)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert "\n" not in str(caught.value) and repr(pattern) in str(caught.value)
