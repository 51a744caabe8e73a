"""A table of names from its source to a model that writes names for a language and of a length."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

import unroll
from tests.conftest import run, tiny
from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.commands.sample import sample
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.stages.generate import text as write_texts
from unroll.stages.train import sample as sample_now
from unroll.tracking.models import write_model

LETTERS = {"alpha": "abcd", "beta": "wxyz"}
DATA = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "path": "data/raw/names.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": {"text": ["name"], "language": ["language"], "size": ["size"]}, "series": None,
    "time": None, "time_format": None, "tokenizer": {"kind": "char", "min_count": 1},
    "inputs": {"text": "tokens", "language": "static_categories", "size": "static_real"}, "targets": {"text": "next"},
    "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None, "validation": 0.1, "test": 0.1, "seed": 1, "licence": "none",
}
MODEL = {
    "inputs": {"text": {"kind": "embedding", "size": 8, "dropout": 0.0},
               "language": {"kind": "static_category", "size": 3, "dropout": 0.0, "joins": "steps"},
               "size": {"kind": "static", "size": 4, "dropout": 0.0, "joins": "start"}},
    "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder, draw = tmp_path_factory.mktemp("names"), np.random.default_rng(1)
    rows = [(language, int(draw.integers(3, 11))) for language in draw.choice([*LETTERS], 400)]
    (folder / "data" / "raw").mkdir(parents=True)
    pd.DataFrame([{"name": "".join(draw.choice([*LETTERS[language]], size)), "language": language, "size": size}
                  for language, size in rows]).to_csv(folder / "data" / "raw" / "names.csv", index=False)
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=24", "train.epochs=20", "train.max_steps=null",
                                  "train.learning_rate=0.02", "train.batch_size=32", "train.bptt=64",
                                  "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA
    values["model"] |= MODEL
    values["generate"] |= {"given": {"language": "beta"}, "prompts": ["", "w"], "count": 2, "length": 20,
                           "temperatures": [1.0]}
    workspace = Workspace(folder, folder)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    return workspace


def is_for(text: str, language: str, size: int) -> bool:
    return set(text) <= set(LETTERS[language]) and abs(len(text) - size) <= 1


def test_the_language_and_the_size_are_used(done: Workspace) -> None:
    """What they cannot tell, four letters at random, is 1.76 bits of each symbol, the end among them."""
    found = json.loads((done.metrics / "test.json").read_text())
    assert 1.6 < found["test/bpc"] < 2.0 < found["baseline/ngram5_bpc"]
    made = unroll.load(done.model)
    for language in LETTERS:
        for size in (4, 9):
            texts = made.generate([""] * 20, given={"language": language, "size": size}, length=30)
            assert sum(is_for(text, language, size) for text in texts) >= 18, texts


def test_each_prompt_may_have_its_own(done: Workspace) -> None:
    given = [{"language": "alpha", "size": 4}, {"language": "beta", "size": 9}]
    texts = unroll.load(done.model).generate(["a", "z"], given=given, length=30)
    assert all(is_for(text, **values) for text, values in zip(texts, given, strict=True))


def test_the_stage_writes_what_each_sample_was_for(done: Workspace) -> None:
    """The language as set, the sizes of the first four test names."""
    given = json.loads((done.samples / "given.json").read_text())
    assert [values["language"] for values in given] == [["beta"]] * 4 and len({values["size"][0] for values in given}) > 1
    texts = [(done.samples / f"{number:03d}.txt").read_text().removesuffix("\n") for number in range(1, 5)]
    assert all(set(text) <= set("wxyz") for text in texts) and texts[2][0] == texts[3][0] == "w"


def test_with_beams_each_text_has_what_it_was_for(done: Workspace, tmp_path: Path) -> None:
    values = json.loads(json.dumps({"given": {}, "prompts": ["", "a"], "count": 2, "length": 12, "temperatures": [],
                                    "beams": 3, "temperature": 1.0}))
    settings = tiny("runtime.tracking.enabled=false").generate.model_copy(update=values)
    prepared, model = open_prepared(done.prepared), unroll.load(done.model).model
    write_texts(tmp_path, model, done.model, prepared, settings)
    given = json.loads((tmp_path / "given.json").read_text())
    texts = [(tmp_path / f"{number:03d}.txt").read_text().removesuffix("\n") for number in range(1, len(given) + 1)]
    assert len(texts) == len([*tmp_path.glob("*.txt")]) >= 8
    right = [is_for(text, values["language"][0], values["size"][0]) for text, values in zip(texts, given, strict=True)
             if not text.startswith("a") or values["language"] == ["alpha"]]
    assert np.mean(right) > 0.9


def sampled(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    main(["sample", "--length", "20", *options])
    return capsys.readouterr().out.removesuffix("\n").split(f"\n{'─' * 72}\n")


def test_sample_is_given_them_by_options_and_in_a_file(done: Workspace, tmp_path: Path, capsys) -> None:
    model = ["--model", str(done.model)]
    typed = sampled(capsys, *model, "--given", "language=beta", "--given", "size=8", "--count", "3")
    assert typed == unroll.load(done.model).generate([""] * 3, given={"language": "beta", "size": 8}, length=20,
                                                     temperature=0.7)
    rows = [{"prompt": ""}, {"prompt": "a", "given": {"language": "alpha", "size": 3}}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    by_file = sampled(capsys, *model, "--given", "language=beta", "--given", "size=8", "--prompts", str(tmp_path / "p.jsonl"))
    assert by_file[0] == typed[0] and is_for(by_file[1], "alpha", 3)
    assert len(sampled(capsys, *model, "--given", "language=beta", "--given", "size=5", "--beams", "3")) == 3


@pytest.mark.parametrize(("options", "code", "where"), [
    ([], "missing-value", "--given"), (["language=alpha"], "missing-value", "--given"),
    (["language=alpha", "size=x"], "bad-number", "--given"), (["language"], "unreadable", "--given"),
    (["language=gamma", "size=3"], "unknown-name", "--given, language"), (["size=1,2"], "bad-number", "--given"),
    (["speech=alpha", "size=3"], "unknown-name", "--given"), (["size=3", "size=4"], "conflict", "--given"),
    (["language=alpha", "size=1e999"], "bad-number", "--given, size, number 1"),
])
def test_what_is_given_wrongly_is_one_line(done: Workspace, options: list[str], code: str, where: str) -> None:
    assert refusal(lambda: sample({"model": str(done.model), "given": options})) == (code, where)


def test_served_it_takes_a_column_for_each(done: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    served = mlflow.pyfunc.load_model(str(tmp_path / "logged"))
    table = pd.DataFrame({"text": ["", "w"], "language": ["alpha", "beta"], "size": [4, 9]})
    texts = served.predict(table, params={"length": 20})["text"].tolist()
    given = [{"language": "alpha", "size": 4}, {"language": "beta", "size": 9}]
    assert texts == unroll.load(done.model).generate(["", "w"], given=given, length=20)
    assert [column.name for column in served.metadata.signature.inputs] == ["language", "size", "text"]


def test_exported_it_writes_the_same_without_this_package(done: Workspace, tmp_path: Path, capsys) -> None:
    main(["export", "--model", str(done.model), "-o", str(tmp_path / "out")])
    program = (tmp_path / "out" / "example.py").read_text()
    typical = json.loads((tmp_path / "out" / "inputs.json").read_text())["size"]["mean"][0]
    for before, after in (("TEMPERATURE, SEED, LENGTH = 0.7", "TEMPERATURE, SEED, LENGTH = 0"),
                          ('"alpha"', '"beta"'), (f"[{typical:.6g}]", "[7]")):
        assert program.count(before) == 1
        program = program.replace(before, after)
    (tmp_path / "out" / "example.py").write_text(program)
    written = subprocess.run([sys.executable, "-I", str(tmp_path / "out" / "example.py")], capture_output=True, text=True,
                             check=True).stdout.removesuffix("\n")
    assert [written] == sampled(capsys, "--model", str(done.model), "--given", "language=beta", "--given", "size=7", "--greedy")


def test_it_is_read_symbol_by_symbol_beside_what_is_given(done: Workspace) -> None:
    made = unroll.load(done.model)
    given = [{"text": "abca", "language": "alpha", "size": 4}, {"text": "wxyz", "language": "beta", "size": 9}]
    whole = made.predict_all(given)["text"]
    beside = {"language": [["alpha"], ["beta"]], "size": [[4], [9]]}
    memory, tokenizer = made.memory(2), made.model.tokenizers["text"]
    symbols = np.stack([tokenizer.encode(values["text"]) for values in given], axis=1)
    found = [made.step({**beside, "text": symbols[at - 1]} if at else beside, memory) for at in range(4)]
    costs = [[step[lane, symbols[at, lane]] for at, step in enumerate(found)] for lane in (0, 1)]
    np.testing.assert_allclose(costs, [values[:4] for values in whole], rtol=1e-10)


def test_in_python_too_few_are_refused(done: Workspace) -> None:
    made = unroll.load(done.model)
    with pytest.raises(UserError) as caught:
        made.generate(["", ""], given=[{"language": "alpha", "size": 4}])
    assert (caught.value.code, caught.value.where) == ("conflict", "given")


def test_the_page_has_a_control_for_each_value(done: Workspace) -> None:
    pytest.importorskip("gradio")
    from unroll.commands.play import _page

    functions = {each.api_name: each for each in _page(done.model).fns.values()}
    write, inspect = functions["write"], functions["inspect"]
    values = {each.elem_id: "" if each.value is None else each.value for each in write.inputs} | {"prompt": "", "length": 30, "temperature": 1.0}
    assert values["given-language-0"] == "alpha" and values["given-size-0"] == pytest.approx(6.5, abs=0.5)

    def text(language: str, size: float) -> str:
        chosen = values | {"given-language-0": language, "given-size-0": size}
        *_, written = write.fn(*(chosen[each.elem_id] for each in write.inputs))
        return str(written)

    assert set(text("alpha", 4)) <= set("abcd") and set(text("beta", 9)) <= set("wxyz")
    (reading, given), *_ = inspect.fn("", "wx", 0, -1, *[{"given-language-0": "beta", "given-size-0": 9}.get(
        each.elem_id) for each in inspect.inputs[4:]])
    assert reading.parts == ["w", "x"] and given.keys() == {"language", "size"}
    with pytest.raises(Exception, match="empty"):
        text("beta", None)      # type: ignore[arg-type]


def test_what_stands_at_each_symbol_is_given_for_all_of_them(tmp_path: Path) -> None:
    """Letters of a case that another column has at each of them."""
    draw = np.random.default_rng(1)
    cases = {"up": "ABCD", "down": "abcd"}
    rows = [{"id": number, "t": t, "letter": draw.choice([*cases[case]]), "case": case}
            for number in range(200) for t, case in enumerate(draw.choice([*cases], draw.integers(5, 9)))]
    (tmp_path / "data" / "raw").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(tmp_path / "data" / "raw" / "letters.csv", index=False)
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.epochs=6", "train.max_steps=null",
                                  "train.learning_rate=0.02", "train.batch_size=16", "train.bptt=16",
                                  "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = {**DATA, "path": "data/raw/letters.csv", "series": "id", "time": "t",
                      "columns": {"text": ["letter"], "case": ["case"]}, "inputs": {"text": "tokens", "case": "categories"}}
    values["model"] |= {**MODEL, "inputs": {"text": MODEL["inputs"]["text"],
                                            "case": {"kind": "category", "size": 3, "dropout": 0.0}}}
    values["generate"] |= {"prompts": ["", "a"], "count": 2, "length": 20, "temperatures": []}
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    made = unroll.load(workspace.model)
    asked = ["up", "up", "down", "up", "down", "down"]
    given = {"case": [[case] for case in asked]}
    written = [*made.generate([""] * 5, given=given, length=6), *made.generate(["A"] * 5, given=given, length=5)]
    right = [letter in cases[case] for text in written for letter, case in zip(text, asked, strict=True)]
    assert np.mean(right) > 0.95
    # the stage has as many steps as the sequences of the test split
    kept = json.loads((workspace.samples / "given.json").read_text())
    texts = [(workspace.samples / f"00{number}.txt").read_text().removesuffix("\n") for number in range(1, 5)]
    assert all(3 <= len(text) <= len(values["case"]) <= 9 for text, values in zip(texts, kept, strict=True))
    prepared = open_prepared(workspace.prepared)
    assert 3 <= len(sample_now(made.model.network, prepared, 300, 1)) <= 9        # as MLflow shows it while training
    assert refusal(lambda: sample({"model": str(workspace.model), "given": ["case=up"]})) == ("unsupported", "--given")
    with pytest.raises(UserError) as caught:
        made.generate([""], given=given, length=7)
    assert (caught.value.code, caught.value.where) == ("too-short", "given, case")
