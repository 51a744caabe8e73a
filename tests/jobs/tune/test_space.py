"""Search spaces and studies: what can be read, what is refused."""

import shutil

import optuna
import pytest
import yaml
from optuna.trial import TrialState

from tests.conftest import REPOSITORY, TINY
from tests.jobs.tune.conftest import SETTINGS, configuration
from unroll.base.errors import UserError
from unroll.compose import compose
from unroll.config.objective import LOWEST_LOSS
from unroll.jobs.tune import tune
from unroll.jobs.tune.space import read
from unroll.jobs.tune.study import hidden, open_study


@pytest.mark.parametrize(("rungs", "judged"), [(None, [2, 6]), (2, [2, 6]), (1, [2])])
def test_halving_judges_as_often_as_rungs_says(rungs, judged):
    """After two validations a third goes on, after six a third of those; a worse trial shows when."""
    pruner = configuration(pruner={"kind": "halving", "first": 2, "factor": 3, "rungs": rungs}).pruner.build()
    study = optuna.create_study(pruner=pruner)

    def pruned(losses: list[float]) -> int | None:
        trial = study.ask()
        for step, loss in enumerate(losses, 1):
            trial.report(loss, step)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return step
        study.tell(trial, losses[-1])
        return None

    assert pruned([2.0] * 9) is None
    found = {pruned([9.0, second, *[3.0] * 7]) for second in (3.0, 1.0)}
    assert sorted(found - {None}) == judged


@pytest.mark.parametrize("file", sorted(each.stem for each in (REPOSITORY / "conf" / "tune").glob("*.yaml")))
def test_every_space_in_conf_can_be_read_and_suggests_what_composes(file):
    config = read(REPOSITORY / "conf", file)
    trial = optuna.create_study(sampler=config.sampler_of(0)).ask()
    compose(REPOSITORY / "conf", config.suggest(trial))


@pytest.mark.parametrize("experiment", ["gunpoint", "airline", "signals"])
def test_the_default_space_serves_every_task(experiment):
    config = read(REPOSITORY / "conf", "default")
    trial = optuna.create_study(sampler=config.sampler_of(0)).ask()
    compose(REPOSITORY / "conf", [f"experiment={experiment}", *config.suggest(trial)])


@pytest.mark.parametrize(("changes", "part"), [
    ({"space": {}}, "space"),
    ({"space": {"model": []}}, "space.model"),
    ({"space": {"train.seed": {"low": 3, "high": 1}}}, "low must be below high"),
    ({"space": {"train.seed": {"low": 0, "high": 1, "log": True}}}, "a logarithmic range needs low above 0"),
    ({"sampler": "grid"}, "sampler: unknown value 'grid'"),
    ({"pruner": {"kind": "medain"}}, "pruner.kind: unknown kind 'medain'; did you mean \"median\"?"),
    ({"trails": 3}, "trails"),
])
def test_a_wrong_space_is_one_line(tmp_path, changes, part):
    (tmp_path / "tune").mkdir()
    (tmp_path / "tune" / "mine.yaml").write_text(yaml.safe_dump({**SETTINGS, **changes}))
    with pytest.raises(UserError) as error:
        read(tmp_path, "mine")
    assert (error.value.code, error.value.where) == ("wrong-type", str(tmp_path / "tune" / "mine.yaml"))
    assert part in str(error.value)


def test_a_space_that_conf_does_not_have_is_refused():
    with pytest.raises(UserError, match=r'did you mean "default"\?$') as error:
        read(REPOSITORY / "conf", "defalt")
    assert (error.value.code, error.value.where) == ("unknown-name", "--space")


def test_a_name_that_conf_does_not_have_is_refused_before_any_trial(tmp_path):
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "tune" / "mine.yaml").write_text(yaml.safe_dump(
        {**SETTINGS, "space": {"train.lerning_rate": {"low": 0.1, "high": 0.2}}}))
    with pytest.raises(UserError) as error:
        tune(tmp_path, "mine", TINY, None, 2, 1, None)
    assert error.value.code == "unknown-name"
    assert f"{tmp_path / 'conf' / 'tune' / 'mine.yaml'}: train.lerning_rate" in str(error.value)
    assert not (tmp_path / ".unroll").exists()


@pytest.mark.parametrize(("changes", "overrides", "part"), [
    ({"seed": 2}, TINY, "seed"), ({"sampler": "random"}, TINY, "sampler"),
    ({"space": {"model": ["rnn"]}}, TINY, "space"), ({}, [*TINY, "train.epochs=2"], "overrides"),
])
def test_a_study_that_was_begun_with_something_else_is_refused(tmp_path, changes, overrides, part):
    url = f"sqlite:///{tmp_path / 's.db'}"
    open_study(url, "s", configuration(), TINY, LOWEST_LOSS)
    open_study(url, "s", configuration(), TINY, LOWEST_LOSS)
    with pytest.raises(UserError, match=f"begun with another {part}") as error:
        open_study(url, "s", configuration(**changes), overrides, LOWEST_LOSS)
    assert (error.value.code, error.value.where) == ("conflict", f"study s in {url}")


@pytest.mark.parametrize(("url", "code"), [
    ("sqlite:////no/such/folder/s.db", "server"),
    ("postgresql://me:secret@127.0.0.1:1/x", "server"),
    ("mysql://me:secret@127.0.0.1:1/x", "not-installed"),
    ("nonsense", "server"),
])
def test_a_storage_that_cannot_be_used_is_one_line_without_its_password(url, code):
    with pytest.raises(UserError) as error:
        open_study(url, "s", configuration(), TINY, LOWEST_LOSS)
    assert (error.value.code, error.value.where) == (code, "--storage")
    assert "secret" not in str(error.value) and "\n" not in str(error.value)
    assert hidden("sqlite:///a.db") == "sqlite:///a.db"
