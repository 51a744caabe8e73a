"""`unroll sample`."""

import pytest

from tests.conftest import run, tiny
from unroll import cli
from unroll.workspace import Workspace

LINE = "\n" + "─" * 72 + "\n"


@pytest.fixture
def model(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    run(workspace, tiny(), "prepare", "train")
    monkeypatch.chdir(workspace.root)
    return workspace


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    cli.main(["sample", *arguments])
    return capsys.readouterr().out.removesuffix("\n").split(LINE)


def test_every_prompt_is_kept_and_gone_on_with(model, capsys):
    texts = said(capsys, "The ", "A graph", "--count", "2", "--length", "30")
    assert [text[:7] for text in texts[2:]] == ["A graph"] * 2 and all(text.startswith("The ") for text in texts[:2])
    assert [len(text) for text in texts] == [34, 34, 37, 37]
    assert texts[0] != texts[1]
    assert said(capsys, "The ", "A graph", "--count", "2", "--length", "30") == texts
    assert said(capsys, "The ", "--length", "30") == texts[:1], "a text depends on its number alone"
    assert said(capsys, "The ", "--length", "30", "--seed", "2") != texts[:1]


def test_without_a_prompt_it_begins_where_the_data_does(model, capsys):
    (text,) = said(capsys, "--length", "12", "--temperature", "0")
    assert len(text) == 12
    assert said(capsys, "--length", "12", "--temperature", "0", "--seed", "9") == [text]


@pytest.mark.parametrize("arguments", [["--temperature", "-1"], ["--top-p", "0"], ["--top-k", "0"], ["--length", "x"]])
def test_a_rule_that_is_none_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["sample", *arguments])
    assert ended.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_a_model_that_is_not_there_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["sample", "--model", str(tmp_path / "none")])
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1
