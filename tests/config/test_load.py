"""Every mistake in params.yaml is one line that names the dotted key."""

from functools import cache
from typing import Any, Literal

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from tests.conftest import REPOSITORY, refused
from unroll.base.errors import UserError
from unroll.compose import compose
from unroll.config.load import explain, load, parse, validate

GONE = object()


@cache
def frozen(*overrides: str) -> str:
    return compose(REPOSITORY / "conf", overrides)[0]


def changed(name: str, value: Any, *overrides: str) -> dict[str, Any]:
    """A valid configuration with one wrong value (GONE: without it)."""
    values = yaml.safe_load(frozen(*overrides))
    *sections, key = name.split(".")
    place = values
    for section in sections:
        place = place[section]
    if value is GONE:
        del place[key]
    else:
        place[key] = value
    return values


def message(values: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        validate(values, "params.yaml")
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "name, meant",
    [
        ("data.pakage", "package"),
        ("data.tokenizer.min_cuont", "min_count"),
        ("model.core.hiden_size", "hidden_size"),
        ("model.inputs.text.sise", "size"),
        ("train.learningrate", "learning_rate"),
        ("train.schedule.warmup_step", "warmup_steps"),
        ("train.optimizer.beta_1", "beta1"),
        ("generate.temprature", "temperature"),
        ("runtime.tracking.url", "uri"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(name, meant):
    section, _, key = name.rpartition(".")
    assert message(changed(name, 1)) == f"params.yaml: {section}: unknown {key!r}; did you mean \"{meant}\"?"


def test_a_misspelt_section_is_answered_with_the_nearest():
    assert message(changed("modell", {})) == "params.yaml: unknown 'modell'; did you mean \"model\"?"


def test_a_name_like_no_other_is_answered_with_all():
    text = message(changed("generate.qqq", 1))
    assert text.startswith("params.yaml: generate: unknown 'qqq'; choose from ")
    assert {"prompts", "count", "length", "min_length"} <= set(text.partition("choose from ")[2].rstrip(".").split(", "))


@pytest.mark.parametrize(
    "name, value",
    [
        ("data.seed", "1"),
        ("data.version", 3.6),
        ("data.tokenizer.min_count", True),
        ("model.inputs.text.size", "64"),
        ("model.core.hidden_size", 1.5),
        ("model.core.hidden_size", None),
        ("model.heads.text.tied", 0),
        ("train.batch_size", "8"),
        ("train.learning_rate", "1e-3"),    # YAML 1.1 reads 1e-3 as text
        ("train.max_steps", 1.0),
        ("train.schedule.warmup_steps", "none"),
        ("generate.prompts.1", 5),
        ("runtime.progress", "yes"),
        ("runtime.mirror", 1),
    ],
)
def test_a_value_of_another_type_is_not_converted(name, value):
    values = yaml.safe_load(frozen())
    if name == "generate.prompts.1":
        values["generate"]["prompts"][1] = value
    else:
        values = changed(name, value)
    text = message(values)
    assert text.startswith(f"params.yaml: {name}: input should be a valid ")
    assert text.endswith(f"(given {value!r})")


@pytest.mark.parametrize(
    "name, value",
    [
        ("data.validation", 0.0),
        ("data.test", 0.5),
        ("data.tokenizer.min_count", 0),
        ("model.core.hidden_size", 0),
        ("model.core.dropout", 1.0),
        ("model.core.forget_bias", float("nan")),
        ("train.learning_rate", 0),
        ("train.learning_rate", float("inf")),
        ("train.optimizer.beta2", 1.0),
        ("train.schedule.final_fraction", 1.5),
        ("evaluate.ngram_order", 11),
        ("evaluate.gradient_reach", 1),
        ("generate.temperature", 0),
        ("generate.top_p", 0.0),
        ("generate.top_k", 0),
        ("generate.prompts", []),
        ("runtime.workers", -1),
    ],
)
def test_a_value_out_of_range_is_refused(name, value):
    assert message(changed(name, value)).startswith(f"params.yaml: {name}: ")


def test_a_vocabulary_has_more_symbols_than_bytes():
    values = changed("data.tokenizer.vocab_size", 256, "data/tokenizer=bpe")
    assert message(values) == (
        "params.yaml: data.tokenizer.vocab_size: input should be greater than or equal to 257 (given 256)"
    )


@pytest.mark.parametrize(
    "name, overrides",
    [
        ("data", ()),
        ("data.package", ()),
        ("data.path", ("data=text",)),
        ("data.tokenizer", ()),
        ("data.tokenizer.min_count", ()),
        ("model.inputs.text.size", ()),
        ("model.core.hidden_size", ()),
        ("model.core.forget_bias", ()),
        ("model.core.nonlinearity", ("model=rnn",)),
        ("train.seed", ()),
        ("train.max_steps", ()),
        ("train.optimizer.beta1", ()),
        ("train.schedule.kind", ()),
        ("runtime", ()),
        ("runtime.tracking.uri", ()),
    ],
)
def test_a_missing_value_is_named_as_the_file_would_have_it(name, overrides):
    assert message(changed(name, GONE, *overrides)) == (
        f"params.yaml: {name}: missing. Every value stands in conf/: write params.yaml with `unroll compose`"
    )


@pytest.mark.parametrize(
    "name, value, meant",
    [
        ("data.kind", "dosc", 'did you mean "docs"?'),
        ("data.kind", "csv", "choose from aeon, beijing, code, counting, docs, ett, events, folder, mackey_glass, nafld, npz, objects, packages, parking, pianoroll, "
         "signals, table, text, ts, url."),
        ("data.tokenizer.kind", "chars", 'did you mean "char"?'),
        ("model.core.kind", "ltsm", 'did you mean "lstm"?'),
        ("train.optimizer.kind", "adam", 'did you mean "adamw"?'),
    ],
)
def test_an_unknown_kind_is_answered_with_the_nearest(name, value, meant):
    assert message(changed(name, value)) == f"params.yaml: {name}: unknown kind {value!r}; {meant}"


@pytest.mark.parametrize(
    "name, value, meant",
    [
        ("data.unit", "strem", 'did you mean "stream"?'),
        ("data.inputs.text", "token", 'did you mean "tokens"?'),
        ("model.core.recurrent_init", "ortogonal", 'did you mean "orthogonal"?'),
        ("train.schedule.kind", "linear", "choose from constant, cosine."),
        ("train.precision", "bf16-mix", 'did you mean "bf16-mixed"?'),
        ("runtime.tracking.on_failure", "stopp", 'did you mean "stop"?'),
    ],
)
def test_an_unknown_choice_is_answered_with_the_nearest(name, value, meant):
    assert message(changed(name, value)) == f"params.yaml: {name}: unknown value {value!r}; {meant}"


def test_choices_that_are_marks_are_quoted():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Literal[".", ","]).validate_python(";")
    assert explain(caught.value, ";") == "unknown value ';'; choose from \".\", \",\"."
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Literal["a or b", "c, d", 3]).validate_python("z")
    assert explain(caught.value, "z") == "unknown value 'z'; choose from \"a or b\", \"c, d\", 3."


def test_several_mistakes_are_counted_and_the_first_is_shown():
    values = changed("train.seed", "1")
    values["train"]["bptt"] = 0
    values["generate"]["count"] = 0
    assert message(values) == "params.yaml: train.seed: input should be a valid integer (given '1') (and 2 more)"


def test_a_whole_number_may_stand_for_a_real_one():
    assert validate(changed("generate.temperature", 1), "params.yaml").generate.temperature == 1.0


def test_a_missing_file_is_one_line_that_says_how_to_write_it(tmp_path):
    with refused("missing-file", tmp_path / "params.yaml", "`unroll compose`"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["data: [1", "data: {a: 1", "a: b: c", "data: \0", "<<<<<<< HEAD\ndata: 1\n=======\n"])
def test_what_is_not_yaml_is_one_line(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with refused("unreadable", tmp_path / "params.yaml"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "text"])
def test_a_file_without_sections_is_one_line(text):
    with refused("empty", "params.yaml"):
        parse(text, "params.yaml")


def test_python_objects_are_not_read(tmp_path):
    (tmp_path / "params.yaml").write_text("data: !!python/object/apply:os.getcwd []\n")
    with refused("unreadable", tmp_path / "params.yaml"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("name", ["data.url", "data.sha256", "data.unit", "data.tokenizer.min_count"])
def test_a_missing_value_of_a_download_is_named_as_the_file_would_have_it(name):
    assert message(changed(name, GONE, "data=shakespeare")).startswith(f"params.yaml: {name}: missing.")


@pytest.mark.parametrize("name, value", [("data.url", 5), ("data.sha256", "x"), ("data.unit", "strem"),
                                         ("data.tokenizer.kind", "chra"), ("data.tokenizer.min_count", 0)])
def test_a_wrong_value_of_a_download_is_named_by_its_key(name, value):
    assert message(changed(name, value, "data=shakespeare")).startswith(f"params.yaml: {name}: ")


@pytest.mark.parametrize("name", ["data.kind", "data.tokenizer.kind", "model.core.kind", "train.optimizer.kind"])
def test_a_missing_kind_is_named(name):
    assert message(changed(name, GONE)).startswith(f"params.yaml: {name}: missing.")


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"data: \xff\n")
    with refused("unreadable", tmp_path / "params.yaml"):
        load(tmp_path / "params.yaml")
