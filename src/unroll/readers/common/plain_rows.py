"""A table's text without what is no row of it: lines before it, comments, a row of units below the header."""

from collections.abc import Iterator

from unroll.data.spec import Reading


def rows_alone(texts: Iterator[str], reading: Reading) -> Iterator[str]:
    """The same text with an empty line, which is no row, in the place of each such line: lines keep their numbers."""
    if not (reading.skip or reading.comment or reading.units):
        yield from texts
        return
    rest, emptied = "", _Emptied(reading)
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield "".join([emptied(line) + "\n" for line in lines])
    if rest:
        yield emptied(rest)


class _Emptied:
    """Line after line; what is between quotation marks may hold line ends and anything else."""

    def __init__(self, reading: Reading) -> None:
        self._skip, self._comment = reading.skip, reading.comment
        self._quoted = False
        self._before = 1 + reading.header if reading.units else 0       # rows up to the units, themselves included

    def __call__(self, line: str) -> str:
        if self._skip:
            self._skip -= 1
            return ""
        if not self._quoted and self._comment and line.lstrip().startswith(self._comment):
            return ""
        self._quoted ^= line.count('"') % 2 == 1
        if self._before and not self._quoted and line.strip():      # a row ends here
            self._before -= 1
            return "" if not self._before else line
        return line
