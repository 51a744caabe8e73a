"""The README's figures are those that commands wrote, and the commands that it names exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from unroll.commands.arguments import parser

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="compares with what is committed")
def test_every_figure_stands_in_a_committed_file() -> None:
    done = subprocess.run(
        [sys.executable, "tools/readme.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_verb_that_is_named_exists() -> None:
    for line in re.findall(r"^unroll (.+)$", README, re.MULTILINE):
        parser().parse_args(line.split("#")[0].split("&&")[0].split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_of_results_is_what_was_measured() -> None:
    done = subprocess.run(
        [sys.executable, "tools/results.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_experiment_that_is_named_exists() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", README.split("| what is predicted |")[1].split("[docs/results.md]")[0]))
    assert len(named) > 12
    for name in named:
        assert (REPOSITORY / "conf" / "experiment" / f"{name}.yaml").is_file(), name
