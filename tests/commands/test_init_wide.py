"""`unroll init` finds a series in each row by the names of the columns, and reads one in each column when told to."""

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused
from unroll.commands.init.draft import Options
from unroll.commands.init.wide import find_wide
from unroll.data.spec import Reading

DRAW = np.random.default_rng(3)
MONTHS = [f"{year}-{month:02}" for year in range(2000, 2005) for month in range(1, 13)]


def wide(names: list[str], count: int = 12) -> pd.DataFrame:
    """Rows of a year's cycle, each with a name of its own."""
    values = 100 + 20 * np.sin(2 * np.pi * np.arange(len(names)) / 12) + DRAW.standard_normal((count, len(names)))
    return pd.DataFrame(values.round(2), columns=names).assign(item=[f"item {n}" for n in range(count)])


def test_months_as_columns_are_the_steps_of_a_series_in_each_row(project, capsys):
    config, source = init(brought(project, "a.csv", wide(MONTHS)))
    assert (config.data.wide, config.data.series, config.data.time) == (["item"], "item", "name")
    assert config.data.columns == {"x": ["value"]} and config.data.targets == {"x": "forecast"}
    assert config.data.frequency == "MS" and config.data.forecast.season == 12
    assert [place.name for place in source.places("train")] == [f"item {n}" for n in range(12)]
    assert "--wide" in capsys.readouterr().out


def test_numbered_columns_behind_a_name_are_steps_and_padding_is_none(project):
    table = wide([f"V{n}" for n in range(2, 62)])
    table.loc[::2, "V50":"V61"] = np.nan                # as in the files of the M4 competition
    table = table[["item", *table.columns[:-1]]].rename(columns={"item": "V1"})
    config, source = init(brought(project, "a.csv", table))
    assert (config.data.wide, config.data.series, config.data.time) == (["V1"], "V1", None)
    assert {len(piece["x"]) for piece in source.pieces("train")} < {*range(20, 45)}
    assert len({len(piece["x"]) for piece in source.pieces("train")}) == 2


@pytest.mark.parametrize("columns", [["label", *(f"f{n}" for n in range(20))], ["item", "a", "b", "c"],
                                     ["item", *(f"x{n}" for n in (1, 5, 9, 12, 20, 33, 40, 41, 60))]])
def test_other_tables_have_a_step_in_each_row(project, columns):
    names, rows = columns[1:], 40
    table = pd.DataFrame(DRAW.standard_normal((rows, len(names))), columns=names)
    table.insert(0, columns[0], [f"{'ab'[n % 2]}{n // 20 if columns[0] == 'item' else ''}" for n in range(rows)])
    read, options = Reading(delimiter=","), Options()
    assert find_wide([brought(project, "a.csv", table)], read, options) == (read, options)


def test_a_series_in_each_column_is_asked_for(project):
    table = wide(MONTHS, 3).set_index("item").T.reset_index(names="month")
    assert init(brought(project, "a.csv", table))[0].data.columns == {"x": ["item 0", "item 1", "item 2"]}


def test_a_series_in_each_column_is_one_of_several(project):
    table = wide(MONTHS, 3).set_index("item").T.reset_index(names="month")
    config, source = init(brought(project, "a.csv", table), "--wide", "columns")
    assert (config.data.wide, config.data.series, config.data.time) == (["month"], "name", "month")
    assert config.data.frequency == "MS"
    assert [place.name for place in source.places("train")] == ["item 0", "item 1", "item 2"]


@pytest.mark.parametrize(("names", "options", "where"), [
    (["a", "b", "c"], ("--wide", "rows"), "--wide rows"),
    ([], ("--wide", "columns"), "--wide columns"),
])
def test_a_layout_that_the_table_has_not_is_refused(project, capsys, names, options, where):
    assert refused(capsys, project, brought(project, "a.csv", wide(names)), *options) == ("conflict", where)
