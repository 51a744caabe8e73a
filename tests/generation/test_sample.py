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
from unroll.commands.sample import text as sample
from unroll.config.sampling import sampling
from unroll.data.store import open_prepared
from unroll.generation.text import open_generator
from unroll.prediction.predictor import load

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
    assert problems.startswith("unroll: prompt 'graph§'") and problems.endswith("[unknown-symbol]\n")
    first, second = out[:10], out.removesuffix("\n\n")[-10:]
    generator, settings = open_generator(Path("artifacts/model")), sampling(length=10, temperature=0.7)
    assert first == "".join(generator.stream("The ", settings, 1, 0))
    assert second == "".join(generator.stream(f"The {first} of ", settings, 1, 2)), "after all that was said"


OPTIONS = [
    (["--temperature", "0"], "--temperature", "out-of-range"), (["--temperature", "-1"], "--temperature", "out-of-range"),
    (["--top-p", "0"], "--top-p", "out-of-range"), (["--top-k", "0"], "--top-k", "out-of-range"), (["--allow", ""], "--allow", "out-of-range"),
    (["--allow", "a§"], "--allow", "unknown-symbol"), (["--pattern", "("], "--pattern", "unsupported"),
    (["--pattern", "a{99}", "--length", "9"], "--pattern, --length", "conflict"), (["--pattern", "a", "--allow", "a"], "--allow, --pattern", "conflict"),
    (["a§b"], "prompt 'a§b'", "unknown-symbol"), (["--length", "inf"], "--length", "conflict"), (["--length", "inf", "--interactive"], "--length", "conflict"),
    (["--log-probabilities"], "--log-probabilities", "missing-value"), (["-o", "x.csv"], "--out", "unsupported"),
    (["-o", "none/x.txt"], "--out", "missing-file"), (["-o", "x.txt", "--length", "1" + "0" * 15], "--out", "disk"),
    (["--stream", "--beams", "2"], "--beams", "conflict"), (["--count", "2", "--beams", "2"], "--count", "no-effect"), (["--interactive", "The"], "--interactive", "conflict"),
    (["--beams", "2", "--top-k", "2"], "--beams, --top-k", "conflict"),
    (["--prompts", "none.txt"], "none.txt", "missing-file"), (["--prompts", "bad.jsonl"], "bad.jsonl, line 2", "unreadable"),
    (["--prompts", "latin.txt"], "latin.txt", "unreadable"), (["--prompts", "empty.txt"], "empty.txt", "empty"),
    (["-o", "folder.txt"], "--out", "not-a-file"), (["--threads", "9999"], "--threads", "out-of-range"),
    (["--beams", "9999"], "--beams", "out-of-range"), (["--pattern", "((a{100}){100}){100}"], "--pattern", "too-large"),
    (["--interactive", "--pattern", "("], "--pattern", "unsupported"), (["--allow", "\udcff"], "--allow", "unreadable"),
    (["--greedy", "--top-k", "3"], "--top-k", "no-effect"), (["--greedy", "--count", "2"], "--count", "no-effect"),
    (["--gpu"], "--gpu", "no-device"), (["--gpu", "--int8"], "--int8", "conflict"), (["--tempo", "9"], "--tempo", "no-effect"),
    (["--no-repeat-ngram", "1", "--length", "499"], "--no-repeat-ngram", "conflict"), (["--model", "none"], "none/model.json", None),
]


@pytest.mark.parametrize(("arguments", "where", "code"), OPTIONS, ids=[" ".join(option)[:40] for option, *_ in OPTIONS])
def test_what_cannot_be_is_one_line_and_nothing_is_written(model, capsys, arguments, where, code):
    Path("bad.jsonl").write_text('{"prompt": "a"}\n{"text": "b"}\n')
    Path("latin.txt").write_bytes(b"a\xe4")
    Path("empty.txt").write_bytes(b"")
    Path("folder.txt").mkdir()
    before = sorted(model.rglob("*"))
    line = refused(capsys, *arguments)
    assert line.startswith(f"{where}: ") and (code is None or line.endswith(f" [{code}]")), line
    assert sorted(model.rglob("*")) == before


def test_an_unknown_symbol_has_an_option(model, capsys):
    assert "--replace-unknown reads it as unknown." in refused(capsys, "a§b")


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
            "print(sorted({'torch', 'onnx', 'mlflow', 'matplotlib', 'pandas', 'hydra'} & sys.modules.keys()), file=sys.stderr)")
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
    settings = sampling(length=30, temperature=0.8)
    together, alone = ([each.text for each in generator.samples(["The "] * 1000, settings, 5, lanes=lanes)] for lanes in (64, 1))
    differ = sum(one != other for one, other in zip(together, alone, strict=True))
    assert differ <= 2, "but where two symbols tie within rounding"
    assert len(np.unique(together)) > 900


def test_a_cell_without_a_step_in_onnx_is_stepped_by_pytorch(trained, model, capsys, monkeypatch):
    """As a cell of another package may be; the text is the same."""
    from unroll.models.cells.lstm import Cell
    from unroll.models.folder import load_model, save_model

    (onnx,) = said(capsys, "The ", "--length", "40")
    monkeypatch.setattr(Cell, "has_onnx", classmethod(lambda cls: False))
    loaded = load_model(trained)
    save_model(Path("artifacts/model"), loaded.network, loaded.config, open_prepared(trained.parent.parent / "data" / "prepared"))
    assert not list(Path("artifacts/model").glob("*.onnx"))
    assert said(capsys, "The ", "--length", "40") == [onnx]
    assert "--int8: " in refused(capsys, "--int8")
    assert load("artifacts/model").generate(["The "], length=40, temperature=0.7) == [onnx]
