"""Jobs through Slurm, one submission each, by submitit."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from unroll.base.errors import UserError
from unroll.config.train import TrainConfig
from unroll.jobs.job import Job
from unroll.jobs.pool import command, environment

POLL_SECONDS = 2


class SlurmPool:
    """As many jobs at once as Slurm runs, or `limit`; `options` are those of `sbatch`, by their long names.

    A job that a killed sweep left in the queue is taken over, not submitted again.
    """

    def __init__(self, project: Path, folder: Path, limit: int | None, minutes: int, memory_gb: float | None,
                 options: Mapping[str, Any]) -> None:
        try:
            import submitit
        except ImportError:
            raise UserError("not-installed", "hydra/launcher", "slurm needs submitit. Install it: pip install "
                            "'unroll[slurm]'.") from None
        self._project, self._limit = project, limit
        try:
            self._executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=0)
        except RuntimeError as error:
            raise UserError("not-installed", "hydra/launcher", f"slurm: {error} Run where `sbatch` is, or leave it out."
                            ) from None
        self._settings = {"timeout_min": minutes, "slurm_additional_parameters": dict(options)}
        if memory_gb is not None:
            self._settings["mem_gb"] = memory_gb
        self._submit_command = submitit.helpers.CommandFunction
        self._running: dict[Job, str] = {}
        self._polled = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for job in list(self._running):
            self.stop(job)

    def room(self, train: TrainConfig) -> bool:
        return len(self._running) != self._limit

    def start(self, job: Job) -> None:
        number = job.folder.slurm_id()
        if number not in _queued():
            number = self._submit(job)
            job.folder.write_slurm_id(number)
        self._running[job] = number

    def _submit(self, job: Job) -> str:
        import submitit

        train = job.config.train
        gpus = {} if train.accelerator == "cpu" else {"gpus_per_node": train.devices}
        self._executor.update_parameters(name=f"unroll {job.name}"[:60], cpus_per_task=train.threads * train.devices,
                                         **gpus, **self._settings)
        run = self._submit_command(command(job, self._project), env=environment(self._project), cwd=self._project,
                                   verbose=False)
        try:
            return str(self._executor.submit(run).job_id)
        except (submitit.core.utils.FailedJobError, subprocess.CalledProcessError, OSError) as error:
            reason = " ".join(str(error).split())
            raise UserError("server", "slurm", f"refused the job ({reason[:200]}).") from None

    def ended(self) -> list[tuple[Job, int]]:
        if time.monotonic() - self._polled < POLL_SECONDS:
            return []
        self._polled = time.monotonic()
        queued = _queued()
        done = [job for job, number in self._running.items() if number not in queued]
        for job in done:
            del self._running[job]
        return [(job, 0 if job.finished(self._project) else 1) for job in done]

    def stop(self, job: Job) -> None:
        subprocess.run(["scancel", self._running.pop(job)], check=False)


def _queued() -> set[str]:
    """The numbers of this user's jobs that wait or run; a controller that does not answer is asked again."""
    for pause in (1, 4, 15, 60):
        done = subprocess.run(["squeue", "-h", "-o", "%A", "--me"], check=False, capture_output=True, text=True,
                              env=os.environ)
        if done.returncode == 0:
            return set(done.stdout.split())
        time.sleep(pause)
    raise UserError("server", "squeue", f"{' '.join(done.stderr.split())[:200]}. Jobs continue; the same command finds "
                    "them again.")
