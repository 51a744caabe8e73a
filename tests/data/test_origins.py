"""Windows by number stand where a list of them would."""

from itertools import pairwise

import numpy as np
import pytest

from unroll.data.origins import Windows


def listed(offsets: list[int], rows: int, after: int, stride: int) -> np.ndarray:
    return np.array([(start, start + rows) for first, last in pairwise(offsets)
                     for start in range(first, last - rows - after + 1, stride)]).reshape(-1, 2)


@pytest.mark.parametrize("offsets", [[0, 20], [0, 0, 9, 10, 30, 37, 45, 45], [0, 3]])
@pytest.mark.parametrize(("rows", "after", "stride"), [(5, 2, 1), (7, 0, 1), (5, 2, 4), (4, 1, 100)])
def test_windows_stand_where_a_list_has_them(offsets, rows, after, stride):
    windows, expected = Windows.every(np.array(offsets), rows, after, stride), listed(offsets, rows, after, stride)
    assert len(windows) == windows.of == len(expected)
    np.testing.assert_array_equal(np.asarray(windows), expected)
    assert [*map(tuple, windows)] == [*map(tuple, expected)]
    np.testing.assert_array_equal(windows.series(slice(None)),
                                  np.searchsorted(offsets, expected[:, 0], side="right") - 1)
    for some in (slice(1, None, 2), np.arange(len(expected)) % 3 == 1, np.arange(len(expected))[1:4]):
        for part, rest in ((windows.only(some), expected[some]), (windows.only(some).only(slice(1, 3)),
                                                                  expected[some][1:3])):
            np.testing.assert_array_equal(np.asarray(part), rest)
            np.testing.assert_array_equal(part[: len(rest) // 2, 1], rest[: len(rest) // 2, 1])
    if len(expected):
        assert [*windows[-1]] == [*expected[-1]] and [*windows.only(slice(None, None, 2))[0]] == [*expected[0]]


def test_no_window_lies_outside():
    with pytest.raises(IndexError):
        Windows.every(np.array([0, 20]), 5, 2)[np.array([14])]
    assert [*Windows.every(np.array([0, 20]), 5, 2)[13]] == [13, 18]


def test_a_number_of_them_is_spread_evenly_over_all():
    windows = Windows.every(np.array([0, 1_000_000, 3_000_000]), 48, 24)
    some = windows.at_most(100)
    assert (len(some), some.of) == (100, len(windows)) and windows.at_most(None) is windows
    assert windows.at_most(len(windows)) is windows
    np.testing.assert_allclose(np.diff(some[:, 0]), 30_000, atol=100)


def test_windows_that_cannot_be_used_are_none(monkeypatch):
    monkeypatch.setattr("unroll.data.origins.STRETCH", 3)
    windows = Windows.every(np.array([0, 20, 40]), 5, 2)
    usable = windows.which(lambda bounds: bounds[:, 0] % 2 == 0)
    even = windows.where(usable)
    assert len(usable) == 28 and (even[:, 0] % 2 == 0).all() and len(even) == even.of == 14
    assert windows.where(np.ones(28, bool)) is windows
    assert len(windows.only(slice(0, 0)).which(lambda bounds: bounds[:, 0] > 0)) == 0
