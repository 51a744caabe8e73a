"""`unroll compose`: conf/ → params.yaml, and each value that changed."""

from collections.abc import Sequence
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import write_text
from unroll.config.load import parse


def freeze(project: Path, overrides: Sequence[str], check: bool) -> None:
    """Compose conf/ into params.yaml and print each value that changed; with `check`, only compare.

    Raises `UserError` when conf/ is not valid, or, with `check`, when params.yaml is not what it composes.
    """
    from unroll.compose import compose

    text, _ = compose(project / "conf", overrides)
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if check and text != before:
        raise UserError("stale", path, "not what conf/ composes. Run `unroll compose`; edit conf/, not this file.")
    if text != before:
        write_text(path, text)
        for line in changes(before, text):
            print(f"{path}: {line}")


def changes(before: str, after: str) -> list[str]:
    """`name: old → new` for each value that differs between two frozen files; values that are gone come last."""
    new = _flat(parse(after, "params.yaml"))
    try:
        old = _flat(parse(before, "params.yaml"))
    except UserError:       # no file yet, or one with conflict markers of a merge
        return [f"written, {len(new)} values"]
    names = sorted({*old, *new}, key=lambda name: (name not in new, name))
    return [
        f"{name}: {old.get(name, '(none)')} → {new.get(name, '(none)')}"
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    """Nested sections as dotted names."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, object] = {}
    for key, part in value.items():
        flat |= _flat(part, f"{prefix}.{key}".lstrip("."))
    return flat
