"""What a client may send to a served model, and the sentence that it gets for anything else; no server is started."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server

from tests.prediction.conftest import Make
from unroll.tracking.models import write_model
from unroll.tracking.served import LONGEST, Refused, checked

Ask = Callable[..., tuple[int, Any]]


def asking(folder: Path) -> Ask:
    """Status and answer, as the server gives them."""
    model = mlflow.pyfunc.load_model(str(folder))
    invocations = checked(scoring_server.invocations)

    def ask(body: Any, content_type: str | None = "application/json") -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            answered = invocations(content, content_type, model, model.metadata.get_input_schema())
        except MlflowException as error:
            return error.get_http_status_code(), json.loads(error.serialize_as_json())
        return answered.status, json.loads(answered.response)["predictions"]

    return ask


@pytest.fixture(scope="module")
def generator(zoo: Make, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """A model of characters, a closed vocabulary."""
    folder = tmp_path_factory.mktemp("generator")
    write_model(folder, zoo("stream").model, "", "m-1")
    return asking(folder)


@pytest.fixture(scope="module")
def predictor(zoo: Make, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder = tmp_path_factory.mktemp("predictor")
    write_model(folder, zoo("class").model, "", "m-1")
    return asking(folder)


def refused(answer: tuple[int, Any]) -> str:
    """The sentence."""
    status, said = answer
    assert status == 400 and set(said) == {"error_code", "message"}, said
    sentence: str = said["message"]
    assert "\n" not in sentence and len(sentence) <= LONGEST + 3 and sentence.endswith((".", "?")), sentence
    return sentence


EVERYTHING = {"length": 12, "min_length": 2, "temperature": 0.5, "top_k": 5, "top_p": 0.9, "min_p": 0.01, "seed": 4,
              "repetition_penalty": 1.1, "no_repeat_ngram": 6, "stop": ["e", "d\n"], "pattern": "[a-e ]*"}


@pytest.mark.parametrize("params", [{}, {"length": 7}, EVERYTHING, {"length": 9, "beams": 2}, {"length": 9, "greedy": True},
                                    {"length": 9, "allow": "abc", "temperature": 1, "seed": -(10**30)}])
def test_prompts_come_in_every_form(generator: Ask, zoo: Make, params: dict[str, Any]) -> None:
    expected = [{"text": text} for text in zoo("stream").predictor.generate(["ab", ""], **params)]
    for body in ({"inputs": ["ab", ""]}, {"instances": ["ab", ""]}, {"dataframe_records": [{"p": "ab"}, {"p": ""}]},
                 {"dataframe_split": {"columns": ["p"], "data": [["ab"], [""]]}}):
        assert generator({**body, "params": params}) == (200, expected)
    assert generator({"inputs": "ab", "params": params})[1][0]["text"].startswith("ab")


def test_sequences_come_in_every_form(predictor: Ask, zoo: Make) -> None:
    sequences = [[[5, -1], [4, 2.5]], [[1, 2]]]
    expected = zoo("class").predictor.predict(sequences)
    for body in ({"inputs": sequences}, {"dataframe_records": [{"sequence": each} for each in sequences]},
                 {"dataframe_split": {"columns": ["sequence"], "data": [[each] for each in sequences]}}):
        status, rows = predictor(body)
        assert status == 200, rows
        for row, probabilities in zip(rows, expected, strict=True):
            assert [row[f"p_{name}"] for name in zoo("class").predictor.classes] == pytest.approx(probabilities.tolist())


BODIES: list[tuple[Any, str]] = [
    (b"", "body: not JSON"), (b"{", "body: not JSON"), (b"\xff\xfe{}", "body: not JSON"), (b"inputs", "body: not JSON"),
    (b"[" * 200_000, "body: brackets are nested"), (b'{"inputs": ' + b"1" * 5000 + b"}", "body: not JSON"),
    (b'{"inputs": ["\\ud800"]}', "body: half a surrogate pair"), ([], "body: not an object"), (None, "body: not an object"),
    ({}, "body: not one of inputs"), ({"inputs": ["a"], "instances": ["a"]}, "body: not one of inputs"),
    ({"input": ["a"]}, "body: unknown 'input'; did you mean \"inputs\"?"),
    ({"prompt": "a"}, "body: unknown 'prompt'"), ({"messages": []}, "body: unknown 'messages'"),
    ({"inputs": [], "seed": 1}, "body: unknown 'seed'"), ({"inputs": []}, ""), ({"inputs": None}, ""),
    ({"inputs": {}}, ""), ({"inputs": {"a": []}}, ""), ({"inputs": [{}]}, ""), ({"dataframe_records": {}}, "body: cannot"),
    ({"dataframe_records": []}, ""), ({"dataframe_split": []}, "body: cannot be read as a table (Invalid input. Dataframe split format"),
    ({"dataframe_split": {"columns": [{"a": 1}], "data": [["a"]]}}, "body: cannot be read"), ({"dataframe_split": {"data": []}}, ""),
    ({"dataframe_split": {"columns": ["sequence", "sequence"], "data": [[[1], "a"]]}}, ""),
    ({"inputs": ["a"], "params": [1]}, "params: [1] is not an object"),
]


@pytest.mark.parametrize(("body", "says"), BODIES)
def test_what_is_no_request_is_a_sentence(generator: Ask, predictor: Ask, body: Any, says: str) -> None:
    for ask in (generator, predictor):
        assert refused(ask(body)).startswith(says)


@pytest.mark.parametrize(("params", "says"), [
    ({"temprature": 1}, 'temprature: no setting of a sample; did you mean "temperature"?'),
    ({"temperature": 0}, "temperature: 0 is not a number above 0 ("), ({"temperature": float("nan")}, "temperature: "),
    ({"temperature": 10**400}, "temperature: 1"), ({"temperature": "1"}, "temperature: "),
    ({"length": -1}, "length: "), ({"length": 2.5}, "length: "),
    ({"length": True}, "length: "), ({"length": None}, "length: a request may ask for texts of 10,000"),
    ({"length": 10_001}, "length: a request may ask"), ({"length": 10**4000}, "length: a request may ask"),
    ({"length": 10_000, "beams": 51}, "length: prompts × beams × length is more than the 1,000,000 symbols"),
    ({"beams": 10**30}, "beams: "), ({"top_k": 0}, "top_k: 0 is not a whole number"), ({"top_p": 1.1}, "top_p: 1.1"),
    ({"pattern": "((("}, "pattern: '(((' "), ({"pattern": "é+"}, "pattern: 'é+' needs characters"),
    ({"pattern": "(a|b)*a(a|b){25}"}, "pattern: '(a|b)*a(a|b){25}' takes more than"), ({"seed": 1.5}, "seed: 1.5 is not a whole number"),
    ({"stop": "a"}, "stop: "), ({"stop": ["a", 1]}, "stop: "), ({"stop": [""]}, "stop: "),
    ({"stop": ["a" * 201]}, "stop: more than 200 characters"), ({"allow": "鵝"}, "allow: "),
    ({"allow": ["a"]}, "allow: "), ({"x" * 9999: 1}, "xxx"), ({"min_length": 300}, "min_length, length: 300 is more"),
])
def test_a_parameter_that_is_none_is_a_sentence(
    generator: Ask, params: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unroll.generation.pattern_check.SECONDS", 1.5)
    assert refused(generator({"inputs": ["a", "b"], "params": params})).startswith(says)


@pytest.mark.parametrize(("prompts", "says"), [
    ([1], "prompt 1: 1 is not a text."), (["a", 1], "prompt 2: 1 is not a text."), ([None], "prompt 1: None"),
    ([{"a": 1}], "prompt 1: "), ([[[]]], "prompt 1: [] is not a text."), (["aé"], "prompt 'aé': "),
    (["a" * 9000 + "é"], "prompt 'aaa"), (["a"] * 5001, "length: prompts × beams"),
])
def test_a_prompt_that_is_none_is_a_sentence(generator: Ask, prompts: Any, says: str) -> None:
    assert refused(generator({"inputs": prompts, "params": {"length": 200}})).startswith(says)


@pytest.mark.parametrize("sequence", [1, "abc", None, [], [[]], [[1, 2, 3]], [[1, 2], [3]], [[1, "a"]], [[1, None]], [[float("nan"), 1]],
                                      [[10**400, 1]], [[1e999, 1]], {"a": [1, 2]}, [[{}, {}]], [[[[[1]]]]]])
def test_a_sequence_that_is_none_is_a_sentence(predictor: Ask, sequence: Any) -> None:
    assert refused(predictor({"dataframe_records": [{"sequence": sequence}]})).startswith("sequence 1")
    refused(predictor({"inputs": [sequence]}))


@pytest.mark.parametrize("text", [[[1, 2], [3]], [["a"]], [0.5], [10**30], [-1], None, 1, {}, "\udc80"])
def test_a_text_that_is_none_is_a_sentence(zoo: Make, tmp_path: Path, text: Any) -> None:
    write_model(tmp_path, zoo("text_class").model, "", "m-1")
    ask = asking(tmp_path)
    refused(ask({"inputs": ["abc", text]}))
    refused(ask({"dataframe_records": [{"sequence": text}]}))


def test_a_predictor_has_no_parameters(predictor: Ask) -> None:
    assert refused(predictor({"inputs": [[[1, 2]]], "params": {"seed": 1}})).startswith("params: the model takes none.")


@pytest.mark.parametrize("kind", [None, "", "text/plain", "json", "application/json; charset=latin-1", "application/json; a=b", "text/csv"])
def test_another_type_of_content_is_a_sentence(generator: Ask, kind: str | None) -> None:
    refused(generator({"inputs": ["a"]}, kind))


def test_a_defect_is_none_of_the_clients(zoo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown as MLflow shows one, and not as a sentence that tells somebody to mend what is not theirs."""
    write_model(tmp_path, zoo("stream").model, "", "m-1")
    ask = asking(tmp_path)
    monkeypatch.setattr("unroll.prediction.requests.sampling", lambda **given: 1 / 0)
    monkeypatch.setattr("unroll.tracking.served.read_request", lambda content, generates: json.loads(content))
    status, said = ask({"inputs": ["a"]})
    assert "ZeroDivisionError" in said["stack_trace"] and status == 400


def test_python_gets_the_sentence_too(zoo: Make, tmp_path: Path) -> None:
    write_model(tmp_path, zoo("stream").model, "", "m-1")
    with pytest.raises(Refused, match=r"^temperature: 0.0 is not a number above 0"):
        mlflow.pyfunc.load_model(str(tmp_path)).predict(["a"], params={"temperature": 0.0})
