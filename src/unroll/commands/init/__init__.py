"""`unroll init`: examines a user's data, reports what it finds and decides, and writes the configuration for it."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import replacing, write_text
from unroll.commands.init.check import check
from unroll.commands.init.dispatch import make_draft
from unroll.commands.init.draft import Draft, Options, Place, report
from unroll.commands.init.former import Former
from unroll.commands.init.questions import decided
from unroll.commands.init.write import data_yaml, experiment_yaml
from unroll.readers.common.advice import corrected_by

VALUES = ("null", "true", "false", "nan", "inf")
LARGE = 50_000_000      # bytes; more is for DVC to keep, not for git

__all__ = ["Options", "init"]


def init(project: Path, name: str, origin: Path, options: Options, force: bool = False) -> None:
    """Copy `origin` below data/raw, write conf/data/NAME.yaml and conf/experiment/NAME.yaml, and print how to run them.

    With `force`, what it wrote under that name before is replaced. Raises `UserError` when anything else of that name
    exists, when the data cannot be read, or when it may be several things and there is no terminal to ask at; nothing
    half-written is left then.
    """
    place = _place(project, name, origin)
    data, experiment = (project / "conf" / group / f"{name}.yaml" for group in ("data", "experiment"))
    made = [data, experiment, *([project / place.folder] if place.copied else [])]
    former = Former(project, name)
    if force:
        former.check(made)
    for path in made if not force else ():
        if path.exists():
            raise UserError("exists", path, "already exists. Choose another name, or, if `init` wrote it, replace it: "
                            "--force.")
    with ExitStack() as undo, corrected_by("options"):
        draft = decided(partial(make_draft, place), options)
        if force:
            former.set_aside(made, undo)
        if place.copied:
            copy(draft, place, project / place.folder, undo)
        check(project, draft)
        for path, text in ((data, data_yaml(draft, project / "conf")), (experiment, experiment_yaml(draft, name))):
            undo.callback(path.unlink, missing_ok=True)
            write_text(path, text)
        if place.copied:
            _track(project, place.folder)
        undo.pop_all()
    former.finish(made)
    report("wrote", f"{data}, {experiment}: edit them to change anything")
    print(f"\nNow run    make repro EXPERIMENT={name}\nor         unroll compose experiment={name} && dvc repro")


def _place(project: Path, name: str, origin: Path) -> Place:
    """Where the data is to be kept; files that are below data/raw already stay there."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise UserError("wrong-type", repr(name), "a name has small letters, digits, - and _, and starts with a "
                        "letter.")
    if name in VALUES:
        raise UserError("wrong-type", repr(name), "Hydra takes that for a value, not for a name. Choose another.")
    try:
        str(origin).encode()
    except UnicodeEncodeError:
        raise UserError("wrong-type", ascii(origin.name), "a configuration cannot hold a name that is not UTF-8. "
                        "Rename it.") from None
    if not (project / "conf" / "config.yaml").is_file():
        raise UserError("missing-file", project / "conf", "no config.yaml there. Run in the folder of the project.")
    if not origin.exists():
        raise UserError("missing-file", origin, "no such file or folder. Give the one that has the data.")
    here = Path(os.path.abspath(origin))      # a link below data/raw is below it
    raw = Path(os.path.abspath(project / "data" / "raw"))
    if raw in (here, *here.parents):
        within = (Path("data/raw") / here.relative_to(raw)).as_posix()
        return Place(name, origin, within, within, copied=False)
    folder = f"data/raw/{name}"
    return Place(name, origin, folder if origin.is_dir() else f"{folder}/{origin.name}", folder, copied=True)


def copy(draft: Draft, place: Place, target: Path, undo: ExitStack) -> None:
    """Copy the files that the draft reads; `undo` removes them again."""
    top = place.origin if place.origin.is_dir() else place.origin.parent
    with replacing(target) as temporary:
        undo.callback(shutil.rmtree, target, ignore_errors=True)
        for file in draft.files:
            copied = temporary / (file.relative_to(top) if file.is_relative_to(top) else file.name)
            if copied.exists():
                raise UserError("conflict", file, "another file has that name, too. Rename one of them.")
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)


def _track(project: Path, folder: str) -> None:
    size = sum(file.stat().st_size for file in (project / folder).rglob("*") if file.is_file())
    if size <= LARGE and not (project / f"{folder}.dvc").exists():
        report("copied", f"to {project / folder}; commit it with git, or `dvc add` it")
    elif (project / ".dvc").is_dir():
        done = subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", folder], cwd=project,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError("process", project / folder, f"`dvc add` failed: {' '.join(done.stderr.split())[-300:]}")
        report("copied", f"to {project / folder}, {size / 1e6:,.0f} MB, and added to DVC: commit {folder}.dvc")
    else:
        report("copied", f"to {project / folder}, {size / 1e6:,.0f} MB: too large for git, and there is no .dvc here")
