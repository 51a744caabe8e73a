"""The configuration of a job or trial → an experiment in conf/, chosen for good."""

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

CHOSEN = re.compile(r"^(\s*- experiment: )\S+", re.MULTILINE)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LEFT_OUT = ("experiment", "sweep")      # what they chose and set is written out


def promote(project: Path, root: Path, name: str | None) -> None:
    """Write conf/experiment/NAME.yaml, choose it in conf/config.yaml and compose; then `dvc repro` makes that model.

    Raises `UserError` when the root is of no job, the name is taken or is none; nothing is changed then.
    """
    described = JobFolder(root).describe()
    if not described:
        raise UserError(f"{root}: not the root of a job. Give a folder below .unroll/sweeps or .unroll/tune, as "
                        "`unroll sweep` and `unroll tune` name it.")
    wanted = load(root / "params.yaml").model_dump(mode="json", exclude={"runtime"})
    values = {key: value for key, value in parse((root / "params.yaml").read_text(encoding="utf-8"), str(root)).items()
              if key in SECTIONS and key != "runtime"}
    name = name or f"{described['group']}-best"
    if not NAME.fullmatch(name):
        raise UserError(f"--name: {name!r} is no name of a file in conf/experiment; use letters, digits, _ and -.")
    conf = project / "conf"
    experiment, config = conf / "experiment" / f"{name}.yaml", conf / "config.yaml"
    before = config.read_text(encoding="utf-8")
    if not CHOSEN.search(before):
        raise UserError(f"{config}: no line `- experiment: …` among its defaults, so that none can be chosen. Add it.")
    groups = {group: file for group, file in described["choices"].items() if group not in LEFT_OUT}
    text = written(described, groups, values, parse(compose(conf, plain(groups))[0], "conf/"))
    old = experiment.read_text(encoding="utf-8") if experiment.exists() else None
    if old not in (None, text):
        raise UserError(f"{experiment}: there is another one. Give this one a --name.")
    write_text(experiment, text)
    try:
        found = compose(conf, [f"experiment={name}"])[1].model_dump(mode="json", exclude={"runtime"})
        if found != wanted:
            raise UserError(f"{root}: conf/ no longer composes it: {', '.join(different(wanted, found))}. Check out "
                            "the commit that it was made with.")
        write_text(config, CHOSEN.sub(rf"\g<1>{name}", before))
        freeze(project, [], check=False)
    except BaseException:
        write_text(config, before)
        if old is None:
            experiment.unlink()
        raise
    print(f"{experiment} is chosen in {config}. Now: dvc repro, and commit both with params.yaml and dvc.lock.")


def plain(groups: dict[str, str]) -> list[str]:
    """Overrides that choose these files, and no experiment."""
    return [f"{group}={file}" for group, file in groups.items()] + ["experiment=default"]


def written(described: dict[str, Any], groups: dict[str, str], values: dict[str, Any], base: dict[str, Any]) -> str:
    """What it chose, and the values that the chosen files have otherwise."""
    lines = ["# @package _global_", f"# {described['name']}, of {described['group']}.", "defaults:"]
    lines += [f"  - override /{group}: {file}" for group, file in groups.items()]
    rest = changed(values, base)
    return "\n".join(lines) + "\n" + (yaml.safe_dump(rest, sort_keys=False, allow_unicode=True) if rest else "")


def changed(values: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Of nested values, those that differ from `base`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict):
            if inner := changed(value, base[name]):
                found[name] = inner
        elif name not in base or base[name] != value:
            found[name] = value
    return found


def different(wanted: dict[str, Any], found: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names that differ."""
    names: list[str] = []
    for name in {**wanted, **found}:
        ours, theirs = wanted.get(name), found.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            names += different(ours, theirs, f"{prefix}{name}.")
        elif ours != theirs:
            names.append(f"{prefix}{name}")
    return names
