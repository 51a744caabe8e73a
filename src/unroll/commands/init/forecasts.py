"""Series to be forecast → a draft: horizon, context, season and shares that the series is long enough for."""

import re

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.beside import WORDS, find_beside
from unroll.commands.init.columns import Column
from unroll.commands.init.counts import are_counts
from unroll.commands.init.draft import Draft, Options, known, report
from unroll.commands.init.missing_steps import find_gaps
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.model import encoder, field_names
from unroll.commands.init.roles import Roles
from unroll.commands.init.seasons import find_season
from unroll.commands.init.table import Table
from unroll.commands.init.time_names import is_of_time

CODE = re.compile(r"(.*[_ ])?(id|uuid|code|zip|zipcode|postcode|phone|type|class|category)|.*[a-z](Id|ID|Code|Type)")
OWN = "a forecast reads its own past alone"
ORIGINS = 400       # forecasts of the validation split from which half of them are enough to calibrate intervals
EVAL_WINDOWS = 10_000       # enough for a coverage to within half a percent, were they independent
SHARES = (0.9, 0.75, 0.5, 0.25, 0.0)        # of all steps, which series that are long enough have together


def draft_forecast(table: Table, options: Options) -> Draft:
    roles = table.roles
    for column, kind in options.kinds:
        if kind != "none" and kind not in WORDS:
            raise UserError("no-effect", "--kind", f"a forecast does not read {column!r} as {kind}. Choose one of "
                            f"{', '.join(WORDS)}, or another --task.")
    left = {} if options.targets or options.inputs else {
        column.name: reason for column in roles.free() if (reason := _reason(column, roles, options)) is not None}
    read = [known(name, roles.columns, "--target") for name in options.targets or options.inputs] or [
        column.name for column in roles.free() if column.name not in left]
    if not read:
        raise UserError("missing-value", "--target", "no column of numbers to forecast. Name one: --target COLUMN.")
    for name in read:
        if roles.columns[name].kind != "number":
            raise UserError("wrong-type", "--target", f"column {name!r} holds {roles.columns[name].kind}, not numbers "
                            "to forecast.")
    report("task", f"forecast {', '.join(map(repr, read))} from {'its' if len(read) == 1 else 'their'} own past",
           "--task; --target COLUMN, again for each")
    beside = find_beside(roles, read, options)
    _report_left_out(roles, [*read, *(found.column.name for found in beside)], left)
    if roles.time is None:
        report("time", "no column: one step per row, in the order of the rows", "--time COLUMN")
    forecast, share = settings(roles, read, options)
    names = field_names([found.column.name for found in beside], ["x"], "input")
    others = dict(zip(names, beside, strict=True))
    data = table.data({"x": "real"} | {name: found.kind for name, found in others.items()}, {"x": "forecast"},
                      {"x": read} | {name: [found.column.name] for name, found in others.items()})
    gaps = find_gaps(roles, options, forecast, share)
    data |= {"forecast": forecast, "validation": share, "test": share, "gaps": gaps,
             "missing": find_missing([*(roles.columns[name] for name in read), *(
                 found.column for found in beside if found.column.kind == "number")], options, rows=gaps == "fill")}
    draft = Draft(f"The next {forecast['horizon']} steps of {', '.join(read)}.", data, "forecast", table.files,
                  notes={"validation": "share of each series' end, before the test's", "test": "share of its very end"})
    if others:
        draft.overrides["model"] = {"inputs": {name: encoder([found]) for name, found in others.items()}}
    head: dict[str, str] = {"loss": "negative_binomial"} if forecast["log"] == "counts" else {}
    if share * roles.lengths().sum() >= ORIGINS:
        head["calibration"] = "conformal"
        draft.notes["heads"] = "or none: intervals as the network says"
        report("intervals", "calibrated by the later half of the validation split; the earlier half chooses weights",
               "model.heads.x.calibration in conf/experiment")
    if head:
        draft.overrides.setdefault("model", {})["heads"] = {"x": head}
    return draft


def _reason(column: Column, roles: Roles, options: Options) -> str | None:
    """Why a column is not forecast, None where it is."""
    if (column.kind != "number" or column.missing == 1 or options.kind_of(column.name) is not None
            or column.name in options.future):
        return OWN
    if column.distinct == 1:
        return "the same in all rows"
    if roles.apart and roles.constant(column):
        return "the same in all rows of each series"
    if column.whole and CODE.fullmatch(column.name.strip()):
        return "by its name, codes rather than numbers"
    if roles.time is not None and column.whole and is_of_time(column.name):
        return "by its name, of the time"
    steps = roles.steps(column)
    if column.whole and len(steps) > 1 and (steps == 1).all():
        return "counts the rows"
    return None


def _report_left_out(roles: Roles, read: list[str], left: dict[str, str]) -> None:
    reasons: dict[str, list[str]] = {}
    for column in roles.free():
        if column.name not in read:
            same = column.kind == "number" and column.distinct == 1
            reasons.setdefault("the same in all rows" if same else left.get(column.name, OWN), []).append(column.name)
    for reason, names in reasons.items():
        more = "; --input COLUMN beside it, --future COLUMN where it is known ahead" if reason == OWN else ""
        report("left out", f"{', '.join(map(repr, names))}: {reason}", f"--target COLUMN, again for each{more}")


def settings(roles: Roles, read: list[str], options: Options) -> tuple[dict[str, int | bool | str], float]:
    """Section `data.forecast`, and the share of each of validation and test."""
    for least in _shortest(roles.lengths()):
        season, reason = (options.season, "") if options.season else find_season(roles, read, int(least))
        horizon = options.horizon or max(1, min(season if season > 1 else 10, int(least) // 8))
        # each of validation and test holds at least one forecast, and better a few
        share = next((share for share in (0.15, 0.2, 0.25) if least * share >= 1.5 * horizon), 0.25)
        room = int(least * (1 - 2 * share)) - season - horizon
        if room >= 2 and int(least * share) >= horizon:
            break
    else:
        raise UserError("too-short", "--horizon", f"the series have up to {roles.lengths().max():,} steps, too few for "
                        f"a forecast of {horizon} with a season of {season}. Choose a smaller --horizon or --season, "
                        "or give longer series.")
    context = max(1, min(max(2 * season, 2 * horizon, 10), room // 2))
    log: bool | str = "counts" if are_counts(roles, read) else all(_grows(roles, name, season) for name in read)
    windows = int((roles.lengths() * (1 - 2 * share)).sum())
    stride = max(1, windows // 20_000)
    report("horizon", f"{horizon} step{'s' * (horizon > 1)} ahead, reading the {context} before", "--horizon N")
    report("season", f"{season} step{'s' * (season > 1)}{reason}", "--season N; 1: none")
    if log == "counts":
        report("counts", "small whole numbers from 0 on: predicted as a negative binomial distribution",
               "forecast.log in conf/data and the loss in conf/experiment: false and quantile")
    elif log:
        report("log", "forecast on the logarithm: all values are positive, and swings grow with the level",
               "forecast.log in conf/data")
    return {"horizon": horizon, "context": context, "season": season, "log": log,
            "start": "better" if season > 1 else "season", "window": "none", "stride": stride, "eval_stride": 1,
            "eval_windows": EVAL_WINDOWS}, share


def _shortest(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shortest series of those that have most steps together, and of fewer and longer ones, rising."""
    longest = np.sort(lengths)[::-1]
    kept = np.searchsorted(np.cumsum(longest), np.array(SHARES) * lengths.sum())
    return np.unique(longest[kept])


def _grows(roles: Roles, name: str, season: int) -> bool:
    """Whether the swings of a positive series grow with its level: seasons' means and deviations go together."""
    values = roles.columns[name].values[roles.codes == 0]
    size = max(season, 10)
    if not np.nanmin(roles.columns[name].values) > 0 or len(values) < 5 * size or np.isnan(values).any():
        return False
    blocks = values[: len(values) // size * size].reshape(-1, size)
    means, deviations = blocks.mean(axis=1), blocks.std(axis=1)
    if means.max() < 1.5 * means.min() or deviations.std() == 0:
        return False
    return bool(np.corrcoef(means, deviations)[0, 1] > 0.7)
