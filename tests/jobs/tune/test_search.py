"""The search itself, its trials ended by a stand-in: reported to the study, pruned, taken over, drawn again."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy.exc import IntegrityError

from tests.conftest import REPOSITORY, TINY
from tests.jobs.conftest import FakeGroup, FakePool, finish
from tests.jobs.tune.conftest import configuration
from unroll.base.files import HOST
from unroll.config.objective import LOWEST_LOSS
from unroll.jobs.tune import Search
from unroll.jobs.tune.report import report
from unroll.jobs.tune.space import TuneConfig
from unroll.jobs.tune.study import LOST_SECONDS, abandoned, open_study


@pytest.fixture(autouse=True, scope="module")
def _no_waiting():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unroll.jobs.tune.wait", lambda: None)
        yield


def loss_of(job) -> float:
    """Best for a rate of 0.01."""
    return 1 + abs(float(job.config.train.learning_rate) - 0.01) * 10


class Watched(FakePool):
    """A validation each time it is looked at, three in all, then the end."""

    def ended(self):
        for job in self.running:
            known = len(list(job.folder.validations()))
            if known < 3:
                job.folder.validated(10 * (known + 1), loss_of(job) + 0.3 - 0.1 * known)
        return super().ended()


def end(job):
    losses = [loss for _, loss in job.folder.validations()]
    if len(losses) < 3:
        return None
    job.folder.validation.unlink()
    finish(job, losses)
    return 0


def search(tmp_path: Path, config: TuneConfig, pool, name: str = "s") -> tuple[Search, optuna.Study, FakeGroup]:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    study = open_study(f"sqlite:///{folder / 'study.db'}", name, config, TINY, LOWEST_LOSS)
    group = FakeGroup()
    return Search(REPOSITORY, folder, study, config, TINY, pool, group), study, group


def drawn(study: optuna.Study) -> list[tuple]:
    return [(each.params, each.state, each.intermediate_values) for each in study.trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that nothing interrupted."""
    pool = Watched(end)
    searching, study, group = search(tmp_path_factory.mktemp("whole"), configuration(), pool)
    searching.run(6)
    return study, pool, group


def test_trials_that_validate_worse_are_pruned_and_the_others_completed(whole):
    study, pool, group = whole
    states = [each.state for each in study.trials]
    assert len(states) == 6 and states[:2] == [TrialState.COMPLETE] * 2
    assert states.count(TrialState.PRUNED) == len(pool.stopped) == len(group.given_up) > 0
    complete = [each for each in study.trials if each.state == TrialState.COMPLETE]
    assert all(each.value == each.intermediate_values[3] for each in complete)
    assert study.best_value == min(each.value for each in complete)
    pruned = next(each for each in study.trials if each.state == TrialState.PRUNED)
    assert len(pruned.intermediate_values) < 3


def test_an_interrupted_study_proposes_what_it_would_have(whole, tmp_path):
    class Killed(Watched):
        def ended(self):
            if len(self.started) == 2 and len(list(self.running[0].folder.validations())) == 1:
                raise KeyboardInterrupt
            return super().ended()

    searching, study, _ = search(tmp_path, configuration(), Killed(end))
    with pytest.raises(KeyboardInterrupt):
        searching.run(6)
    cut = study.trials[-1]
    assert cut.state == TrialState.RUNNING
    # its process is no more
    study._storage.set_trial_user_attr(cut._trial_id, "process", f"{cut.user_attrs['process'].partition('/')[0]}/999999999")
    pool = Watched(end)
    searching, study, _ = search(tmp_path, configuration(), pool)
    searching.run(6)
    assert str(pool.started[0].root) == cut.user_attrs["root"]
    assert drawn(study) == drawn(whole[0])


def test_a_trial_that_another_process_works_on_is_left_to_it(tmp_path):
    searching, study, _ = search(tmp_path, configuration(), Watched(end))
    other = study.ask()
    other.set_user_attr("process", "elsewhere/1")
    searching.run(3)
    assert study.trials[other.number].state == TrialState.RUNNING
    assert len(study.trials) == 3
    study._storage.set_trial_user_attr(other._trial_id, "seen", 0.0)      # not heard of for long
    searching.run(3)
    assert study.trials[other.number].state == TrialState.COMPLETE and len(study.trials) == 3


def test_a_process_that_died_before_its_first_sign_of_life_is_noticed_in_time(tmp_path, monkeypatch):
    _, study, _ = search(tmp_path, configuration(), FakePool(end))
    trial = study.ask()
    assert abandoned(study) == []
    later = time.time() + LOST_SECONDS + 1
    monkeypatch.setattr("unroll.jobs.tune.study.time.time", lambda: later)
    assert [each.number for each in abandoned(study)] == [trial.number]


def test_a_zombie_counts_as_ended(tmp_path):
    """As in a container whose first process does not look after the others."""
    _, study, _ = search(tmp_path, configuration(), FakePool(end))
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        study.ask().set_user_attr("process", f"{HOST}/{process.pid}")
        assert [each.number for each in abandoned(study)] == [0]


def test_processes_that_ask_at_once_take_over_no_trial_twice_and_begin_none_too_many(tmp_path):
    several = [search(tmp_path, configuration(), FakePool(end)) for _ in range(4)]
    study = several[0][1]
    study.ask().set_user_attr("process", f"{HOST}/999999999")      # which is no more
    with ThreadPoolExecutor(len(several)) as threads:
        taken = list(threads.map(lambda each: each[0]._next(3), several))
    assert sorted(each.number for each in taken if each is not None) == [0, 1, 2]
    assert len(study.get_trials()) == 3


def test_creating_a_study_is_retried_while_another_process_makes_its_tables(tmp_path, monkeypatch):
    real, tries = optuna.create_study, []

    def slower(**options):
        tries.append(options)
        if len(tries) == 1:
            raise IntegrityError("CREATE TYPE studydirection", None, Exception("already exists"))
        return real(**options)

    monkeypatch.setattr("unroll.jobs.tune.study.time.sleep", lambda seconds: None)
    monkeypatch.setattr(optuna, "create_study", slower)
    search(tmp_path, configuration(), FakePool(end))
    assert len(tries) == 2


def test_a_trial_that_fails_counts_and_the_study_goes_on(tmp_path, capsys):
    searching, study, _ = search(tmp_path, configuration(), FakePool(lambda job: 2))
    searching.run(3)
    assert [each.state for each in study.trials] == [TrialState.FAIL] * 3
    assert capsys.readouterr().out.count("failed: its log is empty") == 3
    assert report(study, LOWEST_LOSS, tmp_path) == {}


def test_a_space_that_conf_does_not_know_fails_every_trial_with_its_reason(tmp_path, capsys):
    searching, *_ = search(tmp_path, configuration(space={"train.lerning_rate": {"low": 0.1, "high": 0.2}}), Watched(end))
    searching.run(1)
    assert 'did you mean "train.learning_rate"?' in capsys.readouterr().out


def test_equal_values_are_one_root_and_run_once(tmp_path):
    pool = Watched(end)
    searching, study, _ = search(tmp_path, configuration(space={"model": ["rnn"]}, pruner={"kind": "none"}), pool)
    searching.run(3)
    assert len(pool.started) == 1
    assert [each.value for each in study.trials] == [study.best_value] * 3


def test_the_report_has_the_best_trial_a_table_and_a_picture(whole, tmp_path, capsys):
    study, *_ = whole
    figures = report(study, LOWEST_LOSS, tmp_path)
    assert figures["jobs/finished"] + figures["jobs/pruned"] == 6 and figures["sweep/val_loss"] == study.best_value
    printed = capsys.readouterr().out
    assert f"best: #{study.best_trial.number}" in printed and f"unroll promote {study.best_trial.user_attrs['root']}" in printed
    assert (tmp_path / "trials.csv").read_text().count("\n") == 7
    assert (tmp_path / "history.png").stat().st_size > 8_000
