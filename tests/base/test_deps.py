"""What stages depend on: the list in dvc.yaml is complete, and keys and states change with it."""

import shutil
from functools import cache

import grimp
import pytest
import yaml

from tests.conftest import REPOSITORY, STAGES, refused
from unroll.base.deps import RAW, digest
from unroll.base.workspace import Workspace

# what stages import and do not depend on, each with its reason
HARMLESS = {
    "unroll": "how many times a waiting thread spins",
    "unroll.base.deps": "decides what runs again, not what comes out",
    "unroll.base.errors": "sentences: with an error nothing is written",
    "unroll.base.extensions": "refuses what is not locked; the lock is a dep",
    "unroll.base.job_folder": "notes of a sweep or study beside the outputs",
    "unroll.base.processes": "who started this process",
    "unroll.base.workspace": "where folders lie",
    "unroll.tracking": "what MLflow is told, after the outputs are known",
}
# … and one stage alone: samples that MLflow shows while a training runs
HARMLESS_TO = {"train": ("unroll.generation", "unroll.prediction")}


@cache
def deps(stage: str) -> list[str]:
    return yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"][stage]["deps"]


def modules(stage: str) -> set[str]:
    """The modules that a stage depends on, rooms whole."""
    found = set()
    for dep in deps(stage):
        if dep.startswith("src/"):
            path = REPOSITORY / dep
            assert path.exists(), f"dvc.yaml: {stage} depends on {dep}, which does not exist"
            files = path.rglob("*.py") if path.is_dir() else [path]
            names = (file.relative_to(REPOSITORY / "src").with_suffix("").as_posix() for file in files)
            found |= {name.removesuffix("/__init__").replace("/", ".") for name in names}
    return found


def empty(module: str) -> bool:
    """Whether it is a package without code of its own."""
    path = REPOSITORY / "src" / module.replace(".", "/") / "__init__.py"
    return path.is_file() and not path.read_text().strip()


def below(module: str, rooms) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_code_that_it_imports(stage):
    """From every module of its rooms on, since some are imported by the name of a kind."""
    harmless = [name for name in HARMLESS if name != "unroll"] + list(HARMLESS_TO.get(stage, ()))
    graph = grimp.build_graph("unroll", cache_dir=None, exclude_type_checking_imports=True)
    for module in [module for module in graph.modules if below(module, harmless)]:
        graph.remove_module(module)     # with what only it imports
    own = modules(stage)
    imported = own | {found for module in own for found in graph.find_upstream_modules(module)}
    assert f"unroll.stages.{stage}" in own
    assert sorted(name for name in imported - own - {"unroll"} if not empty(name)) == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_depends_on_libraries_extensions_and_the_schema(stage):
    assert {"requirements.lock", "extensions.lock", "src/unroll/config"} <= set(deps(stage))


def test_what_is_harmless_is_a_dep_of_nothing():
    assert not [(stage, name) for stage in STAGES for name in (*HARMLESS, *HARMLESS_TO.get(stage, ()))
                if name in modules(stage)]


# ------------------------------------------------------------------------------------------------------- its digest


# file → the stages that depend on it
FILES = {
    "requirements.lock": set(STAGES),
    "extensions.lock": set(STAGES),
    "src/unroll/base/files.py": set(STAGES),
    "src/unroll/data/store.py": set(STAGES),
    "data/raw/new.txt": {"prepare"},
    "src/unroll/base/environment.py": {"train"},
    "src/unroll/stages/train.py": {"train"},
    "src/unroll/training/new.py": {"train"},
    "src/unroll/generation/rules.py": {"generate"},
    "src/unroll/evaluation/card.py": {"evaluate"},
    "src/unroll/drawing/style.py": {"evaluate", "generate"},
    "src/unroll/drawing/generation.py": {"generate"},
    "src/unroll/drawing/sweeps.py": set(),
    "src/unroll/base/errors.py": set(),
    "src/unroll/tracking/__init__.py": set(),
    "src/unroll/data/__pycache__/store.pyc": set(),
}


@pytest.fixture
def project(tmp_path) -> Workspace:
    for name in ("dvc.yaml", "requirements.lock", "extensions.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return Workspace(tmp_path, tmp_path)


@pytest.mark.parametrize(("file", "changed"), FILES.items())
def test_a_change_of_a_file_changes_the_digest_of_the_stages_that_depend_on_it(project, file, changed):
    before = {stage: digest(project, [stage]) for stage in STAGES}
    with (project.project / file).open("a") as content:
        content.write("# changed\n")
    assert {stage for stage in STAGES if digest(project, [stage]) != before[stage]} == changed


def test_outputs_of_stages_are_left_out(project):
    before = digest(project, STAGES)
    project.prepared.mkdir(parents=True)
    (project.prepared / "spec.json").write_text("{}")
    assert digest(project, STAGES) == before


def test_raw_data_that_was_written_again_is_other_data(project):
    raw = project.project / RAW / "some.txt"
    raw.write_text("one")
    before = digest(project, ["prepare"])
    raw.write_text("two")
    assert digest(project, ["prepare"]) != before


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with refused("missing-file", tmp_path / "dvc.yaml"):
        digest(Workspace(tmp_path, tmp_path), STAGES)
