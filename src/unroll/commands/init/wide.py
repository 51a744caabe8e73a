"""Whether a table has a series in each row, whose steps are columns, or in each column: from its first rows."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.draft import Options, known, report
from unroll.data.spec import Reading, WideReading
from unroll.readers.common.columns import to_numbers
from unroll.readers.common.forms import forms
from unroll.readers.common.marks import without_missing
from unroll.readers.common.tables import first_rows
from unroll.readers.common.wide import NAME, VALUE

FEWEST = 8          # columns that are numbered one after another, before they are taken for steps
DATES = 3           # the same of dates
NUMBERED = re.compile(r"(.*?)(\d+)")


def find_wide(files: Sequence[Path], reading: Reading, options: Options) -> tuple[Reading, Options]:
    """How the table is read, and the options with what follows from that; both unchanged where a row is a step."""
    if options.wide == "none":
        return reading, options
    block = first_rows(files[0], reading)
    names = block.column_names
    texts = [name for name in names if not _numeric(block[name], reading)]
    if options.wide == "columns":
        return _of_columns(reading, options, names, texts)
    dated = [name for name in names if name in _dates(names)]
    steps = dated or _numbered([name for name in names if name not in texts])
    keep = [name for name in names if name not in steps]
    series = [name for name in keep if len(block) > 1 and len(block[name].unique()) == len(block)]
    asked = options.wide == "rows"
    named = {*options.targets, *options.inputs, *filter(None, (options.time, options.series))} & {*steps}
    if not asked and (not series or named or len(steps) < (DATES if dated else FEWEST) or (not dated and {*keep} - {
            *texts})):
        return reading, options
    if not steps or (not series and options.series is None):
        raise UserError("conflict", "--wide rows", "no columns of steps, named by dates or numbers one after another, "
                        "beside one that names the series of each row. Leave it out, or rename the columns.")
    own = known(options.series, keep, "--series") if options.series not in (None, "none") else series[0]
    report("layout", f"a series in each row, named by {own!r}; its steps are the columns {steps[0]!r} to "
           f"{steps[-1]!r}", "--wide none or columns")
    time = options.time or (NAME if dated else "none")
    return _wide(reading, keep, "rows"), replace(_forecast(options), series=own, time=time)


def _of_columns(reading: Reading, options: Options, names: list[str], texts: list[str]) -> tuple[Reading, Options]:
    keep = [known(options.time, names, "--time")] if options.time not in (None, "none") else texts
    steps = [name for name in names if name not in keep]
    if not steps:
        raise UserError("conflict", "--wide columns", "no column of numbers. Leave it out.")
    report("layout", f"a series in each column: {', '.join(map(repr, steps[:3]))}{', …' * (len(steps) > 3)}",
           "--wide none or rows")
    return _wide(reading, keep, "columns"), replace(_forecast(options), series=NAME)


def _wide(reading: Reading, keep: list[str], series: Any) -> Reading:
    return reading.model_copy(update={"wide": WideReading(keep=tuple(keep), series=series)})


def _forecast(options: Options) -> Options:
    """The options, with a forecast of the values as the task unless they ask for another."""
    return replace(options, task=options.task or "forecast", targets=options.targets or (VALUE,))


def _numeric(column: Any, reading: Reading) -> bool:
    return to_numbers(without_missing(column, reading.na_values), reading.decimal) is not None


def _dates(names: Sequence[str]) -> set[str]:
    """The names that are times in the form that most of them have, but for years alone, which may be numbers."""
    dated = [name for name in names if re.search(r"\d", name) and not re.fullmatch(r"\D*\d{1,5}", name)]
    fitting = forms(np.array(dated, dtype=object)) if len(dated) >= DATES else ()
    return {*dated} if fitting else set()


def _numbered(names: Sequence[str]) -> list[str]:
    """The longest stretch of names that are one prefix with numbers one after another."""
    runs: list[list[str]] = [[]]
    for name in names:
        last = runs[-1][-1:]
        if not last or _follows(last[0], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    longest = max(runs, key=len)
    return longest if len(longest) >= DATES else []


def _follows(last: str, name: str) -> bool:
    one, other = NUMBERED.fullmatch(last), NUMBERED.fullmatch(name)
    return one is not None and other is not None and one[1] == other[1] and int(other[2]) == int(one[2]) + 1
