"""Plain values that files of a kind of data begin with."""

from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from unroll.base.errors import UserError
from unroll.compose import compose
from unroll.config.sources import SOURCES

CONF = REPOSITORY / "conf"
BASED = sorted(kind for kind in SOURCES.names() if SOURCES.settings_of(kind).BASE)
OWN = {
    "events": "path: data/raw/a.csv\nseries: id\ntime: t\nchannel: test\nvalue: value\n"
              "columns: {x: [hdl], label: [died]}\ninputs: {x: real}\ntargets: {label: class}\n",
    "table": "path: data/raw/a.csv\ncolumns: {x: [y]}\ninputs: {x: real}\ntargets: {x: next}\n",
    "folder": "path: data/raw/a\ninputs: {x: real}\ntargets: {label: class}\n",
}


def composed(folder: Path, kind: str, begun: str) -> dict[str, object]:
    """Section data of a file that names nothing but what every file has to."""
    for name in ("config.yaml", "data/base"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text("defaults: [data: mine, model: gru, task: next_value, train: default, pretrained: none, "
                                        "evaluate: default, generate: default, runtime: default, _self_]\n")
    for group in CONF.iterdir():
        if group.is_dir() and group.name not in ("data", ".schema"):
            (folder / group.name).symlink_to(group)
    (folder / "data" / "base").symlink_to(CONF / "data" / "base")
    (folder / "data" / "mine.yaml").write_text(f"{begun}kind: {kind}\n{OWN[kind]}validation: 0.1\ntest: 0.1\nseed: 1\nlicence: none\n")
    task = [] if kind == "table" else ["task=classify"]
    values: dict[str, object] = yaml.safe_load(compose(folder, task)[0])["data"]
    return values


def test_a_kind_has_a_base_where_it_says_so():
    assert BASED == sorted(file.stem for file in (CONF / "data" / "base").iterdir()) == sorted(OWN)


@pytest.mark.parametrize("kind", BASED)
def test_a_file_needs_nothing_of_its_base(tmp_path, kind):
    plain = yaml.safe_load((CONF / "data" / "base" / f"{kind}.yaml").read_text())
    values = composed(tmp_path, kind, f"defaults: [base@_here_: {kind}, _self_]\n")
    assert {name: values[name] for name in plain} == plain and values["kind"] == kind


@pytest.mark.parametrize("kind", BASED)
def test_a_setting_that_is_missing_is_named_with_the_base(tmp_path, kind):
    with pytest.raises(UserError) as caught:
        composed(tmp_path, kind, "")
    assert caught.value.code == "missing-value" and f"conf/data/base/{kind}.yaml" in caught.value.text
