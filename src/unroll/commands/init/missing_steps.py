"""What becomes of the missing steps of series to forecast."""

from typing import Any, Literal

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.cycles import cycles_of_rows
from unroll.commands.init.draft import Options, report
from unroll.commands.init.roles import Roles
from unroll.config.data import ForecastConfig
from unroll.data.source import SPLITS
from unroll.sources.common.memory import numbered
from unroll.sources.common.series import Series

Way = Literal["ignore", "refuse", "split", "fill"]
LEFT = 0.7      # share of the windows that has to be left where series are split


def find_gaps(roles: Roles, options: Options, forecast: dict[str, Any], share: float) -> Way:
    """Series are split where steps are missing, or filled where too little would be left of them.

    Rows follow one another where what is missing is not unknown: holidays, nights.
    """
    spacing = roles.spacing
    if spacing.frequency is None:
        if options.gaps not in (None, "ignore"):
            raise UserError("conflict", "--gaps", "no step on which nearly all times agree. Leave it out.")
        return "ignore"
    way: Way = options.gaps or ("ignore" if spacing.frequency.business else "split")     # type: ignore[assignment]
    if spacing.gaps is None:
        return way
    words = {"split": "each series is split there", "ignore": "the rows there follow one another",
             "fill": "rows without values there", "refuse": "refused"}
    offsets = np.concatenate([[0], np.cumsum(roles.lengths())])
    stretches = spacing.gaps.stretches(offsets)
    reason = ""
    if way == "split" and options.gaps is None and _windows(roles, forecast, share, stretches) < LEFT * _windows(
            roles, forecast, share, None):
        closed = cycles_of_rows(roles) or spacing.gaps.counts.sum() > len(roles.codes)
        way, reason = "ignore" if closed else "fill", ", since too little would be left of stretches without gaps"
    report("gaps", f"{spacing.missing}: {words[way]}{reason}", "--gaps ignore, refuse, split or fill")
    return way


def _windows(roles: Roles, forecast: dict[str, Any], share: float, stretches: Any) -> int:
    """How many forecasts there are; 0 where a split of a series has none."""
    lengths = roles.lengths()
    try:
        source = Series("x", [np.arange(length) for length in lengths], numbered(len(lengths)),
                        ForecastConfig(**forecast), share, share, {}, stretches)
    except UserError:
        return 0
    least = forecast["context"] + forecast["season"] + forecast["horizon"]
    return sum(len(piece["x"]) - least + 1 for split in SPLITS for piece in source.pieces(split))
