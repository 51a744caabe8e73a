"""Code of other packages: what is locked of it, and what a stage refuses to run."""

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, TINY, refused
from tests.toys import CORE, install, install_cell, write
from unroll.base.errors import UserError
from unroll.base.extensions import Extension, kept, read_lock, write_lock
from unroll.commands.compose import freeze
from unroll.commands.extensions import lock_installed
from unroll.compose import compose
from unroll.config.cells import CELLS
from unroll.config.load import extensions_of, load


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python imports from, in which nothing has been imported from another test's folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    forget()
    yield folder
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith(("toy_", "unused_"))]:
        del sys.modules[name]


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A params.yaml that names the cell of another package."""
    values = yaml.safe_load(compose(REPOSITORY / "conf", TINY)[0])
    values["model"]["core"] = CORE
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def named(params: Path) -> list[Extension]:
    return sorted(extensions_of(params.read_text()))


@pytest.mark.parametrize("record", [True, False], ids=["installed", "editable"])
def test_what_params_name_is_locked_and_then_runs(site, params, record):
    install_cell(site, record=record)
    (found,) = named(params)
    assert (found.group, found.name, found.distribution, found.version) == ("unroll.cells", "averaging", "toy-cell", "1.0")
    lock = params.with_name("extensions.lock")
    with refused("extension", f"{params}: model.core", "unroll.cells:averaging: toy-cell 1.0", "is not in", "`unroll compose`"):
        load(params, lock)
    write_lock(lock, [found])
    assert read_lock(lock) == [found] and load(params, lock).model.core.kind == "averaging"


def test_editable_and_installed_code_have_one_digest_and_byte_code_is_not_in_it(site, params):
    install_cell(site)
    before = named(params)      # which imports the settings, so that Python writes byte code
    write(site, {"toy_cell/__pycache__/cell.cpython-311.pyc": "x"})
    (site / "toy_cell-1.0.dist-info" / "RECORD").unlink()
    assert named(params) == before


@pytest.mark.parametrize(("change", "words"), [
    (lambda site: write(site, {"toy_cell/cell.py": "# edited"}), ["toy-cell 1.0", "is installed", "`unroll extensions`"]),
    (lambda site: (shutil.rmtree(site / "toy_cell-1.0.dist-info"), install_cell(site, "1.1")), ["toy-cell 1.1", "has toy-cell 1.0"]),
    (lambda site: shutil.rmtree(site / "toy_cell-1.0.dist-info"), ["not installed", "has toy-cell 1.0"]),
    (lambda site: shutil.rmtree(site / "toy_cell"), ["its module toy_cell cannot be found"]),
], ids=["edited", "upgraded", "removed", "broken"])
def test_other_code_than_the_lock_says_is_refused_before_it_is_imported(site, params, change, words, monkeypatch):
    install_cell(site)
    lock = params.with_name("extensions.lock")
    write_lock(lock, named(params))
    change(site)
    for name in ("toy_cell", "toy_cell.cell"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with refused("extension", f"{params}: model.core", *words):
        load(params, lock)
    assert "toy_cell" not in sys.modules


@pytest.mark.parametrize(("edit", "reason"), [
    ({"toy_cell/__init__.py": "Setting = 1"}, "no class Settings"),
    ({"toy_cell/__init__.py": "import toy_nothing"}, "ModuleNotFoundError: No module named 'toy_nothing'"),
    ({"toy_cell/cell.py": "import toy_nothing"}, "ModuleNotFoundError: No module named 'toy_nothing'"),
    ({"toy_cell/cell.py": "Cel = 1"}, "no Cell in toy_cell.cell"),
], ids=["no settings", "settings", "code", "no class"])
def test_an_extension_that_cannot_be_imported_is_named(site, params, edit, reason, monkeypatch):
    install_cell(site)
    write(site, edit)
    for name in ("toy_cell", "toy_cell.cell"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(UserError) as caught:
        load(params)
        CELLS.code_of("averaging", "Cell")
    assert caught.value.code == "extension"
    assert f"unroll.cells:averaging: cannot be imported from toy_cell ({reason}" in str(caught.value)


def test_nothing_that_params_do_not_name_is_imported_or_locked(site, params):
    install_cell(site)
    install(site, "unused", {"unused_cell.py": "raise RuntimeError('imported')"}, {
        "unroll.cells": "unused = unused_cell", "unroll.heads": "averaging = unused_cell"})
    assert [extension.distribution for extension in named(params)] == ["toy-cell"]
    assert "unused_cell" not in sys.modules


def test_compose_adds_what_is_new_keeps_what_is_locked_and_drops_the_rest(site, params, tmp_path, capsys):
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "model" / "averaging.yaml").write_text(yaml.safe_dump({"core": CORE}))
    lock = tmp_path / "extensions.lock"
    install_cell(site)
    freeze(tmp_path, [*TINY, "model=averaging"], check=False)
    assert "unroll.cells:averaging: (none) → toy-cell 1.0 (" in capsys.readouterr().out
    locked, code = read_lock(lock), (site / "toy_cell" / "cell.py").read_text()
    write(site, {"toy_cell/cell.py": f"{code}# edited"})
    freeze(tmp_path, [*TINY, "model=averaging"], check=False)
    freeze(tmp_path, [*TINY, "model=averaging"], check=True)
    assert read_lock(lock) == locked
    lock_installed(tmp_path)
    assert "unroll.cells:averaging: toy-cell 1.0 (" in capsys.readouterr().out
    (now,) = read_lock(lock)
    assert now.version == "1.0" and now.sha256 != locked[0].sha256
    lock.write_text("[]\n")
    with refused("stale", lock):
        freeze(tmp_path, [*TINY, "model=averaging"], check=True)
    freeze(tmp_path, TINY, check=False)
    assert read_lock(lock) == []
    freeze(tmp_path, TINY, check=True)


def test_a_lock_that_is_none_is_refused_and_a_missing_one_is_empty(tmp_path):
    assert read_lock(tmp_path / "none.lock") == []
    for text in ("- group: unroll.cells", "{a: 1", "- 3"):
        (tmp_path / "extensions.lock").write_text(text)
        with refused("damaged", tmp_path / "extensions.lock"):
            read_lock(tmp_path / "extensions.lock")


def test_a_locked_version_stays_and_what_is_not_named_goes():
    old, new, other = (Extension("unroll.cells", name, "toy", version, "0" * 64)
                       for name, version in (("a", "1"), ("a", "2"), ("b", "1")))
    assert kept([new], [old, other]) == [old] and kept([new, other], []) == [new, other]


def test_the_committed_lock_is_what_the_committed_params_name():
    assert read_lock(REPOSITORY / "extensions.lock") == named(REPOSITORY / "params.yaml")


@pytest.mark.parametrize(("edit", "words"), [
    (lambda code: code.replace("return h, (h,)", "return h + torch.rand_like(h), (h,)"), ["does not keep the contract"]),
    (lambda code: code.replace("return h, (h,)", "return h"), ["does not keep the contract"]),
    (lambda code: code.replace("class Cell(", "class Other("), ["does not keep the contract", "Cell"]),
], ids=["random", "no state", "no cell"])
def test_what_does_not_keep_its_contract_is_not_locked(site, params, edit, words):
    install_cell(site)
    path = site / "toy_cell" / "cell.py"
    broken = edit(path.read_text())
    assert broken != path.read_text()
    path.write_text(broken)
    with refused("extension", "unroll.cells:averaging", *words):
        lock_installed(params.parent)
    assert not params.with_name("extensions.lock").exists()


def test_what_keeps_its_contract_is_locked_by_the_verb(site, params):
    install_cell(site)
    lock_installed(params.parent)
    assert read_lock(params.with_name("extensions.lock")) == named(params)
