"""Columns of text that hold numbers, read without making objects of their cells, are what cell by cell gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unroll.commands.init.columns import Column, find_columns
from unroll.data.spec import Reading
from unroll.readers.common.tables import Part


def column(cells: list[str | None], kind: Any, **settings: Any) -> Column:
    table = pa.table({"a": pa.chunked_array([cells[:2], cells[2:]], kind)})
    (found,) = find_columns([Part(Path("a.csv"), Reading(**settings), table)])
    return found


@pytest.mark.parametrize(("cells", "settings", "values", "word"), [
    (["1", "2.5", " 3 ", "-4e2"], {}, [1.0, 2.5, 3.0, -400.0], None),
    (["1", "", "  ", "2"], {}, [1.0, np.nan, np.nan, 2.0], None),
    (["1", "", " NA", "null"], {}, [1.0, np.nan, np.nan, np.nan], (2, " NA")),
    (["-999", "2", "absent", "NaN"], {"na_values": (-999.0, "absent")}, [np.nan, 2.0, np.nan, np.nan], (0, "-999")),
    (["1,5", "2", "", "3"], {"decimal": ","}, [1.5, 2.0, np.nan, 3.0], None),
    (["", "", "", ""], {}, [np.nan] * 4, None),
    ([None, "1", "2", None], {}, [np.nan, 1.0, 2.0, np.nan], None),
])
def test_numbers_are_read_alike(
    cells: list[str | None], settings: dict[str, Any], values: list[float], word: tuple[int, str] | None
) -> None:
    for kind in (pa.string(), pa.large_string()):       # the second is read cell by cell
        found = column(cells, kind, **settings)
        assert (found.kind, found.word, found.missing) == ("number", word, np.isnan(values).mean())
        np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize("cells", [["1", "x", "2", "3"], ["1.5", "2", "3", "4,5"], ["2020-01-01", "", "2020-01-02", "2020-01-03"]])
def test_other_cells_are_no_numbers(cells: list[str | None]) -> None:
    kinds = [column(cells, kind).kind for kind in (pa.string(), pa.large_string())]
    assert kinds[0] == kinds[1] != "number"
