"""`unroll init`: looks at what a user brings, says what it found and chose, and writes the configuration for it."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import replacing, write_text
from unroll.commands.init.check import check
from unroll.commands.init.draft import Choices, Draft, Place, Say
from unroll.commands.init.look import look
from unroll.commands.init.write import data_yaml, experiment_yaml

VALUES = ("null", "true", "false", "nan", "inf")
LARGE = 50_000_000      # bytes; more is for DVC to keep, not for git

__all__ = ["Choices", "init"]


def init(project: Path, name: str, given: Path, choices: Choices) -> None:
    """Copy `given` below data/raw, write conf/data/NAME.yaml and conf/experiment/NAME.yaml, and say how to run them.

    Raises `UserError` when something of that name is there, when the data cannot be read, or when it may be several
    things; nothing half-written is left then.
    """
    place = _place(project, name, given)
    data, experiment = (project / "conf" / group / f"{name}.yaml" for group in ("data", "experiment"))
    for path in (data, experiment):
        if path.exists():
            raise UserError(f"{path}: already there. Choose another name, or remove it.")
    say = Say()
    draft = look(place, choices, say)
    with ExitStack() as undo:
        if place.copied:
            copy(draft, place, project / place.folder, undo)
        check(project, draft, say)
        for path, text in ((data, data_yaml(draft)), (experiment, experiment_yaml(draft, name))):
            undo.callback(path.unlink, missing_ok=True)
            write_text(path, text)
        if place.copied:
            _track(project, place.folder, say)
        undo.pop_all()
    say.line("wrote", f"{data}, {experiment}: change what does not suit there")
    print(f"\nNow run    make repro EXPERIMENT={name}\nor         unroll compose experiment={name} && dvc repro")


def _place(project: Path, name: str, given: Path) -> Place:
    """Where the data is to lie; what lies below data/raw already stays there."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise UserError(f"{name!r}: a name is small letters, digits, - and _, and starts with a letter.")
    if name in VALUES:
        raise UserError(f"{name!r}: Hydra takes that for a value, not for a name. Choose another.")
    try:
        str(given).encode()
    except UnicodeEncodeError:
        raise UserError(f"{given.name!a}: a configuration cannot hold a name that is not UTF-8. Rename it.") from None
    if not (project / "conf" / "config.yaml").is_file():
        raise UserError(f"{project / 'conf'}: no config.yaml there. Run in the folder of the project.")
    if not given.exists():
        raise UserError(f"{given}: no such file or folder. Give what the data is in.")
    here = Path(os.path.abspath(given))      # a link below data/raw is below it
    raw = Path(os.path.abspath(project / "data" / "raw"))
    if raw in (here, *here.parents):
        within = (Path("data/raw") / here.relative_to(raw)).as_posix()
        return Place(name, given, within, within, copied=False)
    folder = f"data/raw/{name}"
    if (project / folder).exists():
        raise UserError(f"{project / folder}: already there. Choose another name, or remove it.")
    return Place(name, given, folder if given.is_dir() else f"{folder}/{given.name}", folder, copied=True)


def copy(draft: Draft, place: Place, target: Path, undo: ExitStack) -> None:
    """The files that the draft reads, as they are."""
    top = place.given if place.given.is_dir() else place.given.parent
    with replacing(target) as temporary:
        undo.callback(shutil.rmtree, target, ignore_errors=True)
        for file in draft.files:
            copied = temporary / file.relative_to(top)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)


def _track(project: Path, folder: str, say: Say) -> None:
    size = sum(file.stat().st_size for file in (project / folder).rglob("*") if file.is_file())
    if size <= LARGE:
        say.line("copied", f"to {project / folder}; commit it with git, or `dvc add` it")
    elif (project / ".dvc").is_dir():
        done = subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", folder], cwd=project,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{project / folder}: `dvc add` failed: {' '.join(done.stderr.split())[-300:]}")
        say.line("copied", f"to {project / folder}, {size / 1e6:,.0f} MB, and added to DVC: commit {folder}.dvc")
    else:
        say.line("copied", f"to {project / folder}, {size / 1e6:,.0f} MB: too large for git, and there is no .dvc here")
