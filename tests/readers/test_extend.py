"""docs/extend.md is true of sources and file formats: its files, put where it says, work, and nothing else is edited."""

import shutil
from pathlib import Path

import pandas as pd

from tests.conftest import REPOSITORY
from tests.forks import forked
from tests.models.test_extend import blocks, write

BESIDE = """
import unroll.config.sources, unroll.readers, unroll.sources
for package in (unroll.config.sources, unroll.readers, unroll.sources):
    package.__path__.append({folder!r} + "/src/" + package.__name__.replace(".", "/"))
"""
SOURCE = """
from unroll.testing import check_source
from pathlib import Path
import yaml
check_source("walk", walks=20, steps=9, inputs={"x": "real"}, targets={"tag": "tag"}, scale="standard",
             validation=0.1, test=0.2, seed=1)
check_source(**yaml.safe_load(Path(sys.argv[1]).read_text()))
"""
INIT = """
from unroll.commands.cli import main
from unroll.compose import compose
from unroll.sources import Access, open_source
from unroll.testing import check_source
from pathlib import Path
main(["init", "mine", "--from", sys.argv[1]])
data = compose(Path("conf"), ["experiment=mine"])[1].data
check_source(**data.model_dump())
from unroll.data.fitting import fit_codecs
from unroll.data.store import open_prepared
from unroll.data.writer import write_prepared
from unroll.prediction.inputs import read
source, origin = open_source(data, Access(Path()))
write_prepared(Path("prepared"), data, source, origin, fit_codecs(data, source))
inputs = read(Path(sys.argv[1]), open_prepared(Path("prepared")).spec)
print(inputs.names, [len(sequence) for sequence in inputs.sequences])
"""


def run(folder: Path, code: str, argument: Path, cwd: Path, beside: str = BESIDE) -> str:
    code = "import sys\n" + beside.format(folder=str(folder)) + code
    returned, output = forked(code, argument, cwd=cwd, path=[REPOSITORY / "src", folder])
    assert returned == 0, output
    return output


def test_a_source_as_files_of_ours(tmp_path: Path) -> None:
    write(tmp_path, blocks())
    assert run(tmp_path, SOURCE, tmp_path / "conf/data/walk.yaml", tmp_path) == ""


def test_a_source_as_a_package(tmp_path: Path) -> None:
    files = blocks()
    settings = files.pop("src/unroll/config/sources/walk.py")
    write(tmp_path, {
        "conf/data/walk.yaml": files["conf/data/walk.yaml"],
        "unroll_walk/__init__.py": settings.replace(
            "    kind: Literal", '    implementation: ClassVar[str] = "unroll_walk.source"\n\n    kind: Literal'),
        "unroll_walk/source.py": files["src/unroll/sources/walk.py"].replace("unroll.config.sources.walk", "unroll_walk"),
        "unroll_walk-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: unroll-walk\nVersion: 1.0\n",
        "unroll_walk-1.0.dist-info/entry_points.txt": "[unroll.sources]\nwalk = unroll_walk\n",
    })
    assert run(tmp_path, SOURCE, tmp_path / "conf/data/walk.yaml", tmp_path, beside="") == ""


def test_a_format_of_tables_is_read_by_sources_init_and_predict(tmp_path: Path) -> None:
    write(tmp_path / "new", blocks())
    project = tmp_path / "project"
    (project / "data" / "raw").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "conf", project / "conf")
    table = pd.DataFrame({"month": pd.date_range("2010-01-01", periods=96, freq="MS").strftime("%Y-%m-%d"),
                          "sold": [10.0 + month % 12 for month in range(96)]})
    table.to_orc(tmp_path / "sales.orc")
    output = run(tmp_path / "new", INIT, tmp_path / "sales.orc", project)
    assert "task       forecast 'sold' from its own past" in output
    assert output.splitlines()[-1] == "['1'] [96]"
