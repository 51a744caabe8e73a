"""Tables with a row a series, beside a table of their events."""

from unroll.base.errors import UserError
from unroll.readers.common.columns import Columns
from unroll.readers.common.events import Events


def rows_of_series(table: Columns, column: str, events: Events, file: str) -> tuple[list[str], list[int | None]]:
    """The series of each row, and which of the events' it is; None: it has no event.

    Raises `UserError` on a series with two rows, and on an event whose series has none in the table, which is `file`.
    """
    names = table.texts(column, "empty. Each row is of a series.")
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        if rows.setdefault(name, row) != row:
            raise UserError("ambiguous", table.where(row, column), f"{name!r} already has {table.where(rows[name])}. "
                            "Each series has one row: leave one of them out.")
    order: list[int | None] = [None] * len(names)
    for at in range(len(events)):
        name = events.name(at)
        if name not in rows:
            raise UserError("unknown-name", events.where(at, column), f"series {name!r} has no row in {file}. Add it, "
                            "or leave its events out.")
        order[rows[name]] = at
    return names, order
