"""conf/ → params.yaml: the same three Hydra calls that DVC makes, so that both write the same bytes."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unroll.config import SECTIONS, Config, parse, validate
from unroll.errors import UserError, nearest


def compose(conf: Path, overrides: Sequence[str] = ()) -> tuple[str, Config]:
    """The frozen text of params.yaml and its validated content; raises `UserError` on a wrong override."""
    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}: no config.yaml there. Run in the folder of the project.")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            values = hydra_compose("config", overrides=list(overrides))
        OmegaConf.resolve(values)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        message = _nearest_choice(conf, error) or _explain(error) + _nearest_name(conf, overrides, error)
        raise UserError(message) from None
    text = OmegaConf.to_yaml(values)
    return text, validate(parse(text, "conf/"), "conf/")


def grid(overrides: Sequence[str]) -> list[list[str]]:
    """The jobs of a sweep in Hydra's own grammar: `model=rnn,lstm` gives two lists of overrides."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        jobs: list[list[str]] = BasicSweeper.split_arguments(parsed, max_batch_size=None)[0]
    except HydraException as error:
        raise UserError(_explain(error)) from None
    if not jobs:
        raise UserError(f"{' '.join(overrides)}: an empty grid. Give each swept name at least one value.")
    return jobs


def _nearest_choice(conf: Path, error: Exception) -> str:
    """Which file of a group a missing one may have meant; empty when something else is wrong."""
    missing = re.search(r"Could not find '([\w/]+)/([\w-]+)'", str(error))
    if missing is None:
        return ""
    group, name = missing.groups()
    choices = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    return f"{group}: no {name!r} in {conf / group}; {nearest(name, choices)}"


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
