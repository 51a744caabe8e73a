"""The search itself, its trials ended by a stand-in: what is told to the study, given up, taken over, drawn again."""

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
from unroll.base.errors import UserError
from unroll.base.files import HOST
from unroll.jobs.tune import Search
from unroll.jobs.tune.report import report
from unroll.jobs.tune.space import TuneConfig, read
from unroll.jobs.tune.study import LOST_SECONDS, abandoned, hidden, open_study

SETTINGS = {
    "trials": 6, "seed": 1, "sampler": "tpe", "pruner": {"kind": "median", "trials": 2, "first": 1},
    "space": {"model": ["rnn", "gru"], "train.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
              "model.core.hidden_size": {"low": 8, "high": 32, "step": 8}},
}


@pytest.fixture(autouse=True, scope="module")
def _no_waiting():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unroll.jobs.tune.wait", lambda: None)
        yield


def configuration(**changes) -> TuneConfig:
    return TuneConfig.model_validate({**SETTINGS, **changes})


def loss_of(job) -> float:
    """Best for a rate of 0.01."""
    return 1 + abs(float(job.config.train.learning_rate) - 0.01) * 10


class Watched(FakePool):
    """A validation each time it is looked at, three in all, then the end."""

    def ended(self):
        for job in self.running:
            told = len(list(job.folder.validations()))
            if told < 3:
                job.folder.validated(10 * (told + 1), loss_of(job) + 0.3 - 0.1 * told)
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
    study = open_study(f"sqlite:///{folder / 'study.db'}", name, config, TINY)
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


def test_trials_that_validate_worse_are_given_up_and_the_others_told(whole):
    study, pool, group = whole
    states = [each.state for each in study.trials]
    assert len(states) == 6 and states[:2] == [TrialState.COMPLETE] * 2
    assert states.count(TrialState.PRUNED) == len(pool.stopped) == len(group.given_up) > 0
    complete = [each for each in study.trials if each.state == TrialState.COMPLETE]
    assert all(each.value == each.intermediate_values[3] for each in complete)
    assert study.best_value == min(each.value for each in complete)
    pruned = next(each for each in study.trials if each.state == TrialState.PRUNED)
    assert len(pruned.intermediate_values) < 3


def test_a_study_that_was_interrupted_goes_on_as_if_it_had_not_been(whole, tmp_path):
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


def test_a_process_that_died_before_it_said_so_is_found_out_in_time(tmp_path, monkeypatch):
    _, study, _ = search(tmp_path, configuration(), FakePool(end))
    trial = study.ask()
    assert abandoned(study) == []
    later = time.time() + LOST_SECONDS + 1
    monkeypatch.setattr("unroll.jobs.tune.study.time.time", lambda: later)
    assert [each.number for each in abandoned(study)] == [trial.number]


def test_a_process_that_nobody_has_asked_after_since_it_ended_has_ended(tmp_path):
    """As in a container whose first process does not look after the others."""
    _, study, _ = search(tmp_path, configuration(), FakePool(end))
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        study.ask().set_user_attr("process", f"{HOST}/{process.pid}")
        assert [each.number for each in abandoned(study)] == [0]


def test_processes_that_ask_at_once_take_up_no_trial_twice_and_begin_none_too_many(tmp_path):
    several = [search(tmp_path, configuration(), FakePool(end)) for _ in range(4)]
    study = several[0][1]
    study.ask().set_user_attr("process", f"{HOST}/999999999")      # which is no more
    with ThreadPoolExecutor(len(several)) as threads:
        taken = list(threads.map(lambda each: each[0]._next(3), several))
    assert sorted(each.number for each in taken if each is not None) == [0, 1, 2]
    assert len(study.get_trials()) == 3


def test_a_storage_whose_tables_another_process_makes_at_the_moment_is_tried_again(tmp_path, monkeypatch):
    real, tries = optuna.create_study, []

    def slower(**given):
        tries.append(given)
        if len(tries) == 1:
            raise IntegrityError("CREATE TYPE studydirection", None, Exception("already exists"))
        return real(**given)

    monkeypatch.setattr("unroll.jobs.tune.study.time.sleep", lambda seconds: None)
    monkeypatch.setattr(optuna, "create_study", slower)
    search(tmp_path, configuration(), FakePool(end))
    assert len(tries) == 2


def test_a_trial_that_fails_counts_and_the_study_goes_on(tmp_path, capsys):
    searching, study, _ = search(tmp_path, configuration(), FakePool(lambda job: 2))
    searching.run(3)
    assert [each.state for each in study.trials] == [TrialState.FAIL] * 3
    assert capsys.readouterr().out.count("failed: it said nothing") == 3
    assert report(study, tmp_path) == {}


def test_a_space_that_conf_does_not_know_fails_every_trial_with_its_reason(tmp_path, capsys):
    searching, *_ = search(tmp_path, configuration(space={"train.lerning_rate": {"low": 0.1, "high": 0.2}}), Watched(end))
    searching.run(1)
    assert 'Did you mean "train.learning_rate"?' in capsys.readouterr().out


def test_equal_values_are_one_root_and_run_once(tmp_path):
    pool = Watched(end)
    searching, study, _ = search(tmp_path, configuration(space={"model": ["rnn"]}, pruner={"kind": "none"}), pool)
    searching.run(3)
    assert len(pool.started) == 1
    assert [each.value for each in study.trials] == [study.best_value] * 3


def test_the_report_says_what_is_best_and_why(whole, tmp_path, capsys):
    study, *_ = whole
    figures = report(study, tmp_path)
    assert figures["jobs/finished"] + figures["jobs/pruned"] == 6 and figures["sweep/val_loss"] == study.best_value
    said = capsys.readouterr().out
    assert f"best: #{study.best_trial.number}" in said and f"unroll promote {study.best_trial.user_attrs['root']}" in said
    assert (tmp_path / "trials.csv").read_text().count("\n") == 7
    assert (tmp_path / "history.png").stat().st_size > 8_000


@pytest.mark.parametrize(("rungs", "judged"), [(None, [2, 6]), (2, [2, 6]), (1, [2])])
def test_halving_judges_as_often_as_it_is_told(rungs, judged):
    """After two validations a third goes on, after six a third of those; a worse trial shows when."""
    pruner = configuration(pruner={"kind": "halving", "first": 2, "factor": 3, "rungs": rungs}).pruner.build()
    study = optuna.create_study(pruner=pruner)

    def given_up(losses: list[float]) -> int | None:
        trial = study.ask()
        for step, loss in enumerate(losses, 1):
            trial.report(loss, step)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return step
        study.tell(trial, losses[-1])
        return None

    assert given_up([2.0] * 9) is None
    found = {given_up([9.0, second, *[3.0] * 7]) for second in (3.0, 1.0)}
    assert sorted(found - {None}) == judged


# ------------------------------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize("file", sorted(each.stem for each in (REPOSITORY / "conf" / "tune").glob("*.yaml")))
def test_every_space_in_conf_can_be_read_and_suggests_what_composes(file):
    from unroll.compose import compose

    config = read(REPOSITORY / "conf", file)
    trial = optuna.create_study(sampler=config.sampler_of(0)).ask()
    compose(REPOSITORY / "conf", config.suggest(trial))


@pytest.mark.parametrize(("changes", "said"), [
    ({"space": {}}, "space"),
    ({"space": {"model": []}}, "space.model"),
    ({"space": {"train.seed": {"low": 3, "high": 1}}}, "low must be below high"),
    ({"space": {"train.seed": {"low": 0, "high": 1, "log": True}}}, "a logarithmic range needs low above 0"),
    ({"sampler": "grid"}, "sampler: unknown value 'grid'"),
    ({"pruner": {"kind": "medain"}}, "pruner.kind: unknown kind 'medain'; did you mean \"median\"?"),
    ({"trails": 3}, "trails"),
])
def test_a_wrong_space_is_one_line(tmp_path, changes, said):
    import yaml

    (tmp_path / "tune").mkdir()
    (tmp_path / "tune" / "mine.yaml").write_text(yaml.safe_dump({**SETTINGS, **changes}))
    with pytest.raises(UserError) as caught:
        read(tmp_path, "mine")
    assert said in str(caught.value) and str(caught.value).startswith(str(tmp_path / "tune" / "mine.yaml"))
    with pytest.raises(UserError, match=r"^--space: no 'min' in .*; did you mean \"mine\"\?$"):
        read(tmp_path, "min")


@pytest.mark.parametrize(("changes", "overrides", "what"), [
    ({"seed": 2}, TINY, "seed"), ({"sampler": "random"}, TINY, "sampler"),
    ({"space": {"model": ["rnn"]}}, TINY, "space"), ({}, [*TINY, "train.epochs=2"], "overrides"),
])
def test_a_study_of_something_else_is_refused(tmp_path, changes, overrides, what):
    url = f"sqlite:///{tmp_path / 's.db'}"
    open_study(url, "s", configuration(), TINY)
    open_study(url, "s", configuration(), TINY)
    with pytest.raises(UserError, match=rf"^study s in .*: begun with another {what}\. Give"):
        open_study(url, "s", configuration(**changes), overrides)


@pytest.mark.parametrize(("url", "said"), [
    ("sqlite:////no/such/folder/s.db", "cannot be used"),
    ("postgresql://me:secret@127.0.0.1:1/x", "cannot be used"),
    ("mysql://me:secret@127.0.0.1:1/x", "needs the package MySQLdb"),
    ("nonsense", "cannot be used"),
])
def test_a_storage_that_cannot_be_reached_is_one_line_without_its_password(url, said):
    with pytest.raises(UserError, match=r"^--storage: ") as caught:
        open_study(url, "s", configuration(), TINY)
    assert said in str(caught.value) and "secret" not in str(caught.value) and "\n" not in str(caught.value)
    assert hidden("sqlite:///a.db") == "sqlite:///a.db"
