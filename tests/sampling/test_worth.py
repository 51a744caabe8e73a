"""Figures about samples against the slowest way to get them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.sampling import worth
from unroll.sampling.worth import longest_copy, words_in_corpus

SHORT = st.text("abc", max_size=12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(SHORT, max_size=3), st.text("abc", max_size=30))
def test_the_longest_copy_is_the_longest_of_all_stretches(samples, corpus):
    stretches = [each[start:stop] for each in samples for start in range(len(each)) for stop in range(len(each) + 1)]
    longest = max((len(each) for each in stretches if each in corpus), default=0)
    copied = longest_copy(samples, corpus)
    assert len(copied) == longest
    assert copied in corpus
    assert longest == 0 or any(copied in each for each in samples)


def test_a_copy_is_found_where_two_chunks_of_the_corpus_meet(monkeypatch):
    monkeypatch.setattr(worth, "CHUNK", 8)
    corpus = "".join(chr(0x4E00 + number) for number in range(40))
    for start in range(40 - 11):
        assert longest_copy(["x" + corpus[start : start + 11] + "y"], corpus) == corpus[start : start + 11]


def test_a_copy_may_stand_anywhere_in_any_sample():
    assert longest_copy(["xyz", "..quick brown?"], "the quick brown fox") == "quick brown"
    assert longest_copy(["the quick brown fox"], "the quick brown fox") == "the quick brown fox"
    assert longest_copy(["xyz"], "abc") == longest_copy([], "abc") == longest_copy([""], "abc") == ""


@pytest.mark.parametrize(
    ("samples", "share"),
    [
        (["The cat"], 1.0),
        (["the dog", "sat"], 2 / 3),
        (["cats sa t"], 0.0),
        (["the the the dog"], 0.75),
        (["the_cat sat2sat, THE-cat!"], 1.0),
        (["Été"], 1.0),
        (["", "12 _ !?"], 0.0),
        ([], 0.0),
    ],
)
def test_words_count_by_occurrence_in_lower_case_without_digits(samples, share):
    assert words_in_corpus(samples, "The cat sat. L'été!") == pytest.approx(share)
