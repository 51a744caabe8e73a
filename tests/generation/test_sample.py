"""`unroll sample`, as it is typed."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY, run, tiny
from unroll.base.workspace import Workspace
from unroll.commands import cli
from unroll.commands.sample import texts as sample
from unroll.generation.generator import open_generator

LINE = "\n" + "─" * 72 + "\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, english: str) -> Path:
    """The folder of a model of characters."""
    root = tmp_path_factory.mktemp("trained")
    (root / "data" / "raw").mkdir(parents=True)
    (root / "data" / "raw" / "corpus.txt").write_text(english, encoding="utf-8")
    workspace = Workspace(root, root)
    run(workspace, tiny(), "prepare", "train")
    return workspace.model


@pytest.fixture
def model(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained, tmp_path / "artifacts" / "model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    cli.main(["sample", *arguments])
    return capsys.readouterr().out.removesuffix("\n").split(LINE)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(["sample", *arguments])
    out, line = capsys.readouterr()
    assert ended.value.code == 2 and out == "" and line.count("\n") == 1, line
    return line.removeprefix("unroll: ").removesuffix("\n")


def test_every_prompt_is_kept_and_gone_on_with(model, capsys):
    texts = said(capsys, "The ", "A graph", "--count", "2", "--length", "30")
    assert [text[:7] for text in texts[2:]] == ["A graph"] * 2 and all(text.startswith("The ") for text in texts[:2])
    assert [len(text) for text in texts] == [34, 34, 37, 37]
    assert texts[0] != texts[1]
    assert said(capsys, "The ", "A graph", "--count", "2", "--length", "30") == texts
    assert said(capsys, "The ", "--length", "30") == texts[:1], "a text depends on its number alone"
    assert said(capsys, "The ", "--length", "30", "--seed", "2") != texts[:1]


def test_without_a_prompt_it_begins_where_the_data_does(model, capsys):
    (text,) = said(capsys, "--length", "12", "--greedy")
    assert len(text) == 12
    assert said(capsys, "--length", "12", "--greedy", "--seed", "9") == [text]


def test_streamed_it_is_the_same_text(model, capsys):
    asked = ["The ", "A", "--count", "2", "--length", "60", "--stop", "e", "--min-length", "5"]
    assert said(capsys, *asked, "--stream") == said(capsys, *asked)


def test_a_long_text_is_the_same_text(model, capsys, monkeypatch):
    whole = said(capsys, "The ", "--length", "50", "-o", "one.txt")
    monkeypatch.setattr(sample, "LONG", 10)
    said(capsys, "The ", "--length", "50", "-o", "two.txt")
    assert whole == [""] and Path("one.txt").read_bytes() == Path("two.txt").read_bytes()


def test_prompts_from_a_file_and_from_standard_input(model, capsys, monkeypatch):
    Path("two.txt").write_text("The \nA graph\n", encoding="utf-8")
    Path("two.jsonl").write_text('{"prompt": "The "}\n{"prompt": "A\\ngraph"}\n', encoding="utf-8")
    assert [each[:4] for each in said(capsys, "--prompts", "two.txt", "--length", "9")] == ["The ", "A gr"]
    assert [each[:7] for each in said(capsys, "--prompts", "two.jsonl", "--length", "9")][1] == "A\ngraph"
    monkeypatch.setattr("sys.stdin", io.StringIO("The \n\n"))
    assert [each[:4] for each in said(capsys, "Of", "--prompts", "-", "--length", "4")][1] == "The "


def test_a_file_of_objects_says_what_was_drawn_and_how_likely_it_was(model, capsys):
    said(capsys, "The ", "--length", "20", "--count", "2", "-o", "out.jsonl", "--log-probabilities")
    rows = [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]
    (first, second) = rows
    assert first["prompt"] == "The " and len(first["symbols"]) == len(first["text"]) == len(first["log_probabilities"]) == 20
    assert max(first["log_probabilities"]) < 0 and first["log_probabilities"] != second["log_probabilities"]
    said(capsys, "The ", "--length", "20", "-o", "greedy.jsonl", "--log-probabilities", "--greedy")
    said(capsys, "The ", "--length", "20", "-o", "beams.jsonl", "--log-probabilities", "--beams", "4")
    greedy, *beams = [json.loads(line) for name in ("greedy", "beams") for line in Path(f"{name}.jsonl").read_text().splitlines()]
    sums = [sum(each["log_probabilities"]) for each in beams]
    assert len(beams) == 4 and sums == sorted(sums, reverse=True)
    assert sums[0] >= sum(greedy["log_probabilities"]) - 1e-6


@pytest.mark.parametrize(("arguments", "holds"), [
    (["--pattern", "[0-9]{3}-[a-z]+"], lambda text: text[:3].isdigit() and text[3] == "-" and text[4:].isalpha()),
    (["--allow", "aeiou "], lambda text: set(text) <= set("aeiou ") and len(text) == 25),
    (["--no-repeat-ngram", "1", "--temperature", "0.1"], lambda text: len(set(text)) == 25),
    (["--top-k", "1"], lambda text: len(text) == 25), (["--stop", " ", "--min-length", "2"], lambda text: " " not in text[2:]),
])
def test_what_may_be_written(model, capsys, arguments, holds):
    for text in said(capsys, "--count", "5", "--length", "25", *arguments):
        assert holds(text), text


def test_what_is_typed_is_answered_line_after_line(model, capsys, monkeypatch):
    asked = iter(["The ", "graph§", " of "])

    def typed(_: str) -> str:
        try:
            return next(asked)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", typed)
    capsys.readouterr()
    cli.main(["sample", "--interactive", "--length", "10"])
    out, problems = capsys.readouterr()
    assert problems.startswith("unroll: prompt 'graph§'") and "never saw '§'" in problems
    first, second = out[:10], out.removesuffix("\n\n")[-10:]
    generator, settings = open_generator(Path("artifacts/model")), sample.Settings(length=10, temperature=0.7)
    assert first == "".join(generator.stream("The ", settings, 1, 0))
    assert second == "".join(generator.stream(f"The {first} of ", settings, 1, 2)), "after all that was said"


OPTIONS = [
    (["--temperature", "0"], "--temperature: 0 is no number above 0. "), (["--temperature", "-1"], "--temperature: -1 is no number above 0."),
    (["--top-p", "0"], "--top-p: 0 is not above 0"), (["--top-k", "0"], "--top-k: 0 is not"), (["--allow", ""], "--allow: no character"),
    (["--allow", "a§"], "allow: the model never saw '§'"), (["--pattern", "("], "pattern: '(' is no regular expression"),
    (["--pattern", "a{99}", "--length", "9"], "pattern: 'a{99}' needs 99 symbols at least, the length is 9."),
    (["a§b"], "prompt 'a§b': the model never saw '§' (symbol 2)."), (["--length", "inf"], "--length: a text without an end"),
    (["--log-probabilities"], "--log-probabilities: goes into a file."), (["-o", "x.csv"], "--out: x.csv ends neither"),
    (["-o", "none/x.txt"], "--out: no folder none."), (["-o", "x.txt", "--length", "1" + "0" * 15], "--out: 1,000,000,000,000,000"),
    (["--stream", "--beams", "2"], "--beams: the best text"), (["--count", "2", "--beams", "2"], "--count: a beam search"), (["--interactive", "The"], "--interactive: reads prompts"),
    (["--prompts", "none.txt"], "none.txt: cannot be read"), (["--prompts", "bad.jsonl"], "bad.jsonl, line 2: not {"),
    (["--prompts", "latin.txt"], "latin.txt: byte 2 is not UTF-8."), (["--prompts", "empty.txt"], "empty.txt: empty."),
    (["-o", "folder.txt"], "--out: folder.txt is a folder."), (["--threads", "9999"], "--threads: 9999 are more than"),
    (["--beams", "9999"], "--beams: 9999 are more than 1,000."), (["--pattern", "((a{100}){100}){100}"], "pattern: '((a{100}){100}){100}' takes more"),
    (["--interactive", "--pattern", "("], "pattern: '(' is no regular"), (["--allow", "\udcff"], "--allow: holds what is no character."),
    (["--greedy", "--top-k", "3"], "--top-k: means nothing beside --greedy"), (["--greedy", "--count", "2"], "--count: means nothing"),
    (["--gpu"], "--gpu: PyTorch finds no GPU here."), (["--gpu", "--int8"], "--int8: goes with a processor."),
    (["--no-repeat-ngram", "1", "--length", "499"], "sample 1: after "), (["--model", "none"], "none/model.json: no such file."),
]


@pytest.mark.parametrize(("arguments", "line"), OPTIONS, ids=[" ".join(each)[:40] for each, _ in OPTIONS])
def test_what_cannot_be_is_one_line_and_nothing_is_written(model, capsys, arguments, line):
    Path("bad.jsonl").write_text('{"prompt": "a"}\n{"text": "b"}\n')
    Path("latin.txt").write_bytes(b"a\xe4")
    Path("empty.txt").write_bytes(b"")
    Path("folder.txt").mkdir()
    before = sorted(model.rglob("*"))
    assert refused(capsys, *arguments).startswith(line)
    assert sorted(model.rglob("*")) == before


def test_what_the_model_never_saw_can_be_read_as_unknown(model, capsys):
    (text,) = said(capsys, "a§b", "--replace-unknown", "--length", "8")
    assert text.startswith("a§b") and len(text) == 11


@pytest.mark.parametrize("damage", ["step.onnx", "model.json", "text.tokenizer.json"])
def test_a_damaged_model_is_one_line(model, capsys, damage):
    path = model / "artifacts" / "model" / damage
    path.write_bytes(path.read_bytes()[:-9])
    assert damage in refused(capsys)


def test_a_model_of_another_version_is_one_line(model, capsys):
    path = model / "artifacts" / "model" / "model.json"
    path.write_text(path.read_text().replace('"format": 4', '"format": 2'))
    said = refused(capsys)
    assert said.startswith("artifacts/model/model.json: ") and said.endswith("[wrong-version]")


def test_neither_torch_nor_onnx_nor_mlflow_is_imported(model):
    code = ("import sys; from unroll.commands import cli; cli.main(['sample', '--stream', '--length', '9']); "
            "print(sorted({'torch', 'onnx', 'mlflow', 'pydantic', 'pandas', 'hydra'} & sys.modules.keys()), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")})
    assert done.stderr.strip() == "[]" and len(done.stdout) == 10


def test_a_reader_who_goes_away_ends_a_text_without_end(model):
    process = subprocess.Popen([sys.executable, "-m", "unroll", "sample", "--stream", "--length", "inf"], stdout=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")})
    assert process.stdout is not None and len(process.stdout.read(300)) == 300
    process.stdout.close()
    assert process.wait(30) == 141


def test_a_thousand_samples_do_not_depend_on_what_is_beside_them(model):
    generator = open_generator(Path("artifacts/model"))
    settings = sample.Settings(length=30, temperature=0.8)
    together, alone = ([each.text for each in generator.samples(["The "] * 1000, settings, 5, lanes=lanes)] for lanes in (64, 1))
    differ = sum(one != other for one, other in zip(together, alone, strict=True))
    assert differ <= 2, "but where two symbols tie within rounding"
    assert len(np.unique(together)) > 900
