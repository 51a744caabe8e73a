"""`unroll extensions`: lock the code of other packages that params.yaml names, as it is installed here."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.base.extensions import Extensions
from unroll.commands.compose import relock
from unroll.config.cell import RecurrentSettings
from unroll.config.load import parse, validate
from unroll.config.schema import Config
from unroll.config.strict import Strict


def lock_installed(project: Path) -> None:
    """Check each extension, write extensions.lock anew and print each change.

    Raises `UserError` when an extension is not installed or does not keep the contract of its kind.
    """
    path = project / "params.yaml"
    if not path.is_file():
        raise UserError("missing-file", path, "no such file. Write it with `unroll compose`.")
    extensions = Extensions()
    config = validate(parse(path.read_text(encoding="utf-8"), "params.yaml"), "params.yaml", extensions)
    found = sorted(extensions.named)
    if found:
        check_contracts(config, project, {(extension.group, extension.name) for extension in found})
    relock(project / "extensions.lock", found)
    lines = [f"{extension.group}:{extension.name}: {extension}" for extension in found]
    print("\n".join(lines) or "params.yaml names no extensions")


def check_contracts(config: Config, project: Path, named: set[tuple[str, str]]) -> None:
    """Run the checks of `unroll.testing` on the extensions that `named` lists by group and name."""
    for group, name, check in _checks(config, project):
        if (group, name) not in named:
            continue
        try:
            check()
        except Exception as error:      # whatever another package's code raises
            reason = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            raise UserError("extension", f"{group}:{name}", f"does not keep the contract of its kind: {reason}. "
                            "Correct it, or install a version that does.") from None


def _checks(config: Config, project: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    # PyTorch is heavy, and most configurations name no extension
    from unroll.testing import check_cell, check_head, check_loss, check_source

    core, data = config.model.core, config.data
    yield "unroll.cells", core.kind, partial(check_cell, core.kind, **_own(core, {*RecurrentSettings.model_fields}))
    for head in config.model.heads.values():
        yield "unroll.heads", head.kind, partial(check_head, head.kind, **_own(head, {"kind", "dropout"}))
        if (loss := getattr(head, "loss", None)) is not None:
            yield "unroll.losses", loss.kind, partial(check_loss, loss.kind, **_own(loss, {"kind"}))
    yield "unroll.sources", data.kind, partial(check_source, data.kind, project, **_own(data, {"kind"}))


def _own(settings: Strict, common: set[str]) -> dict[str, Any]:
    """The values of the settings that the kind has beside the common ones."""
    return {name: value for name, value in settings.model_dump(mode="json").items() if name not in common}
