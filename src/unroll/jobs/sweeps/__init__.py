"""Sweeps: each combination of a Hydra multirun is a job, a process with a root of its own."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from unroll.base.errors import UserError
from unroll.compose import compose_job, multirun, swept
from unroll.jobs import Job
from unroll.jobs.group import Group
from unroll.jobs.pool import Pool, wait
from unroll.jobs.sweeps.report import report

CHOICE = "+sweep="      # an override that chooses a file in conf/sweep


def sweep(project: Path, overrides: Sequence[str], name: str | None) -> None:
    """Run every combination; finished jobs are not run again, interrupted ones are resumed.

    Raises `UserError` before the first job starts when one of them is not valid, and at the end when some failed.
    """
    command = f"sweep {' '.join(overrides)}"
    overrides = ["+" + override if override.startswith("sweep=") else override for override in overrides]
    name = name or name_of(overrides)
    folder = project / ".unroll" / "sweeps" / name
    failed: dict[Job, str] = {}

    def launch(grid: list[list[str]], make_pool: Callable[[Path, Path], Pool]) -> list[float]:
        """Run the jobs of the grid and return their objectives, NaN for one that has none."""
        jobs = [make(project, folder, combination, naming(grid)(combination)) for combination in grid]
        unique = list({job.root: job for job in jobs}.values())
        if len(unique) < len(jobs):
            print(f"sweep: {len(jobs) - len(unique)} of {len(jobs)} jobs are the same as another; each is run once")
        with in_use(folder), Group(project, folder, name, unique[0].config, command) as group:
            with make_pool(project, folder) as pool:
                failed.update(run_all(project, unique, pool, group))
            group.close(report([job for job in unique if job not in failed], folder), len(failed))
        return [job.best() if (job.root / "metrics" / "train.json").is_file() else float("nan") for job in jobs]

    multirun(project / "conf", overrides, folder, launch)
    if failed:
        raise failure(failed)


def run_all(project: Path, jobs: Sequence[Job], pool: Pool, group: Group) -> dict[Job, str]:
    """Run the jobs; return those that failed, with their reasons. A failure does not stop the others."""
    failed: dict[Job, str] = {}
    waiting = deque(job for job in jobs if not job.finished(project))
    total, done = len(jobs), len(jobs) - len(waiting)
    if done:
        print(f"sweep: {done} of {total} jobs had finished before")
    for job in waiting:
        group.admit(job)
    running = 0
    while waiting or running:
        while waiting:
            job = waiting[0]
            try:
                if not pool.room(job.config.train):
                    break
                pool.start(job)
                running += 1
                print(f"sweep: {job.name} → {job.root}", flush=True)
            except UserError as error:
                failed[job] = str(error)
                print(f"sweep: {job.name} is left out: {error}", flush=True)
            waiting.popleft()
        for job, code in pool.ended():
            running -= 1
            done += 1
            if code or not job.finished(project):
                failed[job] = job.folder.reason()
                print(f"sweep: {job.name} failed: {failed[job]} (its whole output: {job.folder.log})", flush=True)
            else:
                print(f"sweep: {job.name}: validation {job.objective.name} {job.best():.4f} ({done} of {total})",
                      flush=True)
        wait()
    return failed


def failure(failed: dict[Job, str]) -> UserError:
    """One line for all failed jobs, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for job, reason in failed.items():
        reasons.setdefault(reason.rstrip("."), []).append(job.name)
    jobs = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
    count = f"{len(failed)} job{'s' if len(failed) > 1 else ''} failed"
    return UserError("process", "sweep", f"{count}: {jobs}. The same command runs them again, and no others.")


def make(project: Path, folder: Path, overrides: Sequence[str], differs: Sequence[str]) -> Job:
    """A job with these overrides, named by those in which it differs; raises `UserError` when they are not valid."""
    try:
        choices, text, config = compose_job(project / "conf", overrides)
    except UserError as error:
        raise error.within(" ".join(differs)) from None
    if config.train.num_nodes > 1:
        raise UserError("unsupported", f"{' '.join(differs)}: train.num_nodes", f"{config.train.num_nodes} machines a "
                        "job are not supported in a sweep. Set it to 1, or train without a sweep (docs/scaling.md).")
    return Job.below(folder, differs, overrides, choices, text, config)


def naming(grid: Sequence[Sequence[str]]) -> Callable[[Sequence[str]], list[str]]:
    """The overrides that tell a job of a grid from the others; all of them for a single job."""
    different = {override for job in grid for override in job if any(override not in other for other in grid)}
    return lambda job: [override for override in job if override in different or not different]


def name_of(overrides: Sequence[str]) -> str:
    """The default name of a sweep: the files it chooses and the names it varies, so that it is found again."""
    groups = (CHOICE, "experiment=")
    files = [override.split("=", 1)[1] for override in overrides if override.startswith(groups) and "," not in override]
    return "-".join([*files, *(name.split(".")[-1].replace("/", "-") for name in swept(overrides))]) or "single"


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Hold the lock of a sweep while it runs; raises `UserError` when another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / "lock").acquire(timeout=0)
    except Timeout:
        raise UserError("in-use", folder, "another sweep of this name is running. Wait for it, or give a --name."
                        ) from None
    with lock:
        yield
