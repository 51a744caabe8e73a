"""The schema holds types, ranges and reasons; conf/ holds the values and dvc.yaml the stages."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.conftest import REPOSITORY
from tests.conftest import refused as raises
from unroll.base.errors import UserError
from unroll.commands import cli
from unroll.compose import compose
from unroll.config.cells import CELLS
from unroll.config.load import load, validate
from unroll.config.schema import SECTIONS, STAGE_SECTIONS
from unroll.config.sources import SOURCES
from unroll.config.strict import Strict

for kinds in (CELLS, SOURCES):
    for kind in kinds.own:
        kinds.settings_of(kind)         # kinds are imported when they are named


def sections(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    for each in kind.__subclasses__():
        yield each
        yield from sections(each)


def stages() -> dict[str, dict]:
    return yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def values() -> dict:
    return yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("section", [section for section in sections() if section.__module__.startswith("unroll.config.")], ids=lambda section: f"{section.__module__}.{section.__name__}")
def test_no_value_has_a_default(section):
    assert [name for name, field in section.model_fields.items() if not field.is_required()] == []


def test_every_section_is_found_by_these_tests():
    assert {"Config", "TrackingConfig"} <= {section.__name__ for section in sections()}
    assert {f"{kinds.settings}.{kind}" for kinds in (CELLS, SOURCES) for kind in kinds.own} <= {
        section.__module__ for section in sections()}


def test_the_sections_of_a_stage_are_its_params_in_dvc_yaml():
    assert {name: sorted(names) for name, names in STAGE_SECTIONS.items()} == {
        name: sorted(stage["params"]) for name, stage in stages().items()
    }


def test_every_section_but_runtime_is_some_stages():
    assert {name for names in STAGE_SECTIONS.values() for name in names} == {*SECTIONS} - {"runtime"}


def test_the_command_line_has_the_stages_of_dvc_yaml_in_their_order():
    assert cli.STAGES == tuple(STAGE_SECTIONS) == tuple(stages())


def test_a_configuration_cannot_be_changed():
    config = load(REPOSITORY / "params.yaml")
    with pytest.raises(ValidationError):
        config.train.seed = 2


@pytest.mark.parametrize("part, section", [("inputs", "inputs"), ("heads", "targets")])
def test_model_and_data_name_the_same_fields(part, section):
    wrong = values()
    wrong["model"][part]["chords"] = wrong["model"][part]["text"]
    with pytest.raises(UserError) as caught:
        validate(wrong, "params.yaml")
    assert str(caught.value) == (
        f"params.yaml: model.{part}: names ['chords', 'text'] where data has {sorted(wrong['data'][section])}; "
        "choose the task that fits (task=…, conf/task/), or use the same names"
    )


@pytest.mark.parametrize("devices, nodes, fits", [(1, 1, True), (4, 1, True), (4, 2, True), (3, 1, False),
                                                  (4, 3, False), (32, 2, False)])
def test_lanes_are_dealt_evenly_or_refused(devices, nodes, fits):
    asked = values()
    asked["train"] |= {"batch_size": 32, "devices": devices, "num_nodes": nodes}
    if fits:
        assert validate(asked, "params.yaml").train.devices == devices
    else:
        with raises("conflict", "params.yaml: train", f"batch_size 32 cannot be dealt evenly to {devices * nodes} devices"):
            validate(asked, "params.yaml")


@pytest.mark.parametrize("name", ["fsdp", "fsdp_cpu_offload", "deepspeed_stage_2"])
def test_weights_in_parts_are_refused_with_the_reason(name):
    asked = values()
    asked["train"]["strategy"] = name
    with raises("unsupported", "params.yaml: train.strategy", f"{name}: sharded weights", "Lightning shards on GPUs only"):
        validate(asked, "params.yaml")


@pytest.mark.parametrize("name", ["Text", "1st", "te-xt", "", "_text"])
def test_a_field_is_named_as_its_files_can_be(name):
    asked = values()
    for place in (asked["data"]["inputs"], asked["data"]["targets"], asked["model"]["inputs"], asked["model"]["heads"]):
        place[name] = place.pop("text")
    with pytest.raises(UserError, match=r"params\.yaml: data\.inputs"):
        validate(asked, "params.yaml")


# ------------------------------------------------------------------------------------- data, task and model agree


@cache
def frozen(experiment: str) -> str:
    return compose(REPOSITORY / "conf", [f"experiment={experiment}"])[0]


def changed(experiment: str, **changes: Any) -> dict[str, Any]:
    """An experiment's values; `data__targets={...}` replaces what stands there."""
    found = yaml.safe_load(frozen(experiment))
    for name, value in changes.items():
        *sections, key = name.split("__")
        place = found
        for section in sections:
            place = place[section]
        place[key] = value
    return found


def refused(experiment: str, **changes: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        validate(changed(experiment, **changes), "params.yaml")
    assert "\n" not in str(caught.value)
    return caught.value


def message(experiment: str, **changes: Any) -> str:
    return str(refused(experiment, **changes)).removeprefix("params.yaml: ")


@pytest.mark.parametrize(("overrides", "where"), [
    (["data=gunpoint"], "model.inputs"), (["data=docstrings"], "model.heads"), (["task=classify"], "model.inputs"),
])
def test_data_without_its_task_is_answered_with_where_tasks_are(overrides, where):
    with pytest.raises(UserError) as caught:
        compose(REPOSITORY / "conf", overrides)
    assert (caught.value.code, caught.value.where) == ("conflict", f"conf/: {where}")
    assert "(task=…, conf/task/)" in str(caught.value)


def gru(both: bool) -> dict[str, Any]:
    return {"kind": "gru", "hidden_size": 4, "num_layers": 1, "dropout": 0.0, "bidirectional": both,
            "recurrent_init": "uniform"}


CNN = {"kind": "cnn", "hidden_size": 4, "num_layers": 2, "dropout": 0.0, "kernel_size": 2}
MLP = {"kind": "mlp", "hidden_size": 4, "num_layers": 2, "dropout": 0.0, "window": None}


@pytest.mark.parametrize("experiment", ["default", "jsb", "mackey_glass"])      # a symbol, labels, a number
def test_what_comes_next_is_not_read_from_the_end_on(experiment):
    error = refused(experiment, model__core=gru(True))
    assert (error.code, error.where) == ("conflict", "params.yaml: model.core.bidirectional")
    validate(changed(experiment, model__core=gru(False)), "params.yaml")


@pytest.mark.parametrize("experiment", ["gunpoint", "docstrings", "covid", "airline"])      # within its window alone
@pytest.mark.parametrize("core", [gru(True), CNN, MLP], ids=lambda core: core["kind"])
def test_whole_sequences_may_be_read_from_both_ends_and_by_any_core(experiment, core):
    validate(changed(experiment, model__core=core), "params.yaml")


@pytest.mark.parametrize("experiment", ["default", "gunpoint", "code"])
def test_a_bidirectional_core_without_recurrence_has_no_such_setting(experiment):
    assert message(experiment, model__core={**CNN, "bidirectional": True}).startswith("model.core: unknown 'bidirectional'")


EMBEDDING = {"kind": "embedding", "size": 4, "dropout": 0.0}


@pytest.mark.parametrize(("experiment", "changes", "where", "code"), [
    ("gunpoint", {"model__inputs__x": EMBEDDING}, "model.inputs.x", "conflict"),
    ("gunpoint", {"data__inputs__x": "tokens"}, "model.inputs.x", "conflict"),
    ("gunpoint", {"data__targets__label": "value"}, "model.heads.label", "conflict"),
    ("covid", {"data__targets__y": "class"}, "model.heads.y", "conflict"),
    ("jsb", {"model__heads__x": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0}},
     "model.heads.x", "conflict"),
    ("mackey_glass", {"model__heads__x": {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}},
     "model.heads.x", "conflict"),
    ("gunpoint", {"model__heads__label__pooling": None}, "model.heads.label.pooling", "conflict"),
    ("covid", {"model__heads__y__pooling": None}, "model.heads.y.pooling", "conflict"),
    ("signals", {"model__heads__tag__pooling": "last"}, "model.heads.tag.pooling", "conflict"),
    ("gunpoint", {"model__heads__label__pooling": "lst"}, "model.heads.label.pooling.kind", "unknown-name"),
    ("covid", {"model__heads__y__loss": "square_error"}, "model.heads.y.loss.kind", "unknown-name"),
    ("covid", {"model__heads__y__loss": "cross_entropy"}, "model.heads.y.loss", "conflict"),
    ("covid", {"model__heads__y__loss": {"kind": "huber"}}, "model.heads.y.loss.delta", "missing-value"),
    ("covid", {"model__heads__y__loss": {"kind": "huber", "delta": 0.0}}, "model.heads.y.loss.delta", "out-of-range"),
    ("airline", {"model__heads__x__loss": "squared_error"}, "model.heads.x.loss", "conflict"),
])
def test_a_model_of_another_task_is_refused_at_its_setting(experiment, changes, where, code):
    error = refused(experiment, **changes)
    assert (error.code, error.where) == (code, f"params.yaml: {where}")


@pytest.mark.parametrize(("experiment", "changes", "text"), [
    ("mackey_glass", {"model__heads__x": {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}},
     "model.heads.x: a target of kind next needs mixture or regression, not labels"),
    ("covid", {"model__heads__y__loss": "cross_entropy"},
     "model.heads.y.loss: cross_entropy is a loss of classes; this head predicts reals (given 'cross_entropy')"),
    ("gunpoint", {"model__heads__label__pooling": "lst"},
     "model.heads.label.pooling.kind: unknown kind 'lst'; did you mean \"last\"?"),
])
def test_what_would_fit_is_named(experiment, changes, text):
    assert message(experiment, **changes) == text


FORECAST = {"horizon": 1, "context": 1, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}
TOGETHER = "data: a target of kind forecast and the settings data.forecast go together"


@pytest.mark.parametrize(("experiment", "changes", "says"), [
    ("airline", {"data__forecast": None}, TOGETHER),
    ("gunpoint", {"data__forecast": FORECAST}, TOGETHER),
    ("gunpoint", {"data__targets": {"x": "forecast"}}, TOGETHER),
    ("airline", {"data__inputs__y": "real"}, "data: aeon has one input, of kind tokens or real: give one of ['x', 'y']"),
    ("gunpoint", {"data__targets": {"y": "next"}}, "data: targets.y: next is the next step of an input; inputs are ['x']"),
    ("gunpoint", {"data__targets": {"x": "class"}},
     "data: targets.x: an input has that name; give the class another one"),
    ("default", {"data__targets": {"other": "next"}},
     "data: a text is one input, and the target is its own next symbol: give both one and the same name"),
    ("default", {"data__inputs__more": "tokens"},
     "data: a text is one input, and the target is its own next symbol: give both one and the same name"),
    ("signals", {"data__targets__tag": "class"}, "data: signals has one input of kind real and one target of kind tag"),
    ("docstrings", {"data__inputs__text": "real"},
     "data: packages has one input of kind tokens and one target of kind class"),
    ("code", {"data__targets__more": "tag"}, "data: code has one input of kind tokens and one target of kind tag"),
    ("mackey_glass", {"data__targets__x": "values"},
     "data: mackey_glass has one input of kind real and one target of kind next"),
    ("jsb", {"data__targets__x": "labels"}, "data: pianoroll has one input of kind real and one target of kind next_labels"),
    ("code", {"data__targets": {"text": "next_labels"}},
     "data: code has one input of kind tokens and one target of kind tag"),
    ("japanese_vowels", {"data__targets": {"y": "next_labels"}},
     "data: targets.y: next_labels is the next step of an input; inputs are ['x']"),
])
def test_fields_that_data_cannot_have_are_one_line(experiment, changes, says):
    assert message(experiment, **changes) == says


@pytest.mark.parametrize(("levels", "fits"), [
    ([0.1, 0.5, 0.9], True), ([0.05, 0.25, 0.5, 0.75, 0.95], True), ([0.1, 0.2, 0.5], True), ([0.1, 0.9], False),
    ([0.9, 0.5, 0.1], False), ([0.1, 0.4, 0.9], False), ([0.1, 0.5, 0.5, 0.9], False), ([0.0, 0.5, 0.9], False),
    ([0.1, 0.5, 1.0], False),
])
def test_levels_rise_and_hold_the_median(levels, fits):
    if fits:
        asked = changed("airline", model__heads__x__levels=levels)
        assert validate(asked, "params.yaml").model.heads["x"].levels == levels
    else:
        error = refused("airline", model__heads__x__levels=levels)
        assert error.code == "out-of-range" and error.where.startswith("params.yaml: model.heads.x.levels")
