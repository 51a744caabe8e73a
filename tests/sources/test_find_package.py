"""A package by the name of what is installed or of what is imported: scikit-learn and sklearn are one."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.sources.common.packages import find_package

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("Songs-of-old", "songs/__init__.py", …)`: an installed distribution with these files, version 2.0."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, *files: str) -> None:
        info = tmp_path / f"{name.replace('-', '_')}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 2.0\nLicense: MIT\n")
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text('raise RuntimeError("a corpus is not imported")\n')
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, f"{info.name}/METADATA"]))

    return make


@pytest.mark.parametrize(("name", "module"), [("scikit-learn", "sklearn"), ("Scikit_Learn", "sklearn"),
                                              ("sklearn", "sklearn"), ("Pillow", "PIL"), ("pillow", "PIL"),
                                              ("networkx", "networkx")])
def test_real_packages_are_found_by_either_name(name: str, module: str) -> None:
    distribution = {"sklearn": "scikit-learn", "PIL": "pillow"}.get(module, module)
    found = find_package(name, version(distribution))
    assert found.name == module and found.folder.name == module and (found.folder / "__init__.py").is_file()
    assert found.distribution.lower() == distribution


def test_a_distribution_s_package_is_its_topmost_folder(install: Install) -> None:
    install("Songs-of-old", "songs/__init__.py", "songs/deep/__init__.py", "_songs/__init__.py", "tests/__init__.py",
            "songs.py", "data/a.txt")
    for name in ("songs-of-old", "Songs-of-old", "songs"):
        found = find_package(name, "2.0")
        assert (found.name, found.distribution, found.licence) == ("songs", "Songs-of-old", "MIT")


def test_a_package_within_a_namespace_has_a_dotted_name(install: Install, tmp_path: Path) -> None:
    install("choir-alto", "choir/alto/__init__.py", "choir/alto/low/__init__.py")
    found = find_package("choir.alto", "2.0")
    assert (found.name, found.folder) == ("choir.alto", tmp_path / "choir" / "alto")


def test_of_several_packages_the_one_of_that_name_is_meant(install: Install) -> None:
    install("odes", "odes/__init__.py", "helpers/__init__.py")
    assert find_package("odes", "2.0").name == "odes"
    assert find_package("helpers", "2.0").name == "helpers"


def test_several_packages_of_other_names_are_listed(install: Install) -> None:
    install("collected-works", "odes/__init__.py", "hymns/__init__.py")
    assert refusal(lambda: find_package("collected-works", "2.0")) == ("ambiguous", "data.package")
    with pytest.raises(UserError, match=r"installs several packages: hymns, odes\. Name one of them\."):
        find_package("collected-works", "2.0")
    assert find_package("hymns", "2.0").distribution == "collected-works"


def test_a_distribution_without_a_package_is_none(install: Install) -> None:
    install("single", "single.py")
    assert refusal(lambda: find_package("single", "2.0")) == ("not-installed", "data.package")


def test_the_version_is_the_distribution_s(install: Install) -> None:
    install("Songs-of-old", "songs/__init__.py")
    assert refusal(lambda: find_package("songs", "1.0")) == ("wrong-version", "data.version")
