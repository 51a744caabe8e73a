"""Whether the settings of events agree; the schema checks the rest."""

from collections.abc import Iterable, Iterator

from unroll.base.errors import UserError, nearest
from unroll.config.data import FUTURE, STATIC
from unroll.config.sources.events import Settings

STEPS = ("real", "gap")
TARGETS = ("class", "value")


def check_event_columns(settings: Settings) -> None:
    """Raises `UserError` naming the setting."""
    own = {**settings.inputs, **{name: kind for name, kind in settings.targets.items() if kind not in FUTURE}}
    needed = [name for name, kind in own.items() if kind != "gap"]
    for name in settings.columns:
        if name not in needed:
            raise UserError("unknown-name", f"data.columns.{name}", "neither an input with columns nor a target; "
                            f"{nearest(name, needed)}")
    for name in needed:
        if not settings.columns.get(name):
            what = "channels" if name in settings.step_inputs else "columns"
            raise UserError("missing-value", f"data.columns.{name}", f"missing. Name the {what} of {name}: [a, b].")
    _check_kinds(settings)
    for name, target in settings.targets.items():
        if target == "class" and len(settings.columns[name]) > 1:
            raise UserError("unsupported", f"data.columns.{name}", "class is read from one column, not "
                            f"{len(settings.columns[name])}.")
    _check_leaks(settings)
    if settings.bin is not None and "gap" in settings.inputs.values():
        raise UserError("no-effect", "data.inputs", "bins follow one another without gaps. Leave the input of kind gap "
                        "out, or set data.bin to null.")


def _check_kinds(settings: Settings) -> None:
    for name, kind in settings.inputs.items():
        if kind not in (*STEPS, *STATIC):
            raise UserError("unsupported", f"data.inputs.{name}", f"events are numbers, not {kind}. Choose one of "
                            f"{', '.join((*STEPS, *STATIC))}.")
    for name, target in settings.targets.items():
        if target not in (*TARGETS, "next"):
            raise UserError("unsupported", f"data.targets.{name}", f"a series has one row, and no {target}. Choose "
                            f"{' or '.join(TARGETS)}, or next, of an input.")
    beside = [name for name in settings.columns if name not in settings.step_inputs]
    if settings.outcomes is None:
        for name in [*beside, *(["group"] if settings.group else [])]:
            where = "data.group" if name == "group" else f"data.columns.{name}"
            raise UserError("missing-value", "data.outcomes", f"missing. {where} names columns of a table with a row a "
                            "series: name it.")
    elif not beside and settings.group is None:
        raise UserError("no-effect", "data.outcomes", "neither an input nor a target is read from it. Set it to null.")


def _check_leaks(settings: Settings) -> None:
    read = dict(_by_column(settings, settings.inputs))
    for column, name in _by_column(settings, settings.targets):
        if column in read:
            raise UserError("conflict", f"data.columns.{name}", f"column {column!r} is read as the input "
                            f"{read[column]}, too, which gives the target away. Leave it out of one of them.")


def _by_column(settings: Settings, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The columns of the second table, and whose they are."""
    return ((column, name) for name in names if name not in settings.step_inputs
            for column in settings.columns.get(name, ()))
