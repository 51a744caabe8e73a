"""`mlflow models serve`, asked over HTTP: a generator, a predictor, and a thousand bodies that are wrong somewhere."""

import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.servers import free_port, serving
from tests.prediction.conftest import ZOO, core, make, save_random
from tests.tracking.test_server import PLAIN
from unroll.prediction.predictor import Predictor
from unroll.tracking.models import write_model

pytestmark = pytest.mark.server
SECONDS = 20        # for one answer, on a machine that does other things, too; a pattern may take ten of them
JSON = "application/json"

Answer = tuple[int, str]


def post(url: str, body: bytes, content_type: str | None = JSON) -> Answer:
    # urllib sends a type of its own where there is none, and this where it is empty
    request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": content_type or ""})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def served(folder: Path, name: str) -> Iterator[tuple[str, Predictor]]:
    """The address of a server of this model of the zoo, and the model."""
    (folder / "logged").mkdir()
    workspace, prepared = make(folder, ZOO[name][0])
    predictor = save_random(prepared, workspace.model, ZOO[name][1], core("lstm"), 1)
    write_model(folder / "logged", workspace.model, "", "m-1")
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder / "logged"), "--env-manager", "local",
               "--host", "127.0.0.1", "--port", str(port := free_port())]
    with serving(command, folder, PLAIN, url := f"http://127.0.0.1:{port}", "/ping"):
        yield url, predictor


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Predictor]]:
    with served(tmp_path_factory.mktemp("generator"), "stream") as both:
        yield both


EVERYTHING = {"length": 12, "min_length": 2, "temperature": 0.5, "top_k": 5, "top_p": 0.9, "min_p": 0.01, "seed": 4,
              "repetition_penalty": 1.1, "no_repeat_ngram": 6, "stop": ["e", "d\n"], "pattern": "[a-e ]*"}


@pytest.mark.parametrize("params", [{}, EVERYTHING, {"length": 9, "beams": 2}, {"length": 9, "greedy": True, "allow": "abc"}])
def test_prompts_are_gone_on_with(generator: tuple[str, Predictor], params: dict[str, Any]) -> None:
    url, predictor = generator
    status, text = post(url, json.dumps({"inputs": ["ab", ""], "params": params}).encode())
    assert status == 200, text
    assert [row["text"] for row in json.loads(text)["predictions"]] == predictor.generate(["ab", ""], **params)


@pytest.mark.parametrize(("body", "kind", "says"), [
    (b"", JSON, "body: "), (b"[" * 100_000, JSON, "body: "), (b'{"inputs": ["a"]}', None, "Content-Type: "),
    (b'{"inputs": ["a"]}', "text/plain", "Content-Type: "), (b'{"inputs": ["?"]}', JSON, "prompt '?': "),
    (b'{"inputs": ["a"], "params": {"temperature": 0}}', JSON, "temperature: 0 "),
    (b'{"inputs": ["a"], "params": {"temprature": 1}}', JSON, "temprature: "),
    (b'{"inputs": ["a"], "params": {"length": 1000000}}', JSON, "length: "),
    (b'{"inputs": ["a"], "params": {"pattern": "(a|b)*a(a|b){25}"}}', JSON, "pattern: "),
])
def test_what_is_wrong_is_said(generator: tuple[str, Predictor], body: bytes, kind: str | None, says: str) -> None:
    status, text = post(generator[0], body, kind)
    assert status == 400 and json.loads(text)["message"].startswith(says), text


def test_sequences_are_predicted(tmp_path: Path) -> None:
    with served(tmp_path, "class") as (url, predictor):
        given = [[[5, -1], [4, 2.5], [6, 0]], [[1, 2]]]
        status, text = post(url, json.dumps({"inputs": given}).encode())
        assert status == 200, text
        for row, expected in zip(json.loads(text)["predictions"], predictor.predict(given), strict=True):
            assert [row[f"p_{name}"] for name in predictor.classes] == pytest.approx(expected.tolist())
        forms = [json.dumps({"inputs": given}), json.dumps({"dataframe_records": [{"sequence": each} for each in given]})]
        survives(url, [form.encode() for form in forms], 200)


def test_a_thousand_wrong_bodies_do_no_harm(generator: tuple[str, Predictor]) -> None:
    forms = [{"inputs": ["ab", ""]}, {"instances": ["ab"], "params": {"length": 5, "seed": 2}}, {"inputs": ["a"], "params": EVERYTHING},
             {"dataframe_records": [{"prompt": "ab"}, {"prompt": "c"}], "params": {"length": 4, "stop": ["a"]}},
             {"dataframe_split": {"columns": ["prompt"], "data": [["ab"]]}, "params": {"beams": 2, "length": 4}},
             {"inputs": ["b c"], "params": {"allow": "abc", "length": 3, "greedy": True}}]
    survives(generator[0], [json.dumps(form).encode() for form in forms], 1000)


def survives(url: str, forms: list[bytes], count: int) -> None:
    """Every mutation is answered soon, with what was asked for or with a sentence; then all is as before."""
    draw, statuses, slowest = random.Random(1), Counter[int](), 0.0
    before = [post(url, form) for form in forms]
    assert {status for status, _ in before} == {200}, before
    for _ in range(count):
        body = mutated(draw, draw.choice(forms))
        kind = JSON if draw.random() < 0.95 else draw.choice([None, "text/csv", "text/plain", f"{JSON}; charset=utf-7"])
        start = time.monotonic()
        status, text = post(url, body, kind)
        slowest = max(slowest, time.monotonic() - start)
        statuses[status] += 1
        assert status in (200, 400), (kind, body, text)
        if status == 400:
            said = json.loads(text)
            assert set(said) == {"error_code", "message"} and "\n" not in said["message"], (kind, body, text)
            assert said["message"].endswith((".", "?")), (kind, body, text)
    assert [post(url, form) for form in forms] == before
    assert statuses[400] > count / 2 and statuses[200], "mutations that change nothing, or everything"
    print(f"{dict(statuses)}, the slowest in {slowest:.1f} s")


ODD = [None, True, 0, -1, 1.5, -0.0, 10**30, -(10**400), 1e308, 5e-324, float("nan"), float("inf"), "", "a", "é", "\ud800", "\x00", "鵝" * 999,
       "0", [], [[]], ["a", 1], [None], {}, {"a": {}}, {"": [1]}, [[1, 2], [3]], [[[[[[0]]]]]], "((", "(a|b)*a(a|b){25}", "[^a]{3}", 2**63, 10_001]
NAMES = ["inputs", "instances", "dataframe_records", "dataframe_split", "params", "columns", "data", "index", "prompt", "sequence", "seed",
         "length", "min_length", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "no_repeat_ngram", "stop", "pattern",
         "allow", "beams", "greedy", "Temperature", "messages", "input", "signature_name", ""]


def mutated(draw: random.Random, form: bytes) -> bytes:
    """Values replaced, named otherwise, left out or wrapped; or bytes changed, cut, doubled."""
    if draw.random() < 0.7:
        body = json.loads(form)
        for _ in range(draw.choice([1, 1, 2, 4])):
            body = changed(draw, body)
        return json.dumps(body).encode()
    content = bytearray(form)
    for _ in range(draw.choice([1, 1, 3, 10])):
        at, to = sorted(draw.randrange(len(content) + 1) for _ in range(2))
        match draw.randrange(4):
            case 0:
                content[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del content[at:to]
            case 2:
                content[at:at] = content[at:to] * draw.choice([1, 1, 50])
            case 3:
                content[at:at] = draw.choice([b"[", b"]", b"{", b"}", b'"', b",", b"\\u", b"e999", b"-", b"NaN", b"9" * 5000, b"[" * 3000])
    return bytes(content)


def changed(draw: random.Random, value: Any) -> Any:
    """One place of a JSON value, somewhere in it, is another."""
    if isinstance(value, dict) and value and draw.random() < 0.8:
        name = draw.choice(list(value))
        match draw.randrange(6):
            case 0:
                return {draw.choice(NAMES) if each == name else each: value[each] for each in value}
            case 1:
                return {each: value[each] for each in value if each != name}
            case 2:
                return {**value, draw.choice(NAMES): draw.choice(ODD)}
        return {**value, name: changed(draw, value[name])}
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        return [*value[:at], changed(draw, value[at]), *value[at + draw.choice([0, 1]) :]]
    return draw.choice([[value], {"a": value}, [value] * 300, *ODD])
