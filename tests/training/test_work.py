"""The work folder: its name is a key of all that decides the weights, and one training holds it."""

import shutil
from dataclasses import replace

import pytest

from tests.conftest import REPOSITORY, refused
from tests.training.conftest import composed
from unroll.base.workspace import Workspace
from unroll.training.work import key, work_folder


def key_of(prepared, *overrides, project=REPOSITORY):
    config = composed(*overrides)
    return key(config.data, config.model, config.train, config.pretrained, prepared, Workspace(project, project))


def test_a_key_is_the_same_twice(stream):
    first = key_of(stream)
    assert first == key_of(stream)
    assert len(first) == 20
    assert set(first) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "override",
    ["data.seed=2", "data/tokenizer=byte", "model=gru", "model.core.hidden_size=17", "model.heads.text.dropout=0.3",
     "train.seed=2", "train.learning_rate=0.0041", "train.max_steps=21", "train.threads=2"],
)
def test_another_configuration_is_another_key(stream, override):
    assert key_of(stream, override) != key_of(stream)


@pytest.mark.parametrize("override", ["runtime.workers=2", "evaluate.lanes=2", "generate.seed=7"])
def test_what_cannot_change_the_weights_is_not_in_the_key(stream, override):
    assert key_of(stream, override) == key_of(stream)


def test_other_data_is_another_key(stream):
    assert key_of(replace(stream, digest="0" * 64)) != key_of(stream)


@pytest.mark.parametrize("dep", ["requirements.lock", "extensions.lock", "src/unroll/training/fit.py"])
def test_other_code_and_libraries_are_another_key(stream, tmp_path, dep):
    shutil.copy(REPOSITORY / "dvc.yaml", tmp_path)
    (tmp_path / dep).parent.mkdir(parents=True, exist_ok=True)
    found = {key_of(stream, project=tmp_path)}
    for content in ("one", "two"):
        (tmp_path / dep).write_text(content)
        found.add(key_of(stream, project=tmp_path))
    assert len(found) == 3


def test_a_work_folder_is_gone_after_success(tmp_path):
    with work_folder(tmp_path / "work", "abc", rank=0) as work:
        assert work == tmp_path / "work" / "abc"
        (work / "best.safetensors").write_bytes(b"weights")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_work_folder_stays_after_failure_and_can_be_held_again(tmp_path):
    with pytest.raises(KeyboardInterrupt), work_folder(tmp_path, "abc", rank=0) as work:
        (work / "best.safetensors").write_bytes(b"weights")
        raise KeyboardInterrupt
    assert (work / "best.safetensors").read_bytes() == b"weights"
    with work_folder(tmp_path, "abc", rank=0) as again:
        assert again == work


def test_a_second_training_of_one_configuration_is_refused(tmp_path):
    with work_folder(tmp_path, "abc", rank=0) as work:
        with refused("in-use", work), work_folder(tmp_path, "abc", rank=0):
            pass
        assert work.is_dir()
        with work_folder(tmp_path, "other", rank=0) as other:
            assert other != work


def test_the_other_ranks_share_the_first_ones_folder_and_leave_it(tmp_path):
    with work_folder(tmp_path, "abc", rank=0) as work:
        with work_folder(tmp_path, "abc", rank=1) as shared:
            assert shared == work
        assert work.is_dir()
