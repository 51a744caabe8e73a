"""Cells that hold a sequence of their own."""

import numpy as np
import pytest

from tests.refusals import refusal
from unroll.data.spec import Reading, TableReading
from unroll.readers.common.columns import Columns
from unroll.readers.common.own import own_of_rows
from unroll.readers.common.sequences import Rows
from unroll.readers.common.tables import read_parts


@pytest.mark.parametrize(("rows", "code", "where"), [
    (["1 2,", ",3 x"], "bad-number", "row 3, column 'q'"),
    (["1 2,", ",3"], "unequal-lengths", "row 3, column 'q'"),
    ([",3 4", "x 2,"], "bad-number", "row 3, column 'p'"),
])
def test_the_row_at_fault_is_the_first_that_fills_its_column(tmp_path, rows, code, where):
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["p,q", *rows]) + "\n")
    table = Columns(read_parts([file], Reading(table=TableReading(series=None, time=None, time_format=None, joint="")), ["p", "q"]))
    cells = [*zip(table.texts("p", None), table.texts("q", None), strict=True)]
    sequence = Rows("1", np.arange(len(rows)))
    assert refusal(lambda: own_of_rows(table, ["p", "q"], cells, False, lambda: sequence, ""), f"{file}, ") == (code, where)
