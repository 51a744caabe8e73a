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
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unroll.base.errors import UserError, nearest
from unroll.config.load import parse, validate
from unroll.config.schema import SECTIONS, Config


def compose(conf: Path, overrides: Sequence[str] = ()) -> tuple[str, Config]:
    """The frozen text of params.yaml and its validated content; raises `UserError` on a wrong override."""
    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}: no config.yaml there. Run in the folder of the project.")
    with _one_line(conf, overrides), initialize_config_dir(str(conf.resolve()), version_base=None):
        values = hydra_compose("config", overrides=list(overrides))
        OmegaConf.resolve(values)
    text = OmegaConf.to_yaml(values)
    return text, validate(parse(text, "conf/"), "conf/")


def choices(conf: Path, overrides: Sequence[str]) -> dict[str, str]:
    """Which file of each group a composition takes, Hydra's own groups left out."""
    with _one_line(conf, overrides), initialize_config_dir(str(conf.resolve()), version_base=None):
        found = hydra_compose("config", overrides=list(overrides), return_hydra_config=True).hydra.runtime.choices
    return {group: name for group, name in sorted(found.items()) if not group.startswith("hydra/") and name is not None}


LAUNCHERS = ("local", "slurm")      # src/hydra_plugins/unroll_launcher.py
Launch = Callable[[list[list[str]], Callable[[Path, Path], Any]], list[float]]


def multirun(conf: Path, overrides: Sequence[str], folder: Path, launch: Launch) -> None:
    """Hydra's multirun: every job's overrides, and where jobs run, are handed to `launch` at once.

    What was asked for is kept in `folder`/multirun.yaml. Raises `UserError` on a wrong override or an empty grid.
    """
    failure: list[Exception] = []

    def guarded(*jobs: Any) -> list[float]:
        try:
            return launch(*jobs)
        except Exception as error:      # none of Hydra's
            failure.append(error)
            raise RuntimeError from None

    given = [f"hydra.sweep.dir='{folder}'", "hydra/launcher=local", *overrides]
    try:
        with _one_line(conf, overrides):
            path = create_config_search_path(str(conf.resolve()))
            Hydra.create_main_hydra2("unroll", path).multirun("config", guarded, given, with_log_configuration=False)
    except RuntimeError:
        if failure:
            raise failure[0] from None
        raise


def swept(overrides: Sequence[str]) -> list[str]:
    """The names that are given several values."""
    with _one_line(Path(), overrides):
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    return [each.get_key_element() for each in parsed if each.is_sweep_override()]


@contextmanager
def _one_line(conf: Path, overrides: Sequence[str]) -> Iterator[None]:
    """What Hydra objects to, in one line that says what was meant."""
    GlobalHydra.instance().clear()
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        message = _nearest_choice(conf, error) or _explain(error) + _nearest_name(conf, overrides, error)
        raise UserError(message) from None


def _nearest_choice(conf: Path, error: Exception) -> str:
    """Which file of a group a missing one may have meant; empty when something else is wrong."""
    missing = re.search(r"Could not find '([\w/]+)/([\w-]*)'", str(error))
    if missing is None:
        return ""
    group, name = missing.groups()
    if group == "hydra/launcher":
        return f"{group}: no {name!r}; {nearest(name, LAUNCHERS)}"
    found = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    return f"{group}: no {name!r} in {conf / group}; {nearest(name, found)}"


def _explain(error: Exception) -> str:
    """Hydra's message, its lines joined and its advice about its own flags left out."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("full_key", "object_type", "To append"))]
    override = getattr(error, "override", None)
    where = f"{override!r} is not in Hydra's grammar: " if override else ""
    return where + re.sub(r"\s*\(?See https?://\S+\)?( for details)?", "", " ".join(kept)).rstrip(".") + "."


def _nearest_name(conf: Path, overrides: Sequence[str], error: Exception) -> str:
    """Which name of the default composition an unknown one may have meant."""
    for override in overrides:
        name = override.split("=", 1)[0].lstrip("+~")
        if f"'{name}'" not in str(error):
            continue
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            values = OmegaConf.to_container(hydra_compose("config"), resolve=True)
        valid = [*SECTIONS, *_names(values)]
        close = get_close_matches(name, valid, n=1, cutoff=0.75)
        return f' Did you mean "{close[0]}"?' if close else f" The composition has no such name; see {conf}."
    return ""


def _names(values: object, prefix: str = "") -> list[str]:
    if not isinstance(values, dict):
        return [prefix]
    return [name for key, value in values.items() for name in _names(value, f"{prefix}.{key}".lstrip("."))]
