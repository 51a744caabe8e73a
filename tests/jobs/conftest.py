"""Jobs of the tiny configuration, and a stand-in for what their processes do."""

from functools import cache
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import REPOSITORY, TINY
from unroll.base.deps import digest
from unroll.base.files import write_json, write_text
from unroll.base.workspace import Workspace
from unroll.compose import compose_job
from unroll.evaluation.comparison import Comparison, write_comparisons
from unroll.jobs import Job
from unroll.jobs.job import STAGES

CONF = REPOSITORY / "conf"


@cache
def composed(*overrides: str):
    return compose_job(CONF, overrides)


def make(folder: Path, *overrides: str) -> Job:
    return Job.below(folder, overrides, [*TINY, *overrides], *composed(*TINY, *overrides))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = make(tmp_path)
    made.write(REPOSITORY, "group", "")
    return made


def finish(job: Job, losses: list[float]) -> None:
    """As its process would leave it, validated every ten steps."""
    for number, loss in enumerate(losses, 1):
        job.folder.validated(10 * number, loss)
    write_json(job.root / "metrics" / "train.json", {"val/best_loss": min(losses), "model/parameters": 7})
    write_json(job.root / "metrics" / "test.json", {"test/bpc": 2 * min(losses)})
    comparison = Comparison("bpc", "bits per character", False, 2 * min(losses), {"xz": 3.0})
    write_comparisons(job.root / "artifacts" / "card" / "comparison.json", {"text": comparison})
    write_text(job.root / "plots" / "validation.csv", "step,loss\n" + "".join(
        f"{10 * number},{loss}\n" for number, loss in enumerate(losses, 1)))
    job.folder.write_state(digest(Workspace(REPOSITORY, job.root), STAGES), dict.fromkeys(STAGES, 1.0))


class FakePool:
    """Runs nothing: jobs end at once, as `end` leaves them, or, where it gives False, go on until they are stopped."""

    def __init__(self, end, room: int = 1) -> None:
        self.end, self.places = end, room
        self.started: list[Job] = []
        self.running: list[Job] = []
        self.stopped: list[Job] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def room(self, train) -> bool:
        return len(self.running) < self.places

    def start(self, job: Job) -> None:
        self.started.append(job)
        self.running.append(job)

    def ended(self) -> list[tuple[Job, int]]:
        done = [(job, code) for job in self.running if (code := self.end(job)) is not None]
        self.running = [job for job in self.running if job not in [each for each, _ in done]]
        return done

    def stop(self, job: Job) -> None:
        self.running.remove(job)
        self.stopped.append(job)


class FakeGroup:
    """Instead of a run of MLflow."""

    def __init__(self) -> None:
        self.given_up: list[tuple[Job, int]] = []

    def admit(self, job: Job) -> None:
        job.write(REPOSITORY, "group", "")

    def pruned(self, job: Job, step: int) -> None:
        self.given_up.append((job, step))
