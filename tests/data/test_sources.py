"""Docstrings as a corpus, and the one door to every kind of source."""

import hashlib
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from unroll.config import load
from unroll.config.data import ByteTokenizer, TextData, UrlData
from unroll.data.docs import Docs
from unroll.data.sources import SPLITS, digest, open_source
from unroll.errors import UserError

FILES = 40
SHARED = "Notes\n    -----\n    A paragraph that stands in every file."
COMMON = {"inputs": {"text": "tokens"}, "targets": {"text": "next"}, "validation": 0.1, "test": 0.2, "seed": 1}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A place of installed packages: `chants`, which cannot be imported, and `hymn`, a single module."""
    site = tmp_path_factory.mktemp("site")
    for name in ("chants", "hymn"):
        info = site / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.2\nLicense-Expression: CC0-1.0\n"
        )
    (site / "hymn.py").write_text('"""A module of its own is no package."""\n')
    package = site / "chants"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text('raise RuntimeError("a corpus is not imported")\n')
    for number in range(FILES):
        folder = package / "deep" if number % 2 else package
        (folder / f"chant_{number:02}.py").write_text(
            f'"""Module {number:02}: its own words."""\n\n\n'
            f"class Chant:\n"
            f'    """Class {number:02}.\n\n    {SHARED}\n    """\n\n'
            f"    async def sing(self):\n"
            f'        """Method {number:02}: sings."""\n\n\n'
            f'def sung():\n    return "no docstring {number:02}"\n'
        )
    return site


@pytest.fixture
def chants(site, monkeypatch):
    monkeypatch.syspath_prepend(site)
    return lambda seed=1: Docs("chants", "1.2", 0.1, 0.2, seed)


def texts(docs: Docs) -> dict[str, str]:
    return {split: "".join(docs.pieces(split)) for split in SPLITS}


def paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", text) if each.strip()]


def test_every_docstring_is_there_once_and_nothing_else(chants):
    everything = "".join(texts(chants()).values())
    for number in range(FILES):
        for start in (f"Module {number:02}:", f"Class {number:02}.", f"Method {number:02}:"):
            assert everything.count(start) == 1
    assert "no docstring" not in everything


def test_a_file_is_described_on_one_side_of_the_split(chants):
    split = texts(chants())
    for number in range(FILES):
        own = re.compile(rf"(Module|Class|Method) {number:02}")
        assert sum(own.search(text) is not None for text in split.values()) == 1


def test_the_splits_have_their_shares(chants):
    modules = {name: text.count("Module") / FILES for name, text in texts(chants()).items()}
    assert modules == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=1 / FILES)


def test_a_repeated_paragraph_stands_once_and_in_training(chants):
    split = texts(chants())
    assert {name: text.count("A paragraph that stands in every file.") for name, text in split.items()} == {
        "train": 1, "validation": 0, "test": 0,
    }


def test_reading_a_package_does_not_import_it(chants):
    texts(chants())
    assert "chants" not in sys.modules


def test_the_same_seed_splits_the_same_way_and_another_one_does_not(chants):
    assert texts(chants()) == texts(chants())
    assert texts(chants(1))["test"] != texts(chants(2))["test"]


def test_a_source_can_be_read_again(chants):
    docs = chants()
    assert texts(docs) == texts(docs)


def test_no_paragraph_of_a_real_package_is_both_read_and_tested():
    docs = Docs("pooch", importlib.metadata.version("pooch"), 0.1, 0.2, 1)      # networkx takes seconds
    everything = [each for text in texts(docs).values() for each in paragraphs(text)]
    assert len(everything) == len(set(everything)) > 100


@pytest.mark.parametrize("package", ["chant", "no such", "", "sys", "hymn"])
def test_a_package_that_is_not_there_is_one_line(site, monkeypatch, package):
    monkeypatch.syspath_prepend(site)
    with pytest.raises(UserError) as caught:
        Docs(package, "1.2", 0.1, 0.2, 1)
    assert str(caught.value) == (
        f"data.package: {package!r} is not an installed package. Install it, or choose networkx."
    )


def test_another_version_is_refused_with_both_ways_out(site, monkeypatch):
    monkeypatch.syspath_prepend(site)
    with pytest.raises(UserError) as caught:
        Docs("chants", "1.1", 0.1, 0.2, 1)
    assert str(caught.value) == (
        "data.version: chants 1.2 is installed where 1.1 is asked for; another version is another text. "
        "Install chants==1.1, or set data.version=1.2."
    )


def test_the_committed_configuration_asks_for_the_version_that_is_installed():
    assert load(REPOSITORY / "params.yaml").data.version == importlib.metadata.version("networkx")


def test_docs_say_where_they_come_from(chants, tmp_path):
    config = load(REPOSITORY / "params.yaml").data.model_copy(update={"package": "chants", "version": "1.2"})
    _, origin = open_source(config, tmp_path, mirror=None, progress=False)
    assert (origin.name, origin.licence) == ("docstrings of chants 1.2", "CC0-1.0")


@pytest.mark.parametrize("unit, test", [("stream", "ghij\n"), ("line", None)])
def test_a_text_and_a_download_of_it_are_the_same_source(tmp_path, unit, test):
    raw = "".join(f"{line}\n" for line in ("abcd", "efgh", "ijkl", "mnop", "ghij"))
    file = tmp_path / "data" / "raw" / "a.txt"
    file.parent.mkdir(parents=True)
    file.write_text(raw)
    both = {"unit": unit, "encoding": "utf-8", "licence": "CC0", "tokenizer": ByteTokenizer(kind="byte"), **COMMON}
    own = TextData(kind="text", path="data/raw/a.txt", **both)
    url = UrlData(kind="url", url=file.as_uri(), sha256=hashlib.sha256(raw.encode()).hexdigest(), **both)
    sources = [open_source(config, tmp_path, mirror=None, progress=False) for config in (own, url)]
    (here, ours), (there, theirs) = sources
    assert (ours.name, theirs.name) == ("data/raw/a.txt", file.as_uri())
    assert ours.licence == theirs.licence == "CC0"
    assert ours.sha256 == theirs.sha256
    assert [list(here.pieces(split)) for split in SPLITS] == [list(there.pieces(split)) for split in SPLITS]
    if test:
        assert "".join(here.pieces("test")) == test


def test_the_digest_changes_with_the_text_and_with_its_split():
    class Given:
        def __init__(self, train: str, test: str) -> None:
            self.pieces = {"train": [train], "validation": [], "test": [test]}.get

    assert digest(Given("ab", "c")) == digest(Given("ab", "c"))
    assert len({digest(Given(*each)) for each in (("ab", "c"), ("a", "bc"), ("ab", "d"))}) == 3


def package(site: Path, metadata: str, source: str) -> None:
    (site / "odes-1.dist-info").mkdir()
    (site / "odes-1.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: odes\nVersion: 1\n{metadata}\n")
    (site / "odes").mkdir()
    (site / "odes" / "__init__.py").write_text('"""An ode."""\n')
    (site / "odes" / "other.py").write_text(source)


def test_a_file_that_is_no_python_has_no_docstrings(tmp_path, monkeypatch):
    package(tmp_path, "", 'print "Python 2"\n')
    monkeypatch.syspath_prepend(tmp_path)
    docs = Docs("odes", "1", 0.1, 0.1, 1)
    assert "".join(text for split in ("train", "validation", "test") for text in docs.pieces(split)) == "An ode.\n\n"


def test_an_empty_licence_is_not_stated(tmp_path, monkeypatch):
    package(tmp_path, "License: ", "")
    monkeypatch.syspath_prepend(tmp_path)
    assert Docs("odes", "1", 0.1, 0.1, 1).licence == "not stated"
