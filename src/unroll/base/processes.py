"""This process among those of one training."""

import ctypes
import os
import signal
import sys
from typing import Literal

PR_SET_PDEATHSIG = 1        # prctl(2)

# what starting several processes leaves in the environment, and what DVC tells its stages
PASSED_ON = ("LOCAL_RANK", "NODE_RANK", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED",
             "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_STEP_ID",
             "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")


def own_environment() -> dict[str, str]:
    """For a process that is no part of what this one is part of."""
    return {name: value for name, value in os.environ.items() if name not in PASSED_ON}


def launcher() -> Literal["torchrun", "srun", "own"]:
    """What started the processes of this training; `own`: the first of them started the others of its machine.

    A single task of Slurm, and the script of a job, which runs before `srun`, start their own.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return "torchrun"
    tasks = os.environ.get("SLURM_NTASKS", "1") if "SLURM_STEP_ID" in os.environ else "1"
    return "own" if tasks == "1" else "srun"


def rank() -> int:
    """Above 0 in every process of a training but the first."""
    match launcher():
        case "torchrun":
            return int(os.environ["RANK"])
        case "srun":
            return int(os.environ["SLURM_PROCID"])
    return int(os.environ.get("LOCAL_RANK") or 0) or int(os.environ.get("NODE_RANK") or 0)


def started() -> tuple[int, int] | None:
    """Processes a machine, and machines, as torchrun or srun have started them; None: they are started by us."""
    match launcher():
        case "torchrun":
            each = int(os.environ["LOCAL_WORLD_SIZE"])
            return each, int(os.environ["WORLD_SIZE"]) // each
        case "srun":
            machines = int(os.environ["SLURM_NNODES"])
            return int(os.environ["SLURM_NTASKS"]) // machines, machines
    return None


def end_with_parent() -> None:
    """Die when the process that started this one dies, in a call that never returns too; Linux alone can do that."""
    if sys.platform == "linux" and launcher() == "own":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
