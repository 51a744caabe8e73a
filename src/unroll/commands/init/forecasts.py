"""Series to be forecast → a draft: horizon, context, season and shares that the series is long enough for."""

from typing import TYPE_CHECKING

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.draft import Choices, Draft, Say, known
from unroll.commands.init.roles import Roles, pick_inputs, say_left_out, spacing

if TYPE_CHECKING:
    from unroll.commands.init.tables import Table


def draft_forecast(table: "Table", choices: Choices, say: Say) -> Draft:
    roles = table.roles
    if choices.targets and set(choices.inputs) - set(choices.targets):
        raise UserError("--input: a forecast reads the past of its targets alone. Leave it out, or make the columns "
                        "targets, too.")
    read = [known(name, roles.columns, "--target") for name in choices.targets or choices.inputs] or \
        pick_inputs(roles, choices, "number", [])
    if not read:
        raise UserError("target: no column of numbers to forecast. Say which: --target COLUMN.")
    for name in read:
        if roles.columns[name].kind != "number":
            raise UserError(f"--target: column {name!r} holds {roles.columns[name].kind}, not numbers to forecast.")
    shown = f"{', '.join(map(repr, read))}, from {'its' if len(read) == 1 else 'their'} own past"
    say.line("task", f"forecast: {shown}", "--task; --target COLUMN, again for each")
    say_left_out(roles, read, say, "--target COLUMN, again for each")
    if roles.time is None:
        say.line("time", "no column: a step a row, in the order of the rows", "--time COLUMN")
    forecast, share = settings(roles, read, choices, say)
    data = table.data({"x": "real"}, {"x": "forecast"}, {"x": read})
    data |= {"forecast": forecast, "validation": share, "test": share}
    return Draft(f"The next {forecast['horizon']} steps of {', '.join(read)}.", data, "forecast", table.files,
                 notes={"validation": "share of each series' end, before the test's", "test": "share of its very end"})


def settings(roles: Roles, read: list[str], choices: Choices, say: Say) -> tuple[dict[str, int | bool], float]:
    """Section `data.forecast`, and the share of each of validation and test."""
    least = int(roles.lengths().min())
    season = choices.season or _season(roles, least)
    why = "" if choices.season else ", a guess by the distance of two rows" if season > 1 else ", no cycle"
    horizon = choices.horizon or max(1, min(season if season > 1 else 10, least // 8))
    # each of validation and test holds at least one forecast, and better a few
    share = next((each for each in (0.15, 0.2, 0.25) if least * each >= 1.5 * horizon), 0.25)
    room = int(least * (1 - 2 * share)) - season - horizon
    context = max(1, min(max(2 * season, 2 * horizon, 10), room // 2))
    if room < 2 or int(least * share) < horizon:
        raise UserError(f"--horizon: the shortest series has {least:,} steps, too few for a forecast of {horizon} with "
                        f"a season of {season}. Choose a smaller --horizon or --season, or give a longer series.")
    log = all(_grows(roles, name, season) for name in read)
    windows = int((roles.lengths() * (1 - 2 * share)).sum())
    stride = max(1, windows // 20_000)
    say.line("horizon", f"{horizon} steps ahead, from {context} steps", "--horizon N")
    say.line("season", f"{season} step{'s' * (season > 1)}{why}", "--season N; 1: none")
    if log:
        say.line("log", "on the logarithm: all values are positive and swing more where they are higher",
                 "forecast.log in conf/data")
    return {"horizon": horizon, "context": context, "season": season, "log": log, "stride": stride}, share


def _season(roles: Roles, least: int) -> int:
    season = spacing(roles)[1] if roles.time is not None else 1
    return season if 6 * season <= least else 1


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
