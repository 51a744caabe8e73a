"""`unroll export`: the example writes, with nothing of this package, what `unroll sample` writes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.prediction.conftest import CORES, NEXT, TABLE, ZOO, Make, core, corpus, make, save_random
from tests.refusals import refusal
from unroll.commands.cli import main
from unroll.prediction.predictor import load

BPE = {"kind": "bpe", "vocab_size": 280, "min_frequency": 2}
TEXT = ZOO["stream"][0]
KINDS = {
    "char": TEXT, "byte": {**TEXT, "tokenizer": {"kind": "byte"}}, "bpe": {**TEXT, "tokenizer": BPE},
    "lines": {**TEXT, "unit": "line"}, "lines of bpe": {**TEXT, "unit": "line", "tokenizer": BPE},
    "rows": ZOO["rows"][0], "another name": {**TEXT, "inputs": {"verse": "tokens"}, "targets": {"verse": "next"}},
}


def example(folder: Path, given: object = None, **constants: object) -> str:
    """What the example prints with these constants, and for what is given, isolated from everything."""
    text = (folder / "example.py").read_text(encoding="utf-8")
    if given is not None:
        text, found = re.subn("^GIVEN = .*$", lambda _: f"GIVEN = {given!r}", text, flags=re.MULTILINE)
        assert found == 1
    for name, constant in {"LENGTH": "500", "SEED": "1", "TEMPERATURE": "0.7"}.items():
        assert constant in text.splitlines()[7]
        text = text.replace(f" {constant}", f" {constants.get(name, constant)}", 1)
    (folder / "changed.py").write_text(text, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-I", str(folder / "changed.py")], env=environment, cwd="/", capture_output=True,
                          text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", KINDS)
def test_the_example_writes_what_sample_writes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, prepared = make(tmp_path, KINDS[name])
    save_random(prepared, workspace.model, NEXT, core(CORES[len(name) % len(CORES)]), 1)
    main(["export", "--model", str(workspace.model), "-o", str(tmp_path / "out")])
    capsys.readouterr()
    main(["sample", "--greedy", "--length", "60", "--model", str(workspace.model)])
    assert example(tmp_path / "out", TEMPERATURE=0, LENGTH=60) == capsys.readouterr().out


@pytest.mark.parametrize("cell", CORES)
def test_every_core_is_exported(cell: str, zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = zoo("lines", cell).model
    main(["export", "--model", str(folder), "-o", str(tmp_path)])
    capsys.readouterr()
    main(["sample", "--greedy", "--length", "40", "--model", str(folder)])
    assert example(tmp_path, TEMPERATURE=0, LENGTH=40) == capsys.readouterr().out


ASKED = {**TABLE, "path": "data/raw/asked.csv", "series": None, "targets": {"text": "next"},
         "inputs": {"text": "tokens", "question": "context_tokens", "past": "context_real", "size": "static_real",
                    "kind": "static_categories", "codes": "context_categories"},
         "columns": {"text": ["text"], "codes": ["code", "state"], "question": ["question"], "past": ["low", "high"], "size": ["size"], "kind": ["kind"]}}
TOKENIZERS = {"char": {"kind": "char", "min_count": 1}, "byte": {"kind": "byte"}, "bpe": BPE,
              "word": {"kind": "word", "min_count": 1, "lowercase": True}}
POOLED = {"size": 4, "pooling": "mean", "dropout": 0.0, "joins": "start"}
ENCODERS = {"text": {"kind": "embedding", "size": 4, "dropout": 0.0}, "question": {"kind": "context_text", "core": core("gru", 1), **POOLED},
            "past": {"kind": "context_series", "core": None, **POOLED}, "size": {"kind": "static", "size": None, "dropout": 0.0, "joins": "steps"},
            "kind": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": "steps"},
            "codes": {"kind": "context_category", "core": core("gru", 1), **POOLED}}


@pytest.fixture(params=TOKENIZERS)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model that writes for a question, past values and more; its question has this kind of tokenizer."""
    draw = np.random.default_rng(5)
    (tmp_path / "data" / "raw").mkdir(parents=True)
    pd.DataFrame([{"text": "".join(draw.choice(list("abcde "), 9)), "question": f"Wie heißt's, {draw.choice(['Öl', 'x'])}? {row}",
                   "low": "1.5 2" if row % 2 else "", "high": f"{row} 4.5" if row % 2 else "", "size": row / 7, "kind": "pq"[row % 2],
                   "code": "A1 B2" if row % 3 else "", "state": "on off" if row % 3 else ""}
                  for row in range(40)]).to_csv(tmp_path / "data" / "raw" / "asked.csv", index=False)
    tokenizers = {"text": TOKENIZERS["char"], "question": TOKENIZERS[request.param]}
    workspace, prepared = make(tmp_path, {**ASKED, "tokenizer": tokenizers})
    save_random(prepared, workspace.model, NEXT, core("gru"), 2, ENCODERS)
    return workspace.model


def test_other_sequences_are_encoded_as_sample_does(asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "--model", str(asked), "-o", str(tmp_path / "out")])
    wholes = {"size": [3.5], "kind": ["q"]}
    texts = []
    for given in ({"question": "", "past": [], "codes": []},
                  {"question": "WIE heißt's, Öl? 7 鵝", "past": [[1, 2], [3.5, 4]], "codes": [["A1", "on"], ["B2", "off"], ["A1", "on"]]}):
        predictor = load(asked)
        expected = predictor.generate([""], given={**given, **wholes}, length=60, greedy=True)
        texts.append(example(tmp_path / "out", {**given, **wholes}, TEMPERATURE=0, LENGTH=60))
        assert [texts[-1]] == [f"{text}\n" for text in expected]
    assert texts[0] != texts[1]
    unseen = {**wholes, "question": "", "past": [], "codes": [["A1", "on"], ["A1", "gone"]]}
    assert refusal(lambda: predictor.generate([""], given=unseen)) == ("unknown-name", "given, codes")
    capsys.readouterr()
    assert example(tmp_path / "out", LENGTH=5)      # as it is


def test_another_seed_is_another_text(zoo: Make, tmp_path: Path) -> None:
    main(["export", "--model", str(zoo("stream").model), "-o", str(tmp_path)])
    drawn = [example(tmp_path, SEED=seed, LENGTH=40) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_it_draws_as_sample_does(zoo: Make, tmp_path: Path, temperature: float) -> None:
    """What its symbols cost the model, on average; texts of another temperature cost 0.4 nats more or less."""
    folder, predictor = zoo("stream", "lstm").model, zoo("stream", "lstm").predictor
    main(["export", "--model", str(folder), "-o", str(tmp_path)])
    texts = [example(tmp_path, TEMPERATURE=temperature, LENGTH=2000).removesuffix("\n"),
             *predictor.generate([""], length=2000, temperature=temperature)]
    costs = [-np.log(given).mean() for given in predictor.predict(texts)]
    assert abs(costs[0] - costs[1]) < 0.1, costs


def test_what_is_in_the_folder(zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = zoo("lines").model
    capsys.readouterr()
    main(["export", "--model", str(folder), "-o", str(tmp_path / "new" / "out")])
    assert capsys.readouterr().out == f"export: 9 symbols, step.onnx, vocabulary.json, example.py → {tmp_path}/new/out\n"
    out = tmp_path / "new" / "out"
    assert sorted(file.name for file in out.iterdir()) == ["README.md", "example.py", "step.onnx", "vocabulary.json"]
    assert (out / "step.onnx").read_bytes() == (folder / "step.onnx").read_bytes()
    known = json.loads((out / "vocabulary.json").read_text(encoding="utf-8"))
    letters = sorted(set(corpus()) - {"\n"})
    assert known == {"symbols": [None, *letters, None, None], "unknown": 0, "begin": 7, "end": 8, "never": [7, 0]}
    about = (out / "README.md").read_text(encoding="utf-8")
    for row in ("| `text` | int64 | (T, B) |", "| `lengths` | int32 | (B) |", "| `heads.text` | float32 | (B, 9) |",
                "| `state.core.layers.1.h` | float32 | (1, B, 5) |", "| `next.core.layers.1.h` | float32 | (1, B, 5) |"):
        assert row in about
    program = [line for line in (out / "example.py").read_text(encoding="utf-8").splitlines()[1:] if line.strip()]
    assert len(program) <= 21 and max(map(len, program)) <= 120


def test_bytes_are_bytes(zoo: Make, tmp_path: Path) -> None:
    main(["export", "--model", str(zoo("bytes").model), "-o", str(tmp_path)])
    symbols = json.loads((tmp_path / "vocabulary.json").read_text(encoding="utf-8"))["symbols"]
    assert [each.encode() if isinstance(each, str) else bytes(each) for each in symbols] == [bytes([at]) for at in range(256)]


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    out, line = capsys.readouterr()
    assert ended.value.code == 2 and out == "" and line.count("\n") == 1, line
    return line.removeprefix("unroll: ").removesuffix("\n")


@pytest.mark.parametrize("name", ["class", "next", "forecast", "text_class"])
def test_what_writes_no_texts_is_one_line(name: str, zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "--model", zoo(name).model, "-o", tmp_path / "out")
    assert said.startswith("--model: the model's head is ") and not (tmp_path / "out").exists()


def test_words_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, prepared = make(tmp_path, {**TEXT, "tokenizer": {"kind": "word", "min_count": 1, "lowercase": False}})
    save_random(prepared, workspace.model, NEXT, core("gru"), 1)
    capsys.readouterr()
    assert refused(capsys, "--model", workspace.model, "-o", tmp_path / "out").startswith("tokenizer: the model's symbols are words")


def test_nothing_is_written_over(zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").write_text("mine")
    for taken, said in ((tmp_path, "exists"), (tmp_path / "kept", "is a file"), (tmp_path / "kept" / "in", "is a file")):
        line = refused(capsys, "--model", zoo("lines").model, "-o", taken)
        assert line.startswith("--out: ") and said in line
    assert refused(capsys, "--model", tmp_path / "none", "-o", tmp_path / "out").startswith(str(tmp_path / "none"))
    assert [file.name for file in tmp_path.iterdir()] == ["kept"] and (tmp_path / "kept").read_text() == "mine"
