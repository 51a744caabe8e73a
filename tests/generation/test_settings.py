"""What is out of range, or does not go together, is one line that begins with its name."""

import math

import pytest

from unroll.base.errors import UserError
from unroll.generation.settings import Settings, read_settings


@pytest.mark.parametrize(("name", "value"), [
    ("length", 0), ("length", -1), ("min_length", -1), ("min_length", 201), ("temperature", 0), ("temperature", -1),
    ("temperature", math.nan), ("temperature", math.inf), ("top_k", 0), ("top_p", 0), ("top_p", 1.1), ("min_p", 0.0),
    ("min_p", math.nan), ("repetition_penalty", 0.9), ("repetition_penalty", 1e39), ("beams", 1001), ("no_repeat_ngram", 0), ("allow", ""), ("stop", ("a", "")), ("beams", 0),
])
def test_out_of_range(name, value):
    with pytest.raises(UserError, match=f"^{name}: ") as caught:
        Settings(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("given", "said"), [
    ({"allow": "a", "pattern": "a"}, "allow, pattern: "), ({"beams": 2, "top_k": 3, "stop": ("x",)}, "beams, top_k, stop: "),
    ({"beams": 2, "temperature": 0.5}, "beams, temperature: "), ({"beams": 2, "length": None}, "beams: "),
])
def test_what_does_not_go_together(given, said):
    with pytest.raises(UserError, match=f"^{said}"):
        Settings(**given)


def test_what_is_allowed():
    Settings(length=None, min_length=7, temperature=1e-9, top_k=1, top_p=1, min_p=1, repetition_penalty=1, no_repeat_ngram=1)
    Settings(beams=3, repetition_penalty=1.2, no_repeat_ngram=3)


@pytest.mark.parametrize(("given", "said"), [
    ({"temprature": 1}, 'temprature: no setting of a sample; did you mean "temperature"?'),
    ({"top_k": "3"}, "top_k: '3' is of the wrong type. Give a whole number or nothing."),
    ({"top_k": 3.5}, "top_k: 3.5 is of the wrong type."), ({"length": True}, "length: True is of the wrong type."),
    ({"greedy": 1}, "greedy: 1 is of the wrong type. Give true or false."), ({"temperature": None}, "temperature: None"),
    ({"stop": "x"}, "stop: 'x' is of the wrong type. Give a list of texts."), ({"stop": [1]}, "stop: [1]"),
    ({"allow": 3}, "allow: 3 is of the wrong type. Give a text or nothing."),
])
def test_what_somebody_wrote_is_looked_at(given, said):
    with pytest.raises(UserError) as caught:
        read_settings(given)
    assert str(caught.value).startswith(said)


def test_what_somebody_wrote_well_is_taken():
    given = {"length": None, "temperature": 1, "top_k": None, "stop": ["a", "b"], "greedy": False, "pattern": "x"}
    assert read_settings(given) == Settings(length=None, stop=("a", "b"), pattern="x")
