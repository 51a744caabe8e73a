"""`unroll compose`: conf/ → params.yaml, and each value that changed."""

import json
from collections.abc import Sequence
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.extensions import Extension, kept, read_lock, write_lock
from unroll.base.files import write_text
from unroll.config.load import extensions_of, parse


def freeze(project: Path, overrides: Sequence[str], check: bool) -> None:
    """Compose conf/ into params.yaml and print each value that changed; with `check`, only compare.

    Raises `UserError` when conf/ is not valid, or, with `check`, when params.yaml is not what it composes.
    """
    from unroll.compose import compose

    text, _ = compose(project / "conf", overrides)
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lock = project / "extensions.lock"
    locked = read_lock(lock)
    extensions = kept(extensions_of(text), locked)
    if check and text != before:
        raise UserError("stale", path, "not what conf/ composes. Run `unroll compose`; edit conf/, not this file.")
    if check and extensions != locked:
        raise UserError("stale", lock, "does not list exactly the extensions that params.yaml names. Run `unroll "
                        "compose`.")
    if text != before:
        write_text(path, text)
        for line in changes(before, text):
            print(f"{path}: {line}")
    relock(lock, extensions)


def relock(lock: Path, extensions: Sequence[Extension]) -> None:
    """Write the lock if the extensions differ from it, and print each change."""
    locked = read_lock(lock)
    if extensions == locked and lock.is_file():
        return
    write_lock(lock, extensions)
    old, new = ({f"{extension.group}:{extension.name}": extension for extension in listed}
                for listed in (locked, extensions))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            print(f"{lock}: {name}: {old.get(name, '(none)')} → {new.get(name, '(none)')}")


def changes(before: str, after: str) -> list[str]:
    """`name: old → new` for each value that differs between two frozen files; values that are gone come last."""
    new = _flat(parse(after, "params.yaml"))
    try:
        old = _flat(parse(before, "params.yaml"))
    except UserError:       # no file yet, or one with conflict markers of a merge
        return [f"written, {len(new)} values"]
    names = sorted({*old, *new}, key=lambda name: (name not in new, name))
    return [
        f"{name}: {_shown(old, name)} → {_shown(new, name)}"
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def _shown(values: dict[str, object], name: str) -> str:
    """A value as YAML spells it, or (none) where there is no such name."""
    if name not in values:
        return "(none)"
    value = values[name]
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    """Nested sections as dotted names."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, object] = {}
    for key, part in value.items():
        flat |= _flat(part, f"{prefix}.{key}".lstrip("."))
    return flat
