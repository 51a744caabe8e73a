"""An Optuna study: its storage, what it was begun with, and which of its trials were abandoned."""

import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from unroll.base.errors import UserError
from unroll.base.files import HOST
from unroll.config.objective import Objective
from unroll.jobs.tune.space import TuneConfig

SEEN_SECONDS = 30       # between heartbeats of a running trial
LOST_SECONDS = 300      # without a heartbeat, before a trial counts as abandoned


def open_study(url: str, name: str, config: TuneConfig, overrides: list[str], goal: Objective) -> optuna.Study:
    """Begin a study or join it; raises `UserError` when it has another space, or its storage cannot be used."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("optuna").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    begun = {"space": config.model_dump(mode="json")["space"], "overrides": sorted(overrides),
             "sampler": config.sampler, "seed": config.seed, "train.monitor": goal.name}
    with reachable(url):
        study = _create(url, name, config, "maximize" if goal.higher_is_better else "minimize")
        before = study.user_attrs.get("begun")
        if before is None:
            study.set_user_attr("begun", begun)
    if before not in (None, begun):
        different = ", ".join(key for key in begun if begun[key] != before.get(key))
        raise UserError("conflict", f"study {name} in {hidden(url)}", f"begun with another {different}. Give this one "
                        "another --name, or the same search space, fixed values and seed.")
    return study


def _create(
    url: str, name: str, config: TuneConfig, direction: str, pauses: tuple[int, ...] = (1, 3)
) -> optuna.Study:
    """Retried, since two processes may create the tables of a new storage at the same time."""
    try:
        return optuna.create_study(storage=url, study_name=name, load_if_exists=True, direction=direction,
                                   pruner=config.pruner.build())
    except SQLAlchemyError:
        if not pauses:      # it fails for another reason
            raise
    time.sleep(pauses[0])
    return _create(url, name, config, direction, pauses[1:])


@contextmanager
def reachable(url: str) -> Iterator[None]:
    """Turn failures of the storage into a `UserError`."""
    try:
        yield
    except ImportError as error:        # of the database's driver
        missing = getattr(error.__cause__ or error, "name", None) or "of its driver"
        raise UserError("not-installed", "--storage", f"{hidden(url)} needs the package {missing}. Install it (for "
                        "PostgreSQL: pip install 'unroll[postgres]').") from None
    except (SQLAlchemyError, StorageInternalError) as error:
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise UserError("server", "--storage", f"{hidden(url)} cannot be used ({reason}). Start it, or give another; "
                        "the same command resumes running trials.") from None


def hidden(url: str) -> str:
    """The address without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:…@{tail}" if at and ":" in head.partition("//")[2] else url


def mark(trial: optuna.Trial) -> None:
    """Note that this process works on the trial now."""
    trial.set_user_attr("process", f"{HOST}/{os.getpid()}")
    trial.set_user_attr("seen", time.time())


def abandoned(study: optuna.Study) -> list[FrozenTrial]:
    """Trials whose process has died, or, on another machine, has sent no heartbeat for LOST_SECONDS."""
    return [trial for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]) if _lost(trial)]


def _lost(trial: FrozenTrial) -> bool:
    host, _, number = trial.user_attrs.get("process", "/0").partition("/")
    if host == HOST and not _alive(number):
        return True
    # from the trial's start on: a process may have died before its first heartbeat
    begun = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return bool(time.time() - trial.user_attrs.get("seen", begun) > LOST_SECONDS)


def _alive(number: str) -> bool:
    try:
        status = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"      # a zombie has ended, but its parent has not waited for it
