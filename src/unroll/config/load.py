"""params.yaml → a validated `Config`, or an error that names the wrong key and the nearest valid one."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from unroll.base.errors import Code, UserError, nearest
from unroll.base.extensions import Extension, Extensions
from unroll.config.schema import Config
from unroll.config.sources import SOURCES

# pydantic's name of a mistake, or ours → the code of the error
CODES: dict[str, Code] = {
    "unknown_name": "unknown-name", "extension": "extension", "fields": "conflict", "loss": "conflict",
    "lanes": "conflict", "sharded": "unsupported",
    **dict.fromkeys(("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number",
                     "too_short", "levels"), "out-of-range"),
}


EVERY = "Every value stands in conf/: write params.yaml with `unroll compose`"


def load(path: Path, lock: Path | None = None) -> Config:
    """Read a frozen configuration; with the lock of its extensions, refuse other code than the lock says.

    Raises `UserError` naming file and setting.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("missing-file", path, "no such file. Write it with `unroll compose`.") from None
    except UnicodeDecodeError as error:
        raise UserError("unreadable", path, f"not YAML: not UTF-8 at byte {error.start}. Write it with `unroll "
                        "compose`.") from None
    return validate(parse(text, path), path, None if lock is None else Extensions(lock))


def parse(text: str, where: str | Path) -> dict[str, Any]:
    """Sections by name; raises `UserError` when the text is not YAML or has none."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError("unreadable", where, f"not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError("empty", where, "holds no sections. Write it with `unroll compose`.")
    return values


def validate(values: dict[str, Any], where: str | Path, extensions: Extensions | None = None) -> Config:
    """The configuration that the values are; what it names of other packages is collected in `extensions`."""
    try:
        return Config.model_validate(values, context=extensions)
    except ValidationError as error:
        raise mistake(error, values).within(where) from None


def extensions_of(text: str) -> set[Extension]:
    """What a frozen configuration names of other packages, as installed here."""
    extensions = Extensions()
    validate(parse(text, "params.yaml"), "params.yaml", extensions)
    return extensions.named


def explain(error: ValidationError, values: Any) -> str:
    """The first mistake as `name: sentence`, and how many more there are."""
    return str(mistake(error, values))


def mistake(error: ValidationError, values: Any) -> UserError:
    """The first mistake, where it is named by its dotted key, and how many more there are."""
    first, *others = error.errors(include_url=False)
    key = _key(first["loc"], values, first["type"] == "missing")
    value = f" (given {first['input']!r})" if not isinstance(first["input"], dict | list) else ""
    context = first.get("ctx", {})
    code: Code = "wrong-type"
    match first["type"]:
        case "missing" | "union_tag_not_found":
            key = key if first["type"] == "missing" else f"{key}.kind"
            message = f"missing. {_base(first['loc'], values) or EVERY}"
            code, value = "missing-value", ""
        case "literal_error":
            valid = _literals(context["expected"])
            code = "unknown-name"
            message, value = f"unknown value {first['input']!r}; {nearest(str(first['input']), valid)}", ""
        case "union_tag_invalid":
            valid = _literals(context["expected_tags"])
            key = f"{key}.kind" if key else "kind"
            code = "unknown-name"
            message, value = f"unknown kind {context['tag']!r}; {nearest(context['tag'], valid)}", ""
        case "agree":       # of two sections, so that pydantic knows no place
            key, message, code = context["where"], context["text"], "conflict"
        case _:
            code = CODES.get(first["type"], "wrong-type")
            message = first["msg"][0].lower() + first["msg"][1:]
    more = f" (and {len(others)} more)" if others else ""
    return UserError(code, key, f"{message}{value}{more}")


def _base(location: tuple[int | str, ...], values: Any) -> str:
    """Where a setting of section `data` that is missing has a plain value; empty where it has none."""
    kind = values["data"].get("kind") if location[0] == "data" and isinstance(values.get("data"), dict) else None
    if kind not in SOURCES.names() or not SOURCES.settings_of(kind).BASE:
        return ""
    return (f"conf/data/base/{kind}.yaml has plain values: begin the file in conf/data with `defaults: "
            f"[base@_here_: {kind}, _self_]`")


def _literals(listed: str) -> list[str]:
    """The values in pydantic's "'a', 'b' or 3"; a value may itself hold a comma."""
    return [quoted or plain for quoted, plain in re.findall(r"'([^']*)'|([^\s',]+)", listed) if plain != "or"]


def _key(location: tuple[int | str, ...], values: Any, missing: bool) -> str:
    """The dotted name as the file has it: pydantic's own path also names the branch of a union it took."""
    names = []
    branch = False      # whether the last part was the branch of a union
    for at, part in enumerate(location):
        lacking = missing and at == len(location) - 1
        if not branch and not lacking and isinstance(values, dict) and part == values.get("kind") \
                and part not in values:
            branch = True
            continue
        branch = False
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and isinstance(part, int):
            values = values[part]
        elif not lacking:
            continue
        names.append(str(part))
    return ".".join(names)
