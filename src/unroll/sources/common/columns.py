"""Whether the settings of a table name the columns of each field, and agree; the schema checks the rest."""

from unroll.base.errors import UserError, nearest
from unroll.config.data import CONTEXT, FUTURE, KNOWN_AHEAD, STATIC
from unroll.config.sources.table import Settings
from unroll.config.tokenizer import tokenizer_of
from unroll.readers.common.advice import named
from unroll.readers.common.calendar import FEATURES

WHOLE = ("class", "value")      # targets of a sequence, not of a step


def check_columns(settings: Settings) -> None:
    """Raises `UserError` naming the setting."""
    standing = {name for name, kind in settings.targets.items() if kind in FUTURE}
    fields = {**settings.inputs, **{name: kind for name, kind in settings.targets.items() if name not in standing}}
    gap = next((name for name, kind in settings.inputs.items() if kind == "gap"), None)
    fields.pop(gap or "", None)     # which is of the column of times
    for name in settings.columns:
        if name not in fields:
            raise UserError("unknown-name", f"data.columns.{name}", "neither an input nor a target; "
                            f"{nearest(name, fields)}")
    for name, kind in fields.items():
        if not settings.columns.get(name):
            raise UserError("missing-value", f"data.columns.{name}", f"missing. Name the columns of {name}: [a, b].")
        if kind in ("tokens", "context_tokens", "class", "tag") and len(settings.columns[name]) > 1:
            raise UserError("unsupported", f"data.columns.{name}", f"{kind} are read from one column, not "
                            f"{len(settings.columns[name])}.")
    _check_calendar(settings)
    read = {column: name for name, kind in settings.inputs.items() if kind != "calendar"
            for column in settings.columns.get(name, ())}
    for name in settings.targets:
        for column in settings.columns[name] if name not in settings.inputs else ():
            if column in read:
                raise UserError("conflict", f"data.columns.{name}", f"column {column!r} is read as the input "
                                f"{read[column]}, too, which gives the target away. Leave it out of one of them.")
    drawn = [(column, name) for name in settings.drawn for column in settings.columns[name]]
    for at, (column, name) in enumerate(drawn):
        for twice, other in drawn[:at]:
            if column == twice:
                raise UserError("conflict", f"data.columns.{name}", f"column {column!r} is of {other}, too, and both "
                                "would be drawn. Leave it out of one of them.")
    text = "tokens" in settings.inputs.values()
    for name, kind in settings.inputs.items():
        if kind in ("tokens", "context_tokens") and tokenizer_of(settings.tokenizer, name) is None:
            raise UserError("missing-value", "data.tokenizer", f"missing. The input {name} of kind {kind} needs one: "
                            "choose data/tokenizer=char.")
    for name in settings.tokenizer if isinstance(settings.tokenizer, dict) else ():
        if settings.inputs.get(name) not in ("tokens", "context_tokens"):
            raise UserError("unknown-name", f"data.tokenizer.{name}", "no input that is a text. Leave it out.")
    forecast = [column for name, kind in settings.targets.items() if kind == "forecast"
                for column in settings.columns[name]]
    for name, kind in settings.inputs.items():
        for column in settings.columns[name] if kind in KNOWN_AHEAD and kind != "calendar" else ():
            if column in forecast:
                raise UserError("conflict", f"data.columns.{name}", f"column {column!r} is forecast, so that it is not "
                                "known ahead. Leave it out of one of them.")
    _check_gaps(settings)
    if settings.min_length is not None and (settings.forecast is None or settings.series is None):
        raise UserError("no-effect", "data.min_length", "only of several series to forecast are short ones left out. "
                        "Set it to null.")
    if settings.series is None:
        _check_without_series(settings, text)


def _check_calendar(settings: Settings) -> None:
    for name, kind in settings.inputs.items():
        if kind != "calendar":
            continue
        if settings.time is None:
            raise UserError("missing-value", "data.time", f"missing. The input {name} is computed from the column of "
                            "times: name it.")
        for feature in settings.columns[name]:
            if feature not in FEATURES:
                raise UserError("unknown-name", f"data.columns.{name}", f"the calendar has no {feature!r}; "
                                f"{nearest(feature, FEATURES)}")


def _check_gaps(settings: Settings) -> None:
    forecast = settings.forecast is not None
    if settings.time is None and (settings.gaps != "ignore" or settings.frequency is not None):
        name = "data.frequency" if settings.gaps == "ignore" else "data.gaps"
        raise UserError("no-effect", name, "without data.time no step is known to be missing. Name the column of "
                        "times, or set data.gaps=ignore and data.frequency=null.")
    gaps, missing = named("gaps"), named("missing")
    if settings.gaps == "split" and not forecast:
        raise UserError("unsupported", gaps, f"only series to forecast are split. Set {gaps}=ignore, refuse or fill.")
    if settings.gaps == "fill" and settings.series is not None and not forecast:
        raise UserError("unsupported", gaps, "rows are filled in where the table is one sequence, and in series to "
                        f"forecast. Set {gaps}=ignore or refuse.")
    if settings.gaps == "fill" and "gap" in settings.inputs.values():
        raise UserError("no-effect", gaps, "where the rows of missing steps are filled in, all are as far apart. Set "
                        f"{gaps}=ignore, or leave the input of kind gap out.")
    if settings.gaps == "fill" and settings.missing_numbers is None:
        raise UserError("missing-number", gaps, f"the rows that are filled in have no values, and {missing} refuses "
                        f"these. Set {missing}=mask, or {gaps}={'split or ' * forecast}ignore.")


def _check_without_series(settings: Settings, text: bool) -> None:
    for name, kind in settings.targets.items():
        if not text and kind in WHOLE:
            raise UserError("conflict", f"data.targets.{name}", f"one {kind} a sequence, but without data.series the "
                            "table is a single sequence. Name the column that tells sequences apart as data.series.")
        if text and kind not in (*WHOLE, "next"):
            raise UserError("conflict", f"data.targets.{name}", "without data.series each row is a text of its own, "
                            f"which has one class or value, not {kind}. Name the column that tells texts apart.")
    for name, read in settings.inputs.items():
        if text and read not in ("tokens", *STATIC, *CONTEXT):
            raise UserError("conflict", f"data.inputs.{name}", "without data.series each row is a text of its own, "
                            f"and {read} beside it are no sequence. Set data.inputs.{name}=static_{read}, or name the "
                            "column that tells sequences apart as data.series.")
        if not text and read in (*STATIC, *CONTEXT):
            raise UserError("conflict", f"data.inputs.{name}", f"{read} of a sequence, but without data.series the "
                            "table is a single sequence. Name the column that tells sequences apart as data.series.")
    if text and settings.time is not None:
        raise UserError("no-effect", "data.time", "each row is a text of its own, so there is nothing to order. Set "
                        "data.time=null.")
