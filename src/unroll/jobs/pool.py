"""Jobs as processes of this machine: as many at once as its cores and accelerators allow."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from unroll.base.errors import UserError
from unroll.base.processes import own_environment
from unroll.config.train import TrainConfig
from unroll.jobs.job import Job

PATIENCE_SECONDS = 10       # between SIGTERM and SIGKILL


class Pool(Protocol):
    """Where jobs run; leaving the context ends those that still run."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None: ...

    def room(self, train: TrainConfig) -> bool:
        """Whether a job with this section can be started now; raises `UserError` when it never can."""

    def start(self, job: Job) -> None:
        """Start a job that there is room for; raises `UserError` when it cannot be started."""

    def ended(self) -> list[tuple[Job, int]]:
        """The jobs that have ended since the last call, with their exit codes."""

    def stop(self, job: Job) -> None:
        """End a job; `ended` will not name it."""


def command(job: Job, project: Path) -> list[str]:
    places = ["--root", str(job.root.resolve()), "--project", str(project.resolve())]
    return [sys.executable, "-m", "unroll", "job", *places]


def environment(project: Path) -> dict[str, str]:
    return own_environment() | {"PYTHONPATH": str((project / "src").resolve())}


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    cores: int
    accelerators: list[str]


class LocalPool:
    """On this machine: `limit` jobs at once, or as many as its cores have threads for; one job per accelerator."""

    def __init__(self, project: Path, limit: int | None) -> None:
        self._project, self._limit = project, limit
        self._cores = len(os.sched_getaffinity(0))
        self._running: dict[Job, _Running] = {}

    def __enter__(self) -> Self:
        # SIGTERM to this process ends its jobs as well
        self._before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running.values():
            running.process.terminate()
        for job in list(self._running):
            self.stop(job)
        signal.signal(signal.SIGTERM, self._before)

    def room(self, train: TrainConfig) -> bool:
        known = self._usable(train)
        if train.devices > len(known) > 0:
            raise UserError("no-device", "train.devices", f"{train.devices} accelerators per job, {len(known)} are "
                            "visible here. Ask for fewer.")
        if known:
            free = len(self._free(train)) >= train.devices
        else:
            free = self._limit is not None or self._threads(train) <= self._cores - sum(
                running.cores for running in self._running.values())
        return free and len(self._running) != self._limit

    def start(self, job: Job) -> None:
        train = job.config.train
        own = self._free(train)[: train.devices]
        visible = {"CUDA_VISIBLE_DEVICES": ",".join(own)} if own else {}
        process = subprocess.Popen([*command(job, self._project), "--parent", str(os.getpid())], cwd=self._project,
                                   stdin=subprocess.DEVNULL, env=environment(self._project) | visible)
        self._running[job] = _Running(process, 0 if own else self._threads(train), own)

    def ended(self) -> list[tuple[Job, int]]:
        done = [(job, code) for job, running in self._running.items()
                if (code := running.process.poll()) is not None]
        for job, _ in done:
            del self._running[job]
        return done

    def stop(self, job: Job) -> None:
        process = self._running.pop(job).process
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _threads(self, train: TrainConfig) -> int:
        # a job with more threads than there are cores runs alone
        return min(train.threads * train.devices, self._cores)

    def _usable(self, train: TrainConfig) -> list[str]:
        return [] if train.accelerator == "cpu" else self._accelerators

    def _free(self, train: TrainConfig) -> list[str]:
        taken = {name for running in self._running.values() for name in running.accelerators}
        return [name for name in self._usable(train) if name not in taken]

    @cached_property
    def _accelerators(self) -> list[str]:
        """The accelerators that this process may use, by CUDA's names."""
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        if visible is None:
            from torch.cuda import device_count

            visible = ",".join(map(str, range(device_count())))
        return [name for name in visible.split(",") if name]


def wait() -> None:
    """Pause between two calls of a pool."""
    time.sleep(0.1)
