"""Categories as a user gives them to a model: spelt as in training, or as values that mean the same."""

from typing import Any

import numpy as np
import pytest

from tests.refusals import refusal
from tests.specs import make_spec
from unroll.prediction.sequences import SequenceReader

CATEGORIES = [["", "1", "true"], ["2.0", "False", "a"]]     # numbers 1 to 3 of each; 0: another one
STEPS: dict[str, Any] = {"kind": "categories", "size": 8, "width": 2, "categories": CATEGORIES}


def reader(per: str) -> SequenceReader:
    others = {} if per == "step" else {"x": {"kind": "real", "size": 1, "scale": {"mean": [0.0], "deviation": [1.0]}}}
    spec = make_spec({"s": {**STEPS, "per": per}, **others}, {"y": {"kind": "reals", "per": "sequence", "size": 1}}, layout="items")
    return SequenceReader(spec, {}, None)


def numbers(values: Any, per: str = "sequence") -> list[Any]:
    """The numbers of the categories, counted from 0 in each column."""
    given = values if per == "step" else {"s": values, "x": [0.0]}
    read: list[Any] = (reader(per).sequence("it", given, False)["s"] - np.array([0, 4])).tolist()
    return read


@pytest.mark.parametrize("given, expected", [
    (["1", "a"], [2, 3]), ([True, False], [3, 2]), ([np.True_, np.False_], [3, 2]), ([1, 2], [2, 1]), ([1.0, 2.0], [2, 1]),
    ([np.int64(1), np.float32(2)], [2, 1]), ([None, "a"], [1, 3]), ([float("nan"), "a"], [1, 3]), (["A", "b"], [0, 0]),
    ([1.5, float("inf")], [0, 0]), (np.array([True, False]), [3, 2]), (np.array(["1", "a"]), [2, 3]),
    (["True", "FALSE"], [3, 2]), (["1.0", "2"], [2, 1]), (["1.00", "2e0"], [2, 1]), (["inf", "nan"], [0, 0]), ([2**70, 10**400], [0, 0]),
], ids=str)
def test_a_category_is_what_means_the_same(given, expected):
    assert numbers(given) == expected


def test_true_is_not_one():
    assert numbers([[1, "a"], [True, 2]], "step") == [[2, 3], [3, 1]]


@pytest.mark.parametrize("given", [
    [["1", "a"], [True, 2]], np.array([["1", "a"], [True, 2]], dtype=object),
    np.array([np.array(["1", "a"], dtype=object), np.array([True, 2], dtype=object)], dtype=object),
], ids=["lists", "an array", "arrays in an array"])
def test_categories_of_steps_are_rows(given):
    assert numbers(given, "step") == [[2, 3], [3, 1]]


@pytest.mark.parametrize("given", [[["1", "a"], ["1"]], ["1", "a", "1"], [["1"], ["a"]], [[["1", "a"]]], [[{"1": 2}, "a"]], None], ids=str)
def test_rows_of_other_widths_are_refused(given):
    assert refusal(lambda: reader("step").sequence("it", given, False)) == ("wrong-type", "it")
