"""How times may be written."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from unroll.readers.common.forms import forms
from unroll.readers.common.times import stamps


@pytest.mark.parametrize(("cells", "form", "second"), [
    (["Jan 1 2000", "Feb 1 2000"], "%b %d %Y", "2000-02-01"), (["January 1, 2000", "March 1, 2000"], "%B %d, %Y", "2000-03-01"),
    (["2015Q1", "2015Q2"], "%YQ%q", "2015-04-01"), (["2015-Q4", "2016-q1"], "%Y-Q%q", "2016-01-01"),
    (["Q1 2015", "Q3 2015"], "Q%q %Y", "2015-07-01"), (["2010年1月", "2010年12月"], "%Y年%m月", "2010-12-01"),
    (["2010年1月5日", "2010年12月31日"], "%Y年%m月%d日", "2010-12-31"), (["5-Jan-15", "6-Jan-15"], "%d-%b-%y", "2015-01-06"),
    (["Mon, 05 Jan 2015", "Tue, 06 Jan 2015"], "%a, %d %b %Y", "2015-01-06"), (["2015-01", "2015-02"], None, "2015-02-01"),
    (["2015-01-01T00:00Z", "2015-01-01T01:00Z"], None, "2015-01-01 01:00"),
    (["2015-01-01T00:00+02:00", "2015-01-01T03:00+01:00"], None, "2015-01-01 02:00"),
])
def test_a_way_of_writing_is_found_and_read(cells: list[str], form: str | None, second: str) -> None:
    assert forms(np.array(cells, dtype=object)) == (form,)
    assert stamps(cells, form)[1] == pd.Timestamp(second, tz="UTC")


@pytest.mark.parametrize("cells", [
    ["2015-01-01T00:00", "2015-01-01T01:00Z"], ["2015Q1", "2015Q5"], ["2015Q1", "2015-04"], ["item 5", "item 6"],
    ["1.1.3", "2.3.4"], ["12:00", "13:00"], ["Jan 1 2000", "2000-02-01"],
])
def test_what_is_written_otherwise_or_in_two_ways_is_no_time(cells: list[str]) -> None:
    assert forms(np.array(cells, dtype=object)) == ()


@pytest.mark.parametrize(("cells", "form", "expected"), [
    (["1640995200", "1640998800"], "epoch s", ["2022-01-01", "2022-01-01 01:00"]),
    (["1640995200000", "1640998800000"], "epoch ms", ["2022-01-01", "2022-01-01 01:00"]),
    (["1640995200000000001"], "epoch ns", ["2022-01-01 00:00:00.000000001"]),
    (["1949.0", "1949.083", "1949.167", "1949.917"], "decimal year", ["1949-01-01", "1949-02-01", "1949-03-01", "1949-12-01"]),
    (["1949.00", "1949.08", "1949.17", "1949.92"], "decimal year", ["1949-01-01", "1949-02-01", "1949-03-01", "1949-12-01"]),
    (["1960", "1960.25", "1960.5"], "decimal year", ["1960-01-01", "1960-04-01", "1960-07-01"]),
    (["2001.0027", "2001.0055"], "decimal year", ["2001-01-02", "2001-01-03"]),
])
def test_numbers_are_times(cells: list[str], form: str, expected: list[str]) -> None:
    assert stamps(cells, form).tolist() == [pd.Timestamp(each, tz="UTC") for each in expected]


def test_cells_that_are_no_such_number_are_no_times() -> None:
    read: Any = [stamps(["1640995200", "soon"], "epoch s"), stamps(["1949.5", ""], "decimal year"), stamps(["2015Q1", "Q1"], "%YQ%q")]
    assert [each.isna().tolist() for each in read] == [[False, True]] * 3


@pytest.mark.parametrize("form", ["Q%q", "%Y-Q%q-%d", "%Q"])
def test_a_format_that_is_none_is_an_error(form: str) -> None:
    with pytest.raises(ValueError):
        stamps(["2015-Q1"], form)
