"""`unroll init` a second time under a name, and questions at a terminal."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, everything, init, refused
from tests.conftest import REPOSITORY

HOURS = pd.date_range("2022-01-01", periods=600, freq="h")
HOURLY = pd.DataFrame({"time": HOURS, "y": 10 + 3 * np.sin(2 * np.pi * HOURS.hour / 24) + HOURS.dayofweek / 9})
KINDS = pd.DataFrame({"time": HOURS, "y": HOURLY["y"], "weather": np.array(["dry", "wet"])[(HOURLY.index // 50) % 2]})


def test_another_option_replaces_what_the_first_run_wrote(project):
    file = brought(project, "a.csv", HOURLY)
    config, _ = init(file)
    before = everything(project)
    again, _ = init(file, "--force", "--horizon", "6")
    assert (config.data.forecast.horizon, again.data.forecast.horizon) == (24, 6) and everything(project) == before


def test_what_exists_is_kept_without_force(project, capsys):
    file = brought(project, "a.csv", HOURLY)
    init(file)
    assert refused(capsys, project, file)[0] == "exists"


def test_other_data_take_the_place_of_those_before(project):
    init(brought(project, "a.csv", HOURLY))
    config, _ = init(brought(project, "b.csv", HOURLY[:400]), "--force")
    assert config.data.path == "data/raw/mine/b.csv" and everything(project / "data" / "raw" / "mine") == {"b.csv"}


def test_a_file_that_was_edited_is_said_and_kept(project, capsys):
    file = brought(project, "a.csv", HOURLY)
    init(file)
    written = Path("conf/data/mine.yaml")
    written.write_text(edited := written.read_text() + "# by hand\n")
    init(file, "--force", "--horizon", "6")
    assert "kept       conf/data/mine.yaml" in capsys.readouterr().out
    assert [path.read_text() for path in Path(".unroll/init/mine.1").rglob("*.yaml")] == [edited] != [written.read_text()]


@pytest.mark.parametrize("place", ["conf/experiment/mine.yaml", "data/raw/mine/mine.csv"])
def test_a_file_that_init_did_not_write_is_never_replaced(project, capsys, place):
    file = brought(project, "a.csv", HOURLY)
    init(file)
    record = Path(".unroll/init/mine.json")
    record.write_text(json.dumps({name: known for name, known in json.loads(record.read_text()).items() if name != place}))
    Path(place).write_text("a user's own")
    assert refused(capsys, project, file, "--force") == ("exists", place)


def test_where_the_second_run_fails_all_is_as_before(project, capsys):
    init(brought(project, "a.csv", HOURLY))
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert refused(capsys, project, brought(project, "b.csv", HOURLY[:5]), "--force")[0] == "too-short"
    assert refused(capsys, project, brought(project, "c.csv", KINDS), "--force") == ("ambiguous", "--task")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def at_a_terminal(file: Path, *answers: str) -> tuple[int, str]:
    """The exit code of `unroll init`, and what the terminal showed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "unroll", "init", "mine", "--from", str(file)], stdin=terminal, stdout=terminal,
        stderr=terminal, env=dict(os.environ, PYTHONPATH=str(REPOSITORY / "src")))
    os.close(terminal)
    os.write(controller, "".join(f"{answer}\n" for answer in answers).encode())
    shown = b""
    try:
        while content := os.read(controller, 1 << 16):
            shown += content
    except OSError:     # the process has ended
        pass
    os.close(controller)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_a_terminal_is_asked_and_no_line_comes_twice(project):
    code, shown = at_a_terminal(brought(project, "a.csv", KINDS), "7", "1")
    assert code == 0 and Path("conf/data/mine.yaml").is_file()
    assert "  1  --task forecast\n  2  --target weather\n" in shown and "chosen     --task forecast\n" in shown
    assert shown.count("delimiter  comma") == 1


def test_no_answer_is_the_error(project):
    before = everything(project)
    code, shown = at_a_terminal(brought(project, "a.csv", KINDS), "")
    assert (code, shown.count("[ambiguous]"), everything(project)) == (2, 1, before)


def test_answers_add_up(project):
    """Whether -9999 is a number, and then what is predicted."""
    table = KINDS.assign(y=KINDS["y"].where(KINDS.index % 40 > 0, -9999))
    code, shown = at_a_terminal(brought(project, "a.csv", table), "1", "1")
    assert code == 0 and "chosen     --na-value -9999\n" in shown and "chosen     --task forecast\n" in shown
    assert "na_values: [-9999.0]" in Path("conf/data/mine.yaml").read_text()


def test_a_few_rows_are_too_few_for_steps(project, capsys):
    table = pd.DataFrame({"name": [*"abcd"], "score": [1, 2, 3, 4], "kind": [*"xyxy"]})
    assert refused(capsys, project, brought(project, "a.csv", table)) == ("too-short", "data")
    again = pd.concat([table] * 10, ignore_index=True)
    init(brought(project, "b.csv", again), "--series", "none", "--target", "kind")
