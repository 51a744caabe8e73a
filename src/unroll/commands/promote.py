"""`unroll promote`: the configuration of a job or trial → an experiment in conf/, which becomes the default."""

import re
from pathlib import Path
from typing import Any

import yaml

from unroll.base.errors import UserError
from unroll.base.files import write_text
from unroll.base.job_folder import JobFolder
from unroll.commands.compose import freeze
from unroll.compose import compose
from unroll.config.load import load, parse
from unroll.config.schema import SECTIONS

DEFAULT = re.compile(r"^(\s*- experiment: )\S+", re.MULTILINE)      # in conf/config.yaml
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LEFT_OUT = ("experiment", "sweep")      # groups whose files are written out value by value


def promote(project: Path, root: Path, name: str | None) -> None:
    """Write conf/experiment/NAME.yaml, make it the default and compose; then `dvc repro` makes that model.

    Raises `UserError`, and changes nothing, when the root is not a job's, the name is not valid or in use, or conf/
    no longer composes the job's configuration.
    """
    job = JobFolder(root).describe()
    if not job:
        raise UserError("not-found", root, "not the root of a job. Give a folder below .unroll/sweeps or .unroll/tune, "
                        "as `unroll sweep` and `unroll tune` print it.")
    name = name or f"{job['group']}-best"
    if not NAME.fullmatch(name):
        raise UserError("wrong-type", "--name", f"{name!r} cannot name a file in conf/experiment; use letters, digits, "
                        "_ and -.")
    conf = project / "conf"
    experiment, defaults = conf / "experiment" / f"{name}.yaml", conf / "config.yaml"
    defaults_before = defaults.read_text(encoding="utf-8")
    if not DEFAULT.search(defaults_before):
        raise UserError("missing-value", defaults, "no line `- experiment: …` among its defaults. Add it.")
    text = experiment_of(job, root, conf)
    before = experiment.read_text(encoding="utf-8") if experiment.exists() else None
    if before not in (None, text):
        raise UserError("exists", experiment, "another experiment has this name. Give this one a --name.")
    write_text(experiment, text)
    try:
        check(conf, name, root)
        write_text(defaults, DEFAULT.sub(rf"\g<1>{name}", defaults_before))
        freeze(project, [], check=False)
    except BaseException:
        write_text(defaults, defaults_before)
        if before is None:
            experiment.unlink()
        raise
    print(f"{experiment} is the default of {defaults}. Now: dvc repro, and commit both with params.yaml and dvc.lock.")


def experiment_of(job: dict[str, Any], root: Path, conf: Path) -> str:
    """The experiment's file: the groups' files that the job chose, and every value in which it differs from them."""
    values = {key: value for key, value in parse((root / "params.yaml").read_text(encoding="utf-8"), str(root)).items()
              if key in SECTIONS and key != "runtime"}
    groups = {group: file for group, file in job["choices"].items() if group not in LEFT_OUT}
    overrides = [f"{group}={file}" for group, file in groups.items()] + ["experiment=default"]
    rest = changed(values, parse(compose(conf, overrides)[0], "conf/"))
    lines = ["# @package _global_", f"# {job['name']}, of {job['group']}.", "defaults:"]
    lines += [f"  - override /{group}: {file}" for group, file in groups.items()]
    return "\n".join(lines) + "\n" + (yaml.safe_dump(rest, sort_keys=False, allow_unicode=True) if rest else "")


def check(conf: Path, name: str, root: Path) -> None:
    """Raise `UserError` unless the experiment composes exactly what the job ran."""
    wanted = load(root / "params.yaml").model_dump(mode="json", exclude={"runtime"})
    found = compose(conf, [f"experiment={name}"])[1].model_dump(mode="json", exclude={"runtime"})
    if found != wanted:
        names = ", ".join(differing(wanted, found))
        raise UserError("stale", root, f"conf/ no longer composes its configuration: {names} would differ. Check out "
                        "the commit that it was run with.")


def changed(values: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """The nested values that differ from `base`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict):
            if inner := changed(value, base[name]):
                found[name] = inner
        elif name not in base or base[name] != value:
            found[name] = value
    return found


def differing(wanted: dict[str, Any], found: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the values that differ."""
    names: list[str] = []
    for name in {**wanted, **found}:
        ours, theirs = wanted.get(name), found.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            names += differing(ours, theirs, f"{prefix}{name}.")
        elif ours != theirs:
            names.append(f"{prefix}{name}")
    return names
