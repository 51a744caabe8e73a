"""params.yaml → a validated `Config`, or one line that says which name is wrong and what was meant."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from unroll.base.errors import UserError, nearest
from unroll.config.schema import Config


def load(path: Path) -> Config:
    """Read a frozen configuration; raises `UserError` naming file and key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Write it with `unroll compose`.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not YAML: not UTF-8 at byte {error.start}. Write it with `unroll compose`.") from None
    return validate(parse(text, str(path)), str(path))


def parse(text: str, where: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{where}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{where}: holds no sections. Write it with `unroll compose`.")
    return values


def validate(values: dict[str, Any], where: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, values)}") from None


def explain(error: ValidationError, values: Any) -> str:
    """The first mistake as `name: what is wrong`, and how many more there are."""
    first, *others = error.errors(include_url=False)
    key = _key(first["loc"], values, first["type"] == "missing")
    given = f" (given {first['input']!r})" if not isinstance(first["input"], dict | list) else ""
    context = first.get("ctx", {})
    match first["type"]:
        case "missing" | "union_tag_not_found":
            key = key if first["type"] == "missing" else f"{key}.kind"
            message = "missing. Every value stands in conf/: write params.yaml with `unroll compose`"
            given = ""
        case "literal_error":
            valid = [each.strip("' ") for each in context["expected"].replace(" or ", ", ").split(",")]
            message, given = f"unknown value {first['input']!r}; {nearest(str(first['input']), valid)}", ""
        case "union_tag_invalid":
            valid = [each.strip("' ") for each in context["expected_tags"].split(",")]
            key = f"{key}.kind" if key else "kind"
            message, given = f"unknown kind {context['tag']!r}; {nearest(context['tag'], valid)}", ""
        case _:
            message = first["msg"][0].lower() + first["msg"][1:]
    more = f" (and {len(others)} more)" if others else ""
    return f"{key + ': ' if key else ''}{message}{given}{more}"


def _key(location: tuple[int | str, ...], values: Any, missing: bool) -> str:
    """The dotted name as the file has it: pydantic's own path also names the branch of a union it took."""
    names = []
    branch = False      # whether the last part was the branch of a union
    for part in location:
        if not branch and isinstance(values, dict) and part == values.get("kind"):
            branch = True
            continue
        branch = False
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and isinstance(part, int):
            values = values[part]
        elif not (missing and part == location[-1]):
            continue
        names.append(str(part))
    return ".".join(names)
