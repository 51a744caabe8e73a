"""Events: a long table, and another one with a row a series."""

from functools import partial

from unroll.config.sources.events import Settings
from unroll.data.source import Source
from unroll.data.spec import EventsReading, Reading, TableReading
from unroll.readers.common.columns import Columns
from unroll.readers.common.marks import marks
from unroll.readers.common.spool import Spool
from unroll.readers.common.tables import read_parts
from unroll.sources.common.access import Access
from unroll.sources.common.event_columns import check_event_columns
from unroll.sources.common.event_series import event_series


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """Tables of any format below data/raw; raises `UserError` naming file, row and column, or the setting."""
    check_event_columns(settings)
    spool = partial(Spool, access.scratch)
    reading = reading_of(settings)
    used = [settings.series, settings.time, settings.channel, *filter(None, [settings.value])]
    table = Columns(read_parts(access.files(settings.path), reading, used, spool))
    outcomes = None
    if settings.outcomes is not None:
        beside = [column for name, columns in settings.columns.items() if name not in settings.step_inputs
                  for column in columns]
        files = access.files(settings.outcomes, "data.outcomes")
        beside += [settings.series, *filter(None, [settings.group])]
        outcomes = Columns(read_parts(files, reading, beside, spool))
    return event_series(settings, reading, table, outcomes, access.scratch), settings.path, settings.licence


def reading_of(settings: Settings) -> Reading:
    events = EventsReading(channel=settings.channel, value=settings.value, bin=settings.bin, several=settings.several,
                           until=settings.until, others=())
    rows = TableReading(series=settings.series, time=settings.time, time_format=settings.time_format, joint="",
                        events=events)
    return Reading(encoding=settings.encoding, delimiter=settings.delimiter, decimal=settings.decimal,
                   header=settings.header, skip=settings.skip, comment=settings.comment, units=settings.units,
                   thousands=settings.thousands, sheet=settings.sheet, na_values=marks(settings.na_values),
                   table=rows)
