"""A seconds-long configuration, a corpus for it, and runs of it in one process or in a repository of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from unroll.base.errors import Code, UserError
from unroll.base.files import sha256
from unroll.base.processes import PASSED_ON
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import STAGE_SECTIONS, Config
from unroll.data.store import Prepared, open_prepared
from unroll.sources.docs import Docs

REPOSITORY = Path(__file__).parent.parent
STAGES = tuple(STAGE_SECTIONS)

# one thread: two test processes share two cores, and threads that wait for each other are slow
TINY = [
    "data=text",
    "data.path=data/raw/corpus.txt",
    "data.validation=0.1",
    "data.test=0.1",
    "model.inputs.text.size=8",
    "model.core.hidden_size=16",
    "train.batch_size=8",
    "train.bptt=16",
    "train.epochs=1",
    "train.max_steps=20",
    "train.log_steps=5",
    "train.schedule.warmup_steps=2",
    "train.threads=1",
    "evaluate.lanes=4",
    "evaluate.warmup=8",
    "evaluate.train_tokens=2000",
    "evaluate.gradient_reach=16",
    "generate.prompts=['','The ']",
    "generate.count=2",
    "generate.length=40",
    "runtime.progress=false",
    "runtime.tracking.enabled=false",
]


@pytest.fixture(scope="session")
def english() -> str:
    """About 30,000 characters of English, mathematics and code."""
    import networkx

    text = "".join(Docs("networkx", networkx.__version__, 0.05, 0.1, 1).pieces("train"))
    return "".join(character for character in text[:30_000] if ord(character) < 128)


@pytest.fixture(scope="session")
def chinese() -> str:
    """The Thousand Character Classic (周興嗣, 6th century): 999 different characters and punctuation."""
    return (REPOSITORY / "tests" / "data" / "thousand_characters.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's, without a window; it is installed where it is missing."""
    from playwright.sync_api import sync_playwright

    where = subprocess.run([REPOSITORY / "tools" / "browser.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start as root
        browser = playwright.chromium.launch(executable_path=where.strip(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the machine's reaches a test, nothing of a test's reaches the machine."""
    for name in ("MLFLOW_TRACKING_URI", *PASSED_ON):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def hide(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where an extra is not installed."""
    for name in [each for each in sys.modules if each.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture
def without_aeon(monkeypatch: pytest.MonkeyPatch) -> None:
    hide("aeon", monkeypatch)


@contextmanager
def refused(code: Code, where: object, *words: str) -> Iterator[None]:
    """A `UserError` with this code and place, in one line that has these words."""
    with pytest.raises(UserError) as caught:
        yield
    assert (caught.value.code, caught.value.where) == (code, str(where)), str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def tiny(*overrides: str) -> Config:
    return compose(REPOSITORY / "conf", [*TINY, *overrides])[1]


@pytest.fixture
def workspace(tmp_path: Path, english: str) -> Workspace:
    """A folder with a corpus, as project and root."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "corpus.txt").write_text(english, encoding="utf-8", newline="")
    return Workspace(tmp_path, tmp_path)


def link_project(folder: Path) -> None:
    """What a stage needs of a project besides its data."""
    for name in ("dvc.yaml", "requirements.lock", "extensions.lock", "src"):
        if not (folder / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)


def run(workspace: Workspace, config: Config, *names: str) -> None:
    """Run stages in this process, as `unroll run` does."""
    link_project(workspace.project)
    text = compose(REPOSITORY / "conf", TINY)[0]
    workspace.params.write_text(text, encoding="utf-8")
    for name in names or STAGES:
        stage = getattr(import_module(f"unroll.stages.{name}"), name)
        stage(workspace, config.runtime, **{section: getattr(config, section) for section in STAGE_SECTIONS[name]})


@pytest.fixture
def prepared(workspace: Workspace) -> Prepared:
    """The tiny corpus, prepared with characters as symbols."""
    run(workspace, tiny(), "prepare")
    return open_prepared(workspace.prepared)


def snapshot(folder: Path, *parts: str) -> dict[str, bytes]:
    """Every output's bytes by its name below a root."""
    parts = parts or ("data/prepared", "artifacts", "metrics", "plots")
    files = [file for part in parts for file in sorted((folder / part).rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.name != ".gitignore"}


class Repo:
    """A copy of this repository, committed, with the tiny configuration as its experiment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        }
        self.environment["DVC_NO_ANALYTICS"] = "true"

    def run(self, *command: str, ok: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True,
            check=False,
        )
        if ok and done.returncode:
            raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def unroll(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "unroll", *arguments, ok=ok, PYTHONPATH="src")

    def repro(self, *options: str) -> list[str]:
        """`dvc repro`; the stages that really ran, in order."""
        done = self.run("dvc", "repro", *options)
        return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]

    def set(self, **values: object) -> None:
        """Change values in conf/experiment/tiny.yaml (`train__epochs=2`) and compose."""
        experiment = self.folder / "conf" / "experiment" / "tiny.yaml"
        settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
        for name, value in values.items():
            *sections, key = name.split("__")
            place = settings
            for section in sections:
                place = place.setdefault(section, {})
            place[key] = value
        experiment.write_text("# @package _global_\n" + yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        self.unroll("compose")

    def commit(self, message: str = "change") -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def model_sha256(self) -> str:
        return sha256(self.folder / "artifacts" / "model" / "model.safetensors")


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory, english: str) -> Path:
    folder = tmp_path_factory.mktemp("template") / "repo"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    outputs = ("dvc.lock", "metrics/", "plots/")
    for name in listed:
        if (REPOSITORY / name).is_file() and not name.startswith(outputs):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    (folder / "data" / "raw" / "corpus.txt").write_text(english, encoding="utf-8", newline="")
    values: dict[str, object] = {}
    for override in TINY:
        name, value = override.split("=", 1)
        if "." in name:
            values[name.replace(".", "__")] = yaml.safe_load(value)
    (folder / "conf" / "experiment" / "tiny.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /data: text\n", encoding="utf-8"
    )
    config = folder / "conf" / "config.yaml"
    config.write_text(config.read_text().replace("experiment: default", "experiment: tiny"), encoding="utf-8")
    repo = Repo(folder)
    repo.set(**values)
    repo.run("git", "init", "-q", "-b", "main")
    repo.run("git", "config", "user.name", "test")
    repo.run("git", "config", "user.email", "test@localhost")
    repo.commit("template")
    return folder


@pytest.fixture
def repo(_template: Path, tmp_path: Path) -> Iterator[Repo]:
    shutil.copytree(_template, tmp_path / "repo", symlinks=True)
    yield Repo(tmp_path / "repo")


@pytest.fixture(scope="session")
def _finished(_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by whichever test process asks first; the others wait for it."""
    mine = tmp_path_factory.getbasetemp()
    folder = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "finished"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            shutil.copytree(_template, mine / "finishing", symlinks=True)
            repo = Repo(mine / "finishing")
            assert repo.repro() == ["prepare", "train", "evaluate", "generate"]
            repo.commit("results")
            repo.folder.rename(folder)
    return folder


@pytest.fixture(scope="module")
def finished(_finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose pipeline has run once, the module's own copy."""
    return Repo(shutil.copytree(_finished, tmp_path_factory.mktemp("finished") / "repo", symlinks=True))
