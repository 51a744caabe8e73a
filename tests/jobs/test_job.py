"""What is kept of a job in its root, and when it counts as finished."""

import pytest

from tests.conftest import REPOSITORY
from tests.jobs.conftest import finish, make
from unroll.base.deps import digest
from unroll.base.workspace import Workspace
from unroll.jobs.job import STAGES


def test_a_root_is_called_by_its_configuration_alone(tmp_path):
    first = make(tmp_path, "train.seed=2")
    assert first.root == make(tmp_path, "train.seed=2", "runtime.workers=2").root
    assert first.root != make(tmp_path, "train.seed=3").root


def test_a_job_is_finished_when_every_stage_ran_on_what_is_there_now(job):
    assert not job.finished(REPOSITORY)
    finish(job, [3.0, 2.0])
    assert job.finished(REPOSITORY)
    assert job.metrics() == {"val/best_loss": 2.0, "model/parameters": 7, "test/bpc": 4.0}
    assert job.curve() == [(10, 3.0), (20, 2.0)]
    job.folder.write_state(digest(Workspace(REPOSITORY, job.root), STAGES), dict.fromkeys(STAGES[:3], 1.0))
    assert not job.finished(REPOSITORY)
    job.folder.write_state("of other code", dict.fromkeys(STAGES, 1.0))
    assert not job.finished(REPOSITORY)


def test_a_half_written_validation_waits_for_its_other_half_and_none_is_told_twice(job):
    for step in (10, 20, 10, 20, 30):       # stopped after 20, and going on from the start
        job.folder.validated(step, 1 / step)
    with job.folder.validation.open("a") as file:
        file.write('{"step": 40, "lo')
    assert list(job.folder.validations()) == [(10, 0.1), (20, 0.05), (30, 1 / 30)]


def test_a_training_that_begins_forgets_the_validations_before(job, tmp_path):
    job.folder.validated(10, 1.0)
    job.folder.begin(tmp_path)
    assert list(job.folder.validations()) == []
    assert job.folder.work() == tmp_path


def test_a_root_that_is_no_job_keeps_no_notes(job, tmp_path):
    other = type(job.folder)(tmp_path / "root")
    other.begin(tmp_path)
    other.validated(10, 1.0)
    assert not other.path.exists() and other.describe() == {}


@pytest.mark.parametrize(("log", "reason"), [
    ("train: …\nunroll: train: no loss was finite.\n", "train: no loss was finite."),
    ("Traceback:\n  File\nRuntimeError: a mistake\n\n", "RuntimeError: a mistake"),
    ("", "its log is empty"),
])
def test_the_reason_of_a_failure_is_the_last_thing_said(job, log, reason):
    job.folder.log.write_text(log)
    assert job.folder.reason() == reason
