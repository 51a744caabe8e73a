"""`unroll extensions`: lock the code of other packages that params.yaml names, as it is installed here."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.compose import relock
from unroll.config.load import extensions_of


def lock_installed(project: Path) -> None:
    """Write extensions.lock anew and print each change; raises `UserError` when an extension is not installed."""
    path = project / "params.yaml"
    if not path.is_file():
        raise UserError("missing-file", path, "no such file. Write it with `unroll compose`.")
    extensions = sorted(extensions_of(path.read_text(encoding="utf-8")))
    relock(project / "extensions.lock", extensions)
    lines = [f"{extension.group}:{extension.name}: {extension}" for extension in extensions]
    print("\n".join(lines) or "params.yaml names no extensions")
