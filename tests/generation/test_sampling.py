"""Sampling settings: one declaration, and every interface's names in what is wrong with them."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from unroll.base.errors import UserError
from unroll.commands.arguments import parser
from unroll.config.generate import GenerateConfig
from unroll.config.sampling import (
    COMMAND,
    CONF,
    OFF,
    PAGE,
    PYTHON,
    Sampling,
    SettingError,
    check_seed,
    named_at,
    sampling,
    settings,
)


@pytest.mark.parametrize(("name", "value"), [
    ("length", 0), ("length", -1), ("min_length", -1), ("temperature", 0), ("temperature", -1), ("temperature", math.nan),
    ("temperature", math.inf), ("top_k", 0), ("top_p", 0), ("top_p", 1.1), ("min_p", 0.0), ("min_p", math.nan),
    ("repetition_penalty", 0.9), ("repetition_penalty", 1e39), ("beams", 1001), ("beams", 0), ("no_repeat_ngram", 0), ("allow", ""),
    ("stop", ("a", "")),
])
def test_out_of_range(name, value):
    with pytest.raises(UserError) as caught:
        sampling(**{name: value})
    assert (caught.value.code, caught.value.where) == ("out-of-range", name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("given", "where"), [
    ({"allow": "a", "pattern": "a"}, "allow, pattern"), ({"beams": 2, "top_k": 3, "stop": ("x",)}, "beams, top_k, stop"),
    ({"beams": 2, "temperature": 0.5}, "beams, temperature"), ({"beams": 2, "length": None}, "beams, length"),
    ({"min_length": 201}, "min_length, length"),
])
def test_what_does_not_go_together(given, where):
    with pytest.raises(UserError) as caught:
        sampling(**given)
    assert (caught.value.code, caught.value.where) == ("conflict", where)


def test_what_is_allowed():
    sampling(length=None, min_length=7, temperature=1e-9, top_k=1, top_p=1, min_p=1, repetition_penalty=1, no_repeat_ngram=1)
    sampling(beams=3, repetition_penalty=1.2, no_repeat_ngram=3)
    given = {"length": None, "temperature": 1, "top_k": None, "stop": ["a", "b"], "greedy": False, "pattern": "x"}
    assert sampling(**given) == sampling(length=None, stop=("a", "b"), pattern="x")
    assert sampling(top_k=np.int64(3), temperature=np.float32(0.5)) == sampling(top_k=3, temperature=0.5)


@pytest.mark.parametrize(("name", "value"), [
    ("top_k", "3"), ("top_k", 3.5), ("length", True), ("greedy", 1), ("temperature", None), ("temperature", 10**400), ("stop", "x"), ("stop", [1]),
    ("stop", [b"x"]), ("allow", 3),
])
def test_nothing_is_converted(name, value):
    with pytest.raises(UserError) as caught:
        sampling(**{name: value})
    assert (caught.value.code, caught.value.where) == ("wrong-type", name)
    assert settings()[name].wanted in str(caught.value)


def test_a_seed_is_a_whole_number():
    assert check_seed(np.int64(7)) == 7
    for value in (1.0, True, "1", None):
        with pytest.raises(UserError) as caught:
            check_seed(value)
        assert caught.value.code == "wrong-type"


@pytest.mark.parametrize(("interface", "line"), [
    (PYTHON, "beams, top_p: a beam search looks for the most probable text and draws nothing. Leave top_p out."),
    (COMMAND, "--beams, --top-p: a beam search looks for the most probable text and draws nothing. Leave --top-p out."),
    (CONF, "generate.beams, generate.top_p: a beam search looks for the most probable text and draws nothing. Leave generate.top_p out."),
    (PAGE, "Beams, Top-p: a beam search looks for the most probable text and draws nothing. Leave Top-p out."),
])
def test_every_interface_has_its_own_names(interface, line):
    with pytest.raises(UserError) as caught:
        sampling(interface, **{**OFF, "beams": 2, "top_p": 0.5})
    assert str(caught.value) == line


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UserError) as caught:
        sampling(temprature=1)
    assert (caught.value.code, str(caught.value)) == ("unknown-name", 'temprature: no setting of a sample; did you mean "temperature"?')


def test_an_error_from_within_names_settings_as_the_interface_does():
    with pytest.raises(UserError) as caught, named_at(COMMAND):
        raise SettingError("conflict", ["pattern"], "{pattern!r} is longer than {length} allows: {value}", value="{top_p}")
    assert str(caught.value) == "--pattern: '--pattern' is longer than --length allows: {top_p}"


def test_the_interfaces_show_what_is_declared(capsys):
    """Every setting, its reason and its default stand in `--help`; conf/ has every setting and no default."""
    with pytest.raises(SystemExit):
        parser(["sample"]).parse_args(["sample", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, setting in settings().items():
        assert COMMAND.name(name) in shown and " ".join(setting.description.split()) in shown, name
    assert set(Sampling.model_fields) < set(GenerateConfig.model_fields)
    assert all(field.is_required() for field in GenerateConfig.model_fields.values())
    assert all(field.description for field in Sampling.model_fields.values())
    assert set(PYTHON.defaults) == set(COMMAND.defaults) == set(PAGE.defaults) == set(Sampling.model_fields)


def test_help_imports_no_more_than_it_needs():
    """`--help` imports no pydantic, `sample --help` nothing that is slower."""
    heavy = "{'pydantic', 'numpy', 'torch', 'onnxruntime', 'pandas', 'yaml', 'hydra', 'mlflow'}"
    for arguments, expected in ((["--help"], []), (["sample", "--help"], ["pydantic"])):
        code = (f"import sys\nfrom unroll.commands import cli\ntry:\n    cli.main({arguments!r})\nexcept SystemExit:\n    pass\n"
                f"import json; print(json.dumps(sorted({heavy} & sys.modules.keys())), file=sys.stderr)")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert json.loads(done.stderr) == expected
