"""Figures about samples against the slowest way to get them."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.conftest import table, written
from unroll.baselines.ngrams import witten_bell
from unroll.data.tokenizers import char
from unroll.generation import worth as module
from unroll.generation.rows import RowSample
from unroll.generation.rows_worth import rows_worth
from unroll.generation.text import Sample
from unroll.generation.worth import (
    Data,
    copied_share,
    distinct,
    divergence,
    longest_copy,
    loop_rate,
    ngram_bits,
    stretches,
    text_worth,
    words_in_corpus,
)
from unroll.sources.common.memory import OneStream

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
    monkeypatch.setattr(module, "CHUNK", 8)
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


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(SHORT, max_size=3), st.text("abc", max_size=30), st.integers(1, 5))
def test_the_copied_share_counts_each_character_once(samples, corpus, length):
    copied = [any(each[start : start + length] in corpus for start in range(max(0, at - length + 1), at + 1)
                  if start + length <= len(each)) for each in samples for at in range(len(each))]
    assert copied_share(samples, corpus, length) == pytest.approx(sum(copied) / max(1, len(copied)))


@pytest.mark.parametrize(("text", "loops"), [
    ("abc" * 10, True), ("x" * 100 + "a" * 30, True), ("abc" * 9, False), ("Once upon a time" + " the end, the end," * 3, True),
    ("the end, " * 3 + "and then came Alice by herself", False), ("", False), ("ab" * 15 + "c", False),
])
def test_what_ends_in_a_loop(text, loops):
    assert loop_rate([text]) == loops
    assert loop_rate([text, "an honest sentence that goes nowhere twice"]) == loops / 2


def test_distinct_ngrams():
    assert distinct(["abab"], 2) == 2 / 3 and distinct(["abcd", "abcd"], 2) == 0.5 and distinct(["a", ""], 2) == 0


def test_divergence_is_nothing_between_equals_and_one_bit_between_strangers():
    assert divergence(["abab"], ["abab"], 2) == 0 and divergence(["aa"], ["bb"], 2) == 1
    expected = 0.5 * (math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
    assert divergence(["aa"], ["aab"], 2) == pytest.approx(expected)
    assert divergence([""], ["ab"], 2) == 0


def test_stretches_are_as_many_and_as_long():
    found = stretches("0123456789", ["aaa", "bb", "cccc"])
    assert found == ["012", "34", "6789"]


def data(order=2):
    tokenizer = char.Fitted("\nab", items=False)
    train, test = "aabbab" * 5, "abba\n" * 6
    return Data(train, test, tokenizer, tokenizer.encode(train), order)


def test_ngram_bits_are_of_each_group_by_itself():
    given = data()
    groups = [[Sample("", text, given.tokenizer.encode(text).tolist(), None) for text in texts] for texts in (["ab", "bb"], ["a"], [""])]
    first, second, nothing = ngram_bits(groups, given)
    alone = witten_bell(given.counted, np.array([1, 2]), given.tokenizer.size, 2)[1] / math.log(2)
    assert second == pytest.approx(alone) and first != second and math.isnan(nothing)


def test_real_text_stands_beside_the_samples():
    made = [Sample("", text, data().tokenizer.encode(text).tolist(), None) for text in ("abba", "bbbbbb")]
    metrics, rows = text_worth(made, {0.5: made[:1], 1.0: made}, data())
    assert metrics["samples/characters"] == 10 and metrics["samples/longest_copy"] == 4
    assert metrics["samples/real_ngram2_bpc"] > 0 and metrics["samples/real_divergence_3"] >= 0
    assert [row["temperature"] for row in rows] == [0.5, 1.0] and rows[0]["ngram2_bpc"] != rows[1]["ngram2_bpc"]
    nothing, _ = text_worth([Sample("", "", [], None)], {}, data())
    assert "samples/ngram2_bpc" not in nothing, "there is no such number"


def test_rows_are_compared_with_a_part_of_the_training_split_in_its_memory(tmp_path):
    length = 200_000
    rows = np.array(["a", "b"] * (length // 2), dtype=object)
    bounds = {"train": (0, length - 20), "validation": (length - 20, length - 10), "test": (length - 10, length)}
    source = OneStream({"one": rows, "two": rows[::-1]}, bounds)
    inputs = {"one": "categories", "two": "categories"}
    prepared = written(tmp_path, table(inputs, dict.fromkeys(inputs, "next")), source)
    sample = RowSample({name: np.array([[1], [2]]) for name in inputs}, 1, {})
    tracemalloc.start()
    metrics = rows_worth([sample], prepared, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert metrics["samples/known_rows"] == 0 and metrics["samples/test_known_rows"] == 1
    assert peak < length
