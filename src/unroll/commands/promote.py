"""`unroll promote`: the configuration of a job or trial → an experiment in conf/, which becomes the default."""

import re
from pathlib import Path
from typing import Any

import yaml

from unroll.base.errors import UserError
from unroll.base.files import write_text
from unroll.base.job_folder import JobFolder
from unroll.commands.compose import freeze
from unroll.compose import compose, composed
from unroll.config.load import load, parse
from unroll.config.schema import SECTIONS

DEFAULT = re.compile(r"^(\s*- experiment: )\S+", re.MULTILINE)      # in conf/config.yaml
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LEFT_OUT = ("experiment", "sweep")      # groups whose files are written out value by value
NO_FIELDS = "fields"        # the file of conf/task that has neither inputs nor heads


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
    load(root / "params.yaml")
    values = _values((root / "params.yaml").read_text(encoding="utf-8"), str(root))
    groups = {group: file for group, file in job["choices"].items() if group not in LEFT_OUT}
    base = _base(conf, groups)
    if any(base["model"][part].keys() - values["model"][part].keys() for part in ("inputs", "heads")):
        groups["task"] = NO_FIELDS      # a composition adds names to those of a file, and takes none away
        base = _base(conf, groups)
    rest = changed(values, base)
    lines = ["# @package _global_", f"# {job['name']}, of {job['group']}.", "defaults:"]
    lines += [f"  - override /{group}: {file}" for group, file in groups.items()]
    return "\n".join(lines) + "\n" + (yaml.safe_dump(rest, sort_keys=False, allow_unicode=True) if rest else "")


def _values(text: str, where: str) -> dict[str, Any]:
    """The sections that change what a run makes."""
    return {key: value for key, value in parse(text, where).items() if key in SECTIONS and key != "runtime"}


def _base(conf: Path, groups: dict[str, str]) -> dict[str, Any]:
    overrides = [*(f"{group}={file}" for group, file in groups.items()), "experiment=default"]
    return parse(composed(conf, overrides)[1], "conf/")


def check(conf: Path, name: str, root: Path) -> None:
    """Raise `UserError` unless the experiment composes exactly what the job ran."""
    ours = _names(_values((root / "params.yaml").read_text(encoding="utf-8"), str(root)))
    more = [name for name in _names(_values(composed(conf, [f"experiment={name}"])[1], "conf/")) if name not in ours]
    if more:
        raise UserError("unsupported", root, f"its overrides take {', '.join(more)} away, which a file of conf/ has "
                        "and an experiment cannot leave out. Take it out there, or write the experiment by hand.")
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


def _names(values: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of all values and sections."""
    names: list[str] = []
    for name, value in values.items():
        names.append(f"{prefix}{name}")
        names += _names(value, f"{prefix}{name}.") if isinstance(value, dict) else []
    return names


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
