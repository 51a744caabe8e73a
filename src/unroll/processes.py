"""This process among those of one training."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1        # prctl(2)

# what starting several processes leaves in the environment, and what DVC tells its stages
PASSED_ON = ("LOCAL_RANK", "NODE_RANK", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED",
             "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")


def own_environment() -> dict[str, str]:
    """For a process that is no part of what this one is part of."""
    return {name: value for name, value in os.environ.items() if name not in PASSED_ON}


def rank() -> int:
    """Above 0 in every process of a training but the first: told by torchrun, Slurm or, of a machine, Lightning."""
    known = next((os.environ[name] for name in ("RANK", "SLURM_PROCID") if os.environ.get(name)), None)
    return int(known or os.environ.get("LOCAL_RANK") or 0) or int(os.environ.get("NODE_RANK") or 0)


def end_with_parent() -> None:
    """Die when the process that started this one dies, in a call that never returns too; Linux alone can do that."""
    started_by_first = not ("RANK" in os.environ or "SLURM_PROCID" in os.environ)
    if sys.platform == "linux" and started_by_first:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
