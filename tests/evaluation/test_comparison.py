"""A model beside its baselines, as a file."""

import json

import pytest

from unroll.base.errors import UserError
from unroll.evaluation.comparison import Comparison, read_comparisons, write_comparisons


def test_what_was_written_is_read(tmp_path):
    comparisons = {"label": Comparison("accuracy", "accuracy", True, 0.9, {"majority": 0.5}),
                   "amount": Comparison("mse", "mean squared error", False, 2.0, {})}
    write_comparisons(tmp_path / "card" / "comparison.json", comparisons)
    read = read_comparisons(tmp_path / "card" / "comparison.json")
    assert read == comparisons and list(read) == ["label", "amount"]


@pytest.mark.parametrize(("higher", "names", "best"), [(True, ["b", "ours", "a"], "b"), (False, ["a", "ours", "b"], "a")])
def test_the_best_comes_first(higher, names, best):
    comparison = Comparison("m", "unit", higher, 2.0, {"a": 1.0, "b": 3.0})
    assert [name for name, _ in comparison.ranked("ours")] == names
    assert comparison.best_baseline()[0] == best
    assert Comparison("m", "unit", higher, 2.0, {}).best_baseline() is None


@pytest.mark.parametrize(("content", "code"), [
    (None, "missing-file"), ("{", "damaged"), ("[1]", "damaged"), (json.dumps({"measure": "bpc"}), "damaged"),
])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, content, code):
    path = tmp_path / "comparison.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        read_comparisons(path)
    assert (error.value.code, error.value.where) == (code, str(path))
