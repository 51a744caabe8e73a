"""Many runs: Hydra's multirun gives the grid, each job is a process with a root of its own."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from unroll.base.errors import UserError
from unroll.compose import choices, compose, multirun, swept
from unroll.jobs import Job
from unroll.jobs.group import Group
from unroll.jobs.pool import Pool, wait
from unroll.jobs.sweeps.report import report

CHOICE = "+sweep="      # of a file in conf/sweep


def sweep(project: Path, overrides: Sequence[str], name: str | None) -> None:
    """Run every combination; those that have finished are not run again, those that were cut go on.

    Raises `UserError` before the first job starts when one of them is not valid, and at the end when some failed.
    """
    given = ["+" + each if each.startswith("sweep=") else each for each in overrides]
    name = name or name_of(given)
    folder = project / ".unroll" / "sweeps" / name
    failed: dict[Job, str] = {}

    def launch(grid: list[list[str]], make_pool: Callable[[Path, Path], Pool]) -> list[float]:
        jobs = [make(project, folder, each, naming(grid)(each)) for each in grid]
        unique = list({job.root: job for job in jobs}.values())
        if len(unique) < len(jobs):
            print(f"sweep: {len(jobs) - len(unique)} of {len(jobs)} jobs are the same as another; each is run once")
        with in_use(folder), Group(project, folder, name, unique[0].config, f"sweep {' '.join(overrides)}") as group:
            with make_pool(project, folder) as pool:
                failed.update(run_all(project, unique, pool, group))
            group.close(report([job for job in unique if job not in failed], folder), len(failed))
        return [job.metrics()["val/best_loss"] if (job.root / "metrics" / "train.json").is_file() else float("nan")
                for job in jobs]

    multirun(project / "conf", given, folder, launch)
    if failed:
        same: dict[str, list[str]] = {}
        for job, reason in failed.items():
            same.setdefault(reason.rstrip("."), []).append(job.name)
        said = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in same.items())
        raise UserError(f"sweep: {len(failed)} jobs failed: {said}. The same command runs them again, and no others.")


def run_all(project: Path, jobs: Sequence[Job], pool: Pool, group: Group) -> dict[Job, str]:
    """Jobs that failed, and why; what stands in the way of one is no reason not to run the others."""
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
                print(f"sweep: {job.name} failed: {failed[job]} (all it said: {job.folder.log})", flush=True)
            else:
                print(f"sweep: {job.name}: validation loss {job.metrics()['val/best_loss']:.4f} ({done} of {total})",
                      flush=True)
        wait()
    return failed


def make(project: Path, folder: Path, overrides: Sequence[str], differs: Sequence[str]) -> Job:
    """A job of these overrides; raises `UserError` when they are not valid."""
    try:
        text, config = compose(project / "conf", overrides)
    except UserError as error:
        raise UserError(f"{' '.join(differs)}: {error}") from None
    if config.train.num_nodes > 1:
        raise UserError(f"{' '.join(differs)}: train.num_nodes: {config.train.num_nodes} machines a job are not "
                        "offered in a sweep. Set it to 1, or train alone (docs/scaling.md).")
    return Job.below(folder, differs, overrides, choices(project / "conf", overrides), text, config)


def naming(grid: Sequence[Sequence[str]]) -> Callable[[Sequence[str]], list[str]]:
    """What tells the jobs of a grid apart; of a single one, all that it was given."""
    different = {each for job in grid for each in job if any(each not in other for other in grid)}
    return lambda job: [each for each in job if each in different or not different]


def name_of(overrides: Sequence[str]) -> str:
    """A sweep that was not given a name is called by what it chooses and varies, so that it is found again."""
    groups = (CHOICE, "experiment=")
    chosen = [each.split("=", 1)[1] for each in overrides if each.startswith(groups) and "," not in each]
    return "-".join([*chosen, *(each.split(".")[-1].replace("/", "-") for each in swept(overrides))]) or "single"


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Held while a sweep of that name runs."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / "lock").acquire(timeout=0)
    except Timeout:
        raise UserError(f"{folder}: in use by another sweep of that name. Wait for it, or give a --name.") from None
    with lock:
        yield
