"""Grids, names and rankings; real jobs are in tests/pipeline/test_sweeps.py."""

import csv
import os

import pytest

from tests.conftest import REPOSITORY
from tests.jobs.conftest import FakeGroup, FakePool, finish, make
from unroll.base.errors import UserError
from unroll.compose import multirun, swept
from unroll.jobs.sweeps import in_use, name_of, naming, run_all
from unroll.jobs.sweeps.report import report

CONF = REPOSITORY / "conf"


def grid(tmp_path, *overrides: str) -> list[list[str]]:
    jobs: list[list[str]] = []
    multirun(CONF, overrides, tmp_path, lambda found, pool: [jobs.append(each) or 0.0 for each in found])
    return jobs


def test_hydras_multirun_gives_every_combination(tmp_path):
    assert grid(tmp_path, "model=rnn,gru", "train.seed=1,2", "train.epochs=3") == [
        ["model=rnn", "train.seed=1", "train.epochs=3"], ["model=rnn", "train.seed=2", "train.epochs=3"],
        ["model=gru", "train.seed=1", "train.epochs=3"], ["model=gru", "train.seed=2", "train.epochs=3"],
    ]
    assert (tmp_path / "multirun.yaml").is_file()


@pytest.mark.parametrize("file", sorted(each.stem for each in (CONF / "sweep").glob("*.yaml")))
def test_every_comparison_in_conf_has_several_valid_jobs(tmp_path, file):
    jobs = grid(tmp_path, f"+sweep={file}")
    assert len(jobs) > 2
    assert len({make(tmp_path, *each).root for each in jobs}) == len(jobs)


def test_the_cells_are_compared_over_seeds_and_a_command_line_has_the_last_word(tmp_path):
    jobs = grid(tmp_path, "+sweep=cells", "train.seed=7")
    assert [each[0] for each in jobs] == ["model=rnn", "model=lstm", "model=gru"]
    assert all("train.seed=7" in each for each in jobs)


@pytest.mark.parametrize(("override", "code", "where", "meant"), [
    ("model=rnn,lstmm", "unknown-name", "model", 'did you mean "lstm"?'),
    ("train.sed=1,2", "unknown-name", "train.sed", 'did you mean "train.seed"?'),
    ("model=", "unknown-name", "model", "choose from bigru, bilstm, cnn, gru, grud, lstm, mlp, rnn."),
    ("model=choice()", "wrong-type", "model=choice()", ""),
    ("hydra/launcher=slrum", "unknown-name", "hydra/launcher", 'did you mean "slurm"?'),
])
def test_a_wrong_grid_is_one_line(tmp_path, override, code, where, meant):
    with pytest.raises(UserError) as error:
        grid(tmp_path, override)
    assert (error.value.code, error.value.where) == (code, where)
    assert error.value.text.endswith(meant) and "\n" not in str(error.value)


def test_a_mistake_of_a_job_is_not_taken_for_hydras(tmp_path):
    def launch(jobs, pool):
        raise ValueError("ours")

    with pytest.raises(ValueError, match=r"^ours$"):
        multirun(CONF, ["train.seed=1,2"], tmp_path, launch)


@pytest.mark.parametrize(("overrides", "name"), [
    (["model=rnn,gru", "train.seed=1,2", "train.epochs=3"], "model-seed"),
    (["experiment=gunpoint", "model=rnn,gru"], "gunpoint-model"),
    (["+sweep=cells"], "cells"),
    (["train.seed=3"], "single"),
    (["train/optimizer=sgd,adam"], "train-optimizer"),
])
def test_a_sweep_is_named_by_what_it_varies(overrides, name):
    assert name_of(overrides) == name


def test_a_job_is_named_by_what_tells_it_apart():
    jobs = [["model=rnn", "train.epochs=3"], ["model=gru", "train.epochs=3"]]
    assert [naming(jobs)(each) for each in jobs] == [["model=rnn"], ["model=gru"]]
    assert naming(jobs[:1])(jobs[0]) == ["model=rnn", "train.epochs=3"]
    assert swept(["a=1,2", "b=3", "c=range(3)"]) == ["a", "c"]


def test_two_sweeps_of_one_name_do_not_run_at_once(tmp_path):
    with in_use(tmp_path), pytest.raises(UserError) as error, in_use(tmp_path):
        raise AssertionError
    assert (error.value.code, error.value.where) == ("in-use", str(tmp_path))
    with in_use(tmp_path):
        pass


# ------------------------------------------------------------------------------------------------------- running


def test_finished_jobs_are_not_started_and_a_failure_does_not_stop_the_others(tmp_path, capsys):
    jobs = [make(tmp_path, f"train.seed={seed}") for seed in (1, 2, 3)]
    finish(jobs[0], [2.0])

    def end(job):
        if job is jobs[1]:
            job.folder.log.write_text("unroll: train: no validation loss was finite.\n")
            return 2
        finish(job, [1.5])
        return 0

    pool = FakePool(end)
    assert run_all(REPOSITORY, jobs, pool, FakeGroup()) == {jobs[1]: "train: no validation loss was finite."}
    assert pool.started == jobs[1:]
    printed = capsys.readouterr().out
    assert "1 of 3 jobs had finished before" in printed and "train.seed=3: validation loss 1.5000 (3 of 3)" in printed


def test_a_job_that_ends_well_but_unfinished_has_failed(tmp_path):
    (job,) = jobs = [make(tmp_path)]
    assert run_all(REPOSITORY, jobs, FakePool(lambda _: 0), FakeGroup()) == {job: "its log is empty"}


def test_a_job_that_cannot_be_started_is_left_out_and_the_others_run(tmp_path):
    jobs = [make(tmp_path, f"train.seed={seed}") for seed in (1, 2)]

    class Refusing(FakePool):
        def start(self, job):
            if job is jobs[0]:
                raise UserError("process", "slurm", "did not take the job (invalid partition).")
            super().start(job)

    pool = Refusing(lambda job: finish(job, [1.0]) or 0)
    assert run_all(REPOSITORY, jobs, pool, FakeGroup()) == {jobs[0]: "slurm: did not take the job (invalid partition)."}
    assert pool.started == jobs[1:]


def test_the_table_ranks_means_over_seeds_by_validation_alone(tmp_path, capsys):
    jobs = [make(tmp_path, f"model={cell}", f"train.seed={seed}") for cell in ("rnn", "gru") for seed in (1, 2)]
    for job, loss in zip(jobs, (2.0, 3.0, 2.4, 2.2), strict=True):
        finish(job, [9.0, loss])
    figures = report(jobs, tmp_path)
    assert figures == {"sweep/val_loss": pytest.approx(2.3), "sweep/test_bpc": pytest.approx(4.6), "jobs/finished": 4}
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["configuration"] for row in rows] == ["model=gru", "model=rnn"]
    assert float(rows[1]["validation_spread"]) == pytest.approx(0.5**0.5)
    assert rows[0]["best_root"] == str(jobs[3].root)
    assert "| 1 | model=gru     | 2    | 2.3000 ± 0.1414 | 4.6000 ± 0.2828          |" in capsys.readouterr().out
    assert os.path.getsize(tmp_path / "comparison.png") > 10_000
