"""This process and the others of one training."""

import ctypes
import os
import signal
import sys
from typing import Literal

PR_SET_PDEATHSIG = 1        # prctl(2)

# variables that launchers of several processes set, and those that DVC sets for its stages
PASSED_ON = ("LOCAL_RANK", "NODE_RANK", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED",
             "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_STEP_ID",
             "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")


def own_environment() -> dict[str, str]:
    """The environment for a process that takes no part in this one's training or stage."""
    return {name: value for name, value in os.environ.items() if name not in PASSED_ON}


def launcher() -> Literal["torchrun", "srun", "own"]:
    """What started the processes of this training; `own`: the first one started the others of its machine.

    So it is in a Slurm job of a single task, and in a job's script, which runs before `srun`.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return "torchrun"
    tasks = os.environ.get("SLURM_NTASKS", "1") if "SLURM_STEP_ID" in os.environ else "1"
    return "own" if tasks == "1" else "srun"


def rank() -> int:
    """This process's number in its training: 0 in the first and in a process that is alone."""
    match launcher():
        case "torchrun":
            return int(os.environ["RANK"])
        case "srun":
            return int(os.environ["SLURM_PROCID"])
    return int(os.environ.get("LOCAL_RANK") or 0) or int(os.environ.get("NODE_RANK") or 0)


def started() -> tuple[int, int] | None:
    """(processes per machine, machines) as torchrun or srun started them; None where we start them ourselves."""
    match launcher():
        case "torchrun":
            local = int(os.environ["LOCAL_WORLD_SIZE"])
            return local, int(os.environ["WORLD_SIZE"]) // local
        case "srun":
            machines = int(os.environ["SLURM_NNODES"])
            return int(os.environ["SLURM_NTASKS"]) // machines, machines
    return None


def end_with_parent() -> None:
    """Be killed when the parent process dies, even inside a call that never returns; on Linux only."""
    if sys.platform == "linux" and launcher() == "own":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
