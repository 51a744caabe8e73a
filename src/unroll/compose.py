"""conf/ → params.yaml: the same three Hydra calls that DVC makes, so that both write the same bytes."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from unroll.base.errors import UserError, nearest
from unroll.config.load import parse, validate
from unroll.config.schema import SECTIONS, Config


def compose(conf: Path, overrides: Sequence[str] = ()) -> tuple[str, Config]:
    """The frozen text of params.yaml and its validated content; raises `UserError` on a wrong override."""
    _, text, config = compose_job(conf, overrides)
    return text, config


def compose_job(conf: Path, overrides: Sequence[str]) -> tuple[dict[str, str], str, Config]:
    """The same behind the file that was taken from each group of `conf`, without Hydra's own groups."""
    choices, text = composed(conf, overrides)
    return choices, text, validate(parse(text, "conf/"), "conf/")


def composed(conf: Path, overrides: Sequence[str]) -> tuple[dict[str, str], str]:
    """The same before it is validated: groups alone need not be a whole configuration."""
    if not (conf / "config.yaml").is_file():
        raise UserError("missing-file", conf, "no config.yaml there. Run in the folder of the project.")
    with _one_line(conf, overrides), initialize_config_dir(str(conf.resolve()), version_base=None):
        values = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
        found = values.hydra.runtime.choices
        choices = {group: name for group, name in sorted(found.items())
                   if not group.startswith("hydra/") and name is not None}
        with open_dict(values):
            del values["hydra"]
        OmegaConf.resolve(values)
    return choices, OmegaConf.to_yaml(values)


LAUNCHERS = ("local", "slurm")      # src/hydra_plugins/unroll_launcher.py
Launch = Callable[[list[list[str]], Callable[[Path, Path], Any]], list[float]]


def multirun(conf: Path, overrides: Sequence[str], folder: Path, launch: Launch) -> None:
    """Hydra's multirun: call `launch` once, with the overrides of every job and a function that makes their pool.

    Hydra writes its own record to `folder`/multirun.yaml. Raises `UserError` on a wrong override or an empty grid.
    """
    failure: list[Exception] = []

    def guarded(*jobs: Any) -> list[float]:
        try:
            return launch(*jobs)
        except Exception as error:      # ours: not to be taken for one of Hydra's
            failure.append(error)
            raise RuntimeError from None

    options = [f"hydra.sweep.dir='{folder}'", "hydra/launcher=local", *overrides]
    try:
        with _one_line(conf, overrides):
            path = create_config_search_path(str(conf.resolve()))
            Hydra.create_main_hydra2("unroll", path).multirun("config", guarded, options, with_log_configuration=False)
    except RuntimeError:
        if failure:
            raise failure[0] from None
        raise


def swept(overrides: Sequence[str]) -> list[str]:
    """The names that have several values."""
    with _one_line(Path(), overrides):
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    return [override.get_key_element() for override in parsed if override.is_sweep_override()]


@contextmanager
def _one_line(conf: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Turn what Hydra raises on an override into a `UserError`."""
    GlobalHydra.instance().clear()
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _unknown_choice(conf, error) or _unreadable(error) or _refused(conf, overrides, error) from None


def _unknown_choice(conf: Path, error: Exception) -> UserError | None:
    """The error of a file that a group does not have, with the name of the nearest one."""
    missing = re.search(r"Could not find '([\w/]+)/([\w-]*)'", str(error))
    if missing is None:
        return None
    group, name = missing.groups()
    if group == "hydra/launcher":
        return UserError("unknown-name", group, f"no {name!r}; {nearest(name, LAUNCHERS)}")
    files = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    return UserError("unknown-name", group, f"no {name!r} in {conf / group}; {nearest(name, files)}")


def _unreadable(error: Exception) -> UserError | None:
    """The error of an override that cannot be parsed."""
    override = getattr(error, "override", None)
    return override and UserError("wrong-type", override, f"not in Hydra's grammar: {_explain(error)}")


def _refused(conf: Path, overrides: Sequence[str], error: Exception) -> UserError:
    """The error of an override that can be parsed: its name is not known, or its value not possible there."""
    names = {override: override.split("=", 1)[0].lstrip("+~") for override in overrides}
    quoted = set(re.findall(r"'[^']*'", str(error)))
    name = next((name for override, name in names.items() if {f"'{name}'", f"'{override}'"} & quoted), "")
    if str(error).startswith("Ambiguous value"):
        return UserError("conflict", name, "several values. Compare them with `unroll sweep`, or quote one that holds "
                         "a comma.")
    valid = _valid_names(conf) if name else []
    if not name or name in valid:
        return UserError("wrong-type", name, _explain(error))
    close = get_close_matches(name, valid, n=1, cutoff=0.75)
    return UserError("unknown-name", name, "no such setting; " + (
        f'did you mean "{close[0]}"?' if close else f"{conf} has the names that can be set."))


def _explain(error: Exception) -> str:
    """Hydra's message on one line, without its advice about its own flags."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("full_key", "object_type", "To append"))]
    return re.sub(r"\s*\(?See https?://\S+\)?( for details)?", "", " ".join(kept)).rstrip(".") + "."


def _valid_names(conf: Path) -> list[str]:
    """The sections and dotted names of the default composition."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf.resolve()), version_base=None):
        return [*SECTIONS, *_names(OmegaConf.to_container(hydra_compose("config"), resolve=True))]


def _names(values: object, prefix: str = "") -> list[str]:
    if not isinstance(values, dict):
        return [prefix]
    return [name for key, value in values.items() for name in _names(value, f"{prefix}.{key}".lstrip("."))]
