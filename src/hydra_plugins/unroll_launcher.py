"""What Hydra hands the jobs of a multirun to: `hydra/launcher=local`, or `slurm`. Hydra finds plug-ins in this package.

Other launchers call a function for every job; these call it once, with all jobs and a function that makes their pool,
because jobs are processes of their own.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from unroll.jobs.pool import Pool


class _Unroll(Launcher):
    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._run: Callable[..., list[float]] = task_function

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        objectives = self._run([list(overrides) for overrides in job_overrides], self.pool)
        return [JobReturn(overrides=overrides, status=JobStatus.COMPLETED, _return_value=objective)
                for overrides, objective in zip(job_overrides, objectives, strict=True)]

    @abstractmethod
    def pool(self, project: Path, folder: Path) -> "Pool":
        """Where the jobs of `project` run; `folder` is the sweep's."""


class LocalLauncher(_Unroll):
    def __init__(self, jobs: int | None) -> None:
        self._jobs = jobs

    def pool(self, project: Path, folder: Path) -> "Pool":
        from unroll.jobs.pool import LocalPool

        return LocalPool(project, self._jobs)


class SlurmLauncher(_Unroll):
    def __init__(self, jobs: int | None, minutes: int, memory_gb: float | None, partition: str | None,
                 account: str | None, options: dict[str, Any]) -> None:
        self._jobs, self._minutes, self._memory_gb = jobs, minutes, memory_gb
        named = {"partition": partition, "account": account}
        self._options = {name: value for name, value in named.items() if value is not None} | dict(options)

    def pool(self, project: Path, folder: Path) -> "Pool":
        from unroll.jobs.slurm import SlurmPool

        return SlurmPool(project, folder / "slurm", self._jobs, self._minutes, self._memory_gb, self._options)


@dataclass
class LocalConfig:
    _target_: str = f"{__name__}.LocalLauncher"
    jobs: int | None = None         # at once; none: as many as cores and accelerators allow


@dataclass
class SlurmConfig:
    _target_: str = f"{__name__}.SlurmLauncher"
    jobs: int | None = None         # at once; none: as Slurm decides
    minutes: int = 60               # after which Slurm ends a job; the same command resumes the sweep
    memory_gb: float | None = None
    partition: str | None = None
    account: str | None = None
    options: dict[str, Any] = field(default_factory=dict)       # others of sbatch: +hydra.launcher.options.qos=long


ConfigStore.instance().store(group="hydra/launcher", name="local", node=LocalConfig, provider="unroll")
ConfigStore.instance().store(group="hydra/launcher", name="slurm", node=SlurmConfig, provider="unroll")
