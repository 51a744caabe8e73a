"""conf/ → params.yaml, byte for byte as DVC writes it; a wrong override is one line."""

import shutil
from itertools import zip_longest

import pytest
import yaml
from dvc.utils.hydra import compose_and_dump
from hydra import initialize_config_dir

from tests.conftest import REPOSITORY, TINY
from unroll.base.errors import UserError
from unroll.commands import cli
from unroll.commands.compose import changes, freeze
from unroll.compose import compose

CONF = REPOSITORY / "conf"


def options(group: str) -> list[str]:
    return [f"{group}={file.stem}" for file in sorted((CONF / group).glob("*.yaml"))]


def refusal(*overrides: str) -> UserError:
    with pytest.raises(UserError) as error:
        compose(CONF, overrides)
    assert "\n" not in str(error.value)
    return error.value


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with conf/ and its params.yaml, as the current one."""
    shutil.copytree(CONF, tmp_path / "conf")
    for name in ("params.yaml", "extensions.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_committed_file_is_what_conf_composes():
    assert (REPOSITORY / "params.yaml").read_bytes() == compose(CONF)[0].encode()


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        TINY,
        ["experiment=shakespeare", "model=gru", "data/tokenizer=bpe", "train.learning_rate=1e-5"],
        ["generate.prompts=['天地玄黃','','it\\'s: # a \"prompt\"']", "data.seed=7"],
    ],
    ids=lambda overrides: " ".join(overrides)[:40] or "none",
)
def test_the_text_is_the_one_that_dvc_writes(tmp_path, overrides):
    compose_and_dump(tmp_path / "params.yaml", str(CONF), None, "config", str(tmp_path), overrides)
    assert (tmp_path / "params.yaml").read_bytes() == compose(CONF, overrides)[0].encode()


def test_the_text_holds_the_values_it_was_validated_with():
    text, config = compose(CONF, ["train.learning_rate=1e-5", "model=rnn"])
    assert yaml.safe_load(text) == config.model_dump(mode="json")
    assert config.train.learning_rate == 1e-5


@pytest.mark.parametrize("experiment", options("experiment"))
def test_every_experiment_is_valid(experiment):
    compose(CONF, [experiment])


@pytest.mark.parametrize(("experiment", "left_out", "fields"), [
    ("objects", ["inputs.numbers"], ["text", "package", "kind", "parameters"]),
    ("objects", ["targets.kind", "targets.parameters"], ["text", "numbers", "package"]),
    ("half_labelled", ["targets.text"], ["text", "package"]),
])
def test_an_experiment_of_several_fields_is_valid_without_some(experiment, left_out, fields):
    removed = [*(f"~data.{name}" for name in left_out),
               *(f"~model.{name.replace('targets', 'heads')}" for name in left_out)]
    _, config = compose(CONF, [f"experiment={experiment}", *removed])
    assert [*config.data.inputs, *config.data.targets] == [*config.model.inputs, *config.model.heads] == fields


# an option of each group at a time: as many compositions as the largest group has options
@pytest.mark.parametrize(
    "overrides",
    [*zip_longest(["data=docs", "data=text", "data=shakespeare"],
                  [each for each in options("model") if not each.startswith("model=bi")],
                  *map(options, ("data/tokenizer", "train/optimizer")), fillvalue="train.seed=1")],
    ids=" ".join,
)
def test_every_option_is_valid(overrides):
    compose(CONF, overrides)


@pytest.mark.parametrize("model", options("model"))
@pytest.mark.parametrize("experiment", ["japanese_vowels", "airline", "covid"])
def test_every_core_fits_a_task_of_whole_sequences(experiment, model):
    compose(CONF, [f"experiment={experiment}", model])


def test_every_data_set_and_task_has_an_experiment():
    values = [yaml.safe_load(compose(CONF, [each])[0]) for each in options("experiment")]
    kinds = {(each["data"]["kind"], each["data"].get("dataset")) for each in values}
    for file in sorted((CONF / "data").glob("*.yaml")):
        described = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert (described["kind"], described.get("dataset")) in kinds, file


def test_nothing_in_conf_names_code_or_depends_on_the_moment():
    for file in CONF.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert not [each for each in ("_target_", "${hydra:", "${now:", "${oc.env:") if each in text], file


def test_no_value_is_left_to_be_resolved():
    text, _ = compose(CONF)
    assert "${" not in text and "???" not in text


@pytest.mark.parametrize(
    "override, meant",
    [
        ("modell=gru", "model"),
        ("train.learnin_rate=1", "train.learning_rate"),
        ("model.core.hiden_size=8", "model.core.hidden_size"),
        ("datta.seed=1", "data.seed"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(override, meant):
    name = override.split("=")[0]
    error = refusal(override)
    assert (error.code, error.where) == ("unknown-name", name)
    assert error.text.endswith(f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    "group, name, meant",
    [
        ("model", "lstn", 'did you mean "lstm"?'),
        ("model", "transformer", "choose from bigru, bilstm, cnn, gru, grud, lstm, mlp, rnn."),
        ("data", "shakespear", 'did you mean "shakespeare"?'),
        ("train/optimizer", "adamx", 'did you mean "adam"?'),
        ("experiment", "smok", 'did you mean "smoke"?'),
    ],
)
def test_an_unknown_option_is_answered_with_the_nearest(group, name, meant):
    error = refusal(f"{group}={name}")
    assert (error.code, error.where) == ("unknown-name", group) and error.text.endswith(meant)


def test_a_name_like_no_other_is_one_short_line():
    error = refusal("qqq.www=1")
    assert (error.code, error.where) == ("unknown-name", "qqq.www") and str(CONF) in error.text


@pytest.mark.parametrize("override", ["train.seed", "train.seed=[", "train.seed=${a", "--model=gru"])
def test_an_override_that_cannot_be_read_is_one_line(override):
    error = refusal(override)
    assert (error.code, error.where) == ("wrong-type", override) and "\n" not in str(error)


@pytest.mark.parametrize(
    "override, start",
    [
        ("train.batch_size=0", "conf/: train.batch_size: input should be greater than 0"),
        ("train.learning_rate=fast", "conf/: train.learning_rate: input should be a valid number (given 'fast')"),
        ("++model.core.kind=ltsm", "conf/: model.core.kind: unknown kind 'ltsm'; did you mean \"lstm\"?"),
        ("+train.leaning_rate=1", "conf/: train: unknown 'leaning_rate'; did you mean \"learning_rate\"?"),
        ("~train.seed", "conf/: train.seed: missing."),
        ("evaluate.threads=${train.thread}", "Interpolation key 'train.thread' not found."),
    ],
)
def test_a_wrong_value_is_named_by_its_key(override, start):
    assert str(refusal(override)).startswith(start)


def test_several_values_are_refused_and_unroll_sweep_is_named():
    error = refusal("model=lstm,gru")
    assert (error.code, error.where) == ("conflict", "model") and "unroll sweep" in error.text


def test_a_folder_without_conf_is_one_line(tmp_path):
    with pytest.raises(UserError) as error:
        compose(tmp_path / "conf")
    assert (error.value.code, error.value.where) == ("missing-file", str(tmp_path / "conf"))


def test_a_failed_composition_does_not_stand_in_the_way_of_the_next():
    refusal("modell=gru")
    assert compose(CONF)[1].model.core.kind == "lstm"


def test_a_hydra_that_another_left_open_does_not_stand_in_the_way():
    initialize_config_dir(str(CONF.parent), version_base=None)
    assert compose(CONF)[1].model.core.kind == "lstm"


def test_check_passes_on_what_conf_composes_and_writes_nothing(project, capsys):
    before = (project / "params.yaml").stat().st_mtime_ns
    cli.main(["compose", "--check"])
    assert (project / "params.yaml").stat().st_mtime_ns == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", [None, "", "data: 1\n"])
def test_check_fails_on_anything_else_and_writes_nothing(project, capsys, text):
    file = project / "params.yaml"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(SystemExit) as ended:
        cli.main(["compose", "--check"])
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("unroll: params.yaml: not what conf/ composes.") and line.endswith("[stale]\n")
    assert (file.read_text() if file.exists() else None) == text


def test_compose_writes_what_it_composes_and_says_what_changed(project, capsys):
    cli.main(["compose", "model=gru", "train.seed=2"])
    assert (project / "params.yaml").read_text(encoding="utf-8") == compose(CONF, ["model=gru", "train.seed=2"])[0]
    assert capsys.readouterr().out.splitlines() == [
        "params.yaml: model.core.kind: lstm → gru",
        "params.yaml: train.seed: 1 → 2",
        "params.yaml: model.core.forget_bias: 1.0 → (none)",
    ]


def test_a_wrong_override_ends_with_code_2_and_the_old_file(project, capsys):
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(SystemExit) as ended:
        cli.main(["compose", "train.sed=2"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == 'unroll: train.sed: no such setting; did you mean "train.seed"? [unknown-name]\n'
    assert (project / "params.yaml").read_bytes() == before


def test_composing_again_says_nothing(project, capsys):
    freeze(project, [], check=False)
    assert capsys.readouterr().out == ""


def test_the_first_file_is_announced_by_its_size():
    assert changes("", "a: {b: 1, c: [1, 2]}\nd: x\n") == ["written, 3 values"]


def test_a_change_names_both_values_in_the_new_files_words():
    before, after = "a: {b: 1, c: 2}\nd: [1]\n", "a: {b: 1, c: 3}\nd: [1, 2]\ne: null\n"
    assert changes(before, after) == ["a.c: 2 → 3", "d: [1] → [1, 2]", "e: (none) → null"]
    assert changes(after, after) == []


@pytest.mark.parametrize("override", ["model=1", "model=null", "=1"])
def test_an_option_that_is_no_name_is_one_line(override):
    with pytest.raises(UserError):
        compose(CONF, [override])


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\ndata: 1\n=======\n", "# nothing\n", "data: \xff\n"])
def test_compose_mends_a_file_that_cannot_be_read(tmp_path, text):
    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "params.yaml").write_text(text, encoding="latin-1")
    freeze(tmp_path, [], check=False)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == compose(CONF)[0]
