"""Who has started this process, and which of them it is."""

import pytest

from unroll.base.processes import PASSED_ON, launcher, own_environment, rank, started

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "RANK": "5", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}
JOB = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_NNODES": "2"}       # a script, before `srun`
CASES = [
    ({}, "own", 0, None),
    ({"LOCAL_RANK": "1"}, "own", 1, None),
    ({"NODE_RANK": "1", "LOCAL_RANK": "0"}, "own", 1, None),
    (TORCHRUN, "torchrun", 5, (4, 2)),
    (JOB, "own", 0, None),
    (JOB | {"LOCAL_RANK": "1"}, "own", 1, None),
    (JOB | {"SLURM_STEP_ID": "0", "SLURM_PROCID": "3"}, "srun", 3, (2, 2)),
    (JOB | {"SLURM_STEP_ID": "0", "SLURM_NTASKS": "1", "LOCAL_RANK": "1"}, "own", 1, None),     # srun --pty bash
    (JOB | {"SLURM_STEP_ID": "0"} | TORCHRUN, "torchrun", 5, (4, 2)),                           # srun torchrun
]


@pytest.mark.parametrize(("environment", "who", "which", "counted"), CASES)
def test_who_started_it(monkeypatch, environment, who, which, counted):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (launcher(), rank(), started()) == (who, which, counted)


def test_a_process_of_its_own_is_told_nothing_of_it(monkeypatch):
    for name in [*TORCHRUN, *JOB, "SLURM_STEP_ID", "DVC_ROOT"]:
        monkeypatch.setenv(name, "1")
    left = own_environment()
    assert not {*PASSED_ON} & {*left}
    assert left["SLURM_JOB_ID"] == "1" and "PATH" in left
