"""Series of electricity transformers (Zhou et al., 2021): a table with a column of dates, fetched."""

import numpy as np
import pandas as pd

from unroll.base.errors import UserError
from unroll.config.sources.ett import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.series import Series

DATE = "date"
SHARE = 0.2     # of the rows used, for validation and for test each


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    table = pd.read_csv(access.fetch(settings.url, settings.sha256)).drop(columns=DATE)
    if len(table) < settings.rows:
        raise UserError("too-short", "data.rows", f"the table has {len(table):,} rows, not {settings.rows:,}. Choose "
                        "fewer.")
    (field,) = settings.inputs
    source = Series(field, [table.to_numpy(np.float64)[: settings.rows]], ["1"], settings.forecast, SHARE, SHARE)
    source.columns = {field: list(table.columns)}
    return source, settings.url, settings.licence
