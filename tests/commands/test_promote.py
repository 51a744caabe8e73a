"""A job's configuration as an experiment that becomes the default."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, TINY
from unroll.base.errors import UserError
from unroll.commands.promote import changed, differing, promote
from unroll.compose import compose_job
from unroll.config.load import load
from unroll.jobs import Job


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "conf", folder / "conf")
    return folder


def job(project: Path, *overrides: str) -> Job:
    given = [*TINY, *overrides]
    made = Job.below(project / "jobs", overrides, given, *compose_job(project / "conf", given))
    made.write(project, "cells", "")
    return made


def test_a_promoted_job_is_what_the_project_composes(project):
    made = job(project, "model=gru", "train.seed=7")
    promote(project, made.root, "winner")
    frozen = load(project / "params.yaml")
    assert frozen.model_dump(exclude={"runtime"}) == made.config.model_dump(exclude={"runtime"})
    experiment = yaml.safe_load((project / "conf" / "experiment" / "winner.yaml").read_text())
    assert {"override /model": "gru"} in experiment["defaults"] and experiment["train"]["seed"] == 7
    assert "- experiment: winner" in (project / "conf" / "config.yaml").read_text()
    promote(project, made.root, "winner")       # again, nothing is in its way


@pytest.mark.parametrize(("name", "code", "where"), [
    ("../x", "wrong-type", "--name"), ("1st", "wrong-type", "--name"), ("gunpoint", "exists", "gunpoint.yaml"),
])
def test_a_name_that_cannot_be_used_changes_nothing(project, name, code, where):
    made = job(project, "train.seed=3")
    before = (project / "conf" / "config.yaml").read_text()
    with pytest.raises(UserError) as error:
        promote(project, made.root, name)
    assert error.value.code == code and error.value.where.endswith(where)
    assert (project / "conf" / "config.yaml").read_text() == before


def test_a_folder_that_is_no_job_is_refused(project, tmp_path):
    with pytest.raises(UserError) as error:
        promote(project, tmp_path, None)
    assert (error.value.code, error.value.where) == ("not-found", str(tmp_path))


def test_a_configuration_that_conf_no_longer_composes_is_refused_and_undone(project):
    made = job(project, "train.seed=4")
    text = (made.root / "params.yaml").read_text()
    (made.root / "params.yaml").write_text(text.replace("max_steps: 20", "max_steps: 21"))
    file = project / "conf" / "model" / "lstm.yaml"
    before = file.read_text(), (project / "conf" / "config.yaml").read_text()
    promote(project, made.root, "other")        # every value is written out, so that this one composes
    (project / "conf" / "experiment" / "other.yaml").unlink()
    (project / "conf" / "config.yaml").write_text(before[1])
    (made.root / "params.yaml").write_text("nothing: 1\n")
    with pytest.raises(UserError):
        promote(project, made.root, "other")
    assert not (project / "conf" / "experiment" / "other.yaml").exists()
    assert (project / "conf" / "config.yaml").read_text() == before[1]


def test_what_differs_is_named_with_dots():
    old, new = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 4}, "e": 3}
    assert differing(old, new) == ["a.c", "d", "e"]
    assert changed(new, old) == {"a": {"c": 4}, "e": 3}


@pytest.mark.parametrize("overrides", [
    ["experiment=objects", "train.monitor=parameters/loss"],
    ["experiment=objects", "~data.inputs.numbers", "~model.inputs.numbers"],
    ["experiment=half_labelled", "~data.targets.text", "~model.heads.text", "data.unlabelled=[]", "data.labelled=1.0"],
], ids=["several fields", "an input less", "a target less"])
def test_a_job_of_several_fields_is_promoted(project, overrides):
    made = Job.below(project / "jobs", overrides, overrides, *compose_job(project / "conf", overrides))
    made.write(project, "fields", "")
    promote(project, made.root, f"fields-{made.root.name}")
    frozen = load(project / "params.yaml")
    assert frozen.model_dump(exclude={"runtime"}) == made.config.model_dump(exclude={"runtime"})


def test_a_job_whose_fields_are_those_of_its_experiment_alone_is_promoted(project):
    (project / "conf" / "experiment" / "own.yaml").write_text("""# @package _global_
defaults: [override /data: objects, override /task: fields, override /train: small]
model:
  inputs: {text: {kind: embedding, size: 8, dropout: 0.0}}
  heads: {package: {kind: classification, loss: cross_entropy, pooling: max, dropout: 0.0}}
""")
    overrides = ["experiment=own", "train.seed=5"]
    made = Job.below(project / "jobs", overrides, overrides, *compose_job(project / "conf", overrides))
    made.write(project, "own", "")
    promote(project, made.root, None)
    assert load(project / "params.yaml").model.heads.keys() == {"package"}


def test_a_job_that_lacks_what_a_file_of_data_has_is_refused(project):
    overrides = ["experiment=objects", "~data.targets.package", "~model.heads.package", "train.monitor=parameters/loss"]
    made = Job.below(project / "jobs", overrides, overrides, *compose_job(project / "conf", overrides))
    made.write(project, "fields", "")
    with pytest.raises(UserError) as error:
        promote(project, made.root, "fewer")
    assert (error.value.code, error.value.where) == ("unsupported", str(made.root))
    assert "data.targets.package" in str(error.value) and "model" not in str(error.value)
