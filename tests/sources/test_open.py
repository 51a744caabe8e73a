"""Docstrings as a corpus, and the one door to every kind of source."""

import hashlib
import importlib.metadata
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from unroll.base.errors import UserError
from unroll.config.data import ForecastConfig
from unroll.config.load import load
from unroll.config.sources.text import Settings as TextData
from unroll.config.sources.url import Settings as UrlData
from unroll.config.tokenizers import byte
from unroll.data.source import SPLITS, Place
from unroll.sources import Access, digest, open_source
from unroll.sources.common.memory import Items, OneStream
from unroll.sources.common.series import Series
from unroll.sources.docs import Docs

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
    _, origin = open_source(config, Access(tmp_path))
    assert (origin.name, origin.licence) == ("docstrings of chants 1.2", "CC0-1.0")


@pytest.mark.parametrize("unit, test", [("stream", "ghij\n"), ("line", None)])
def test_a_text_and_a_download_of_it_are_the_same_source(tmp_path, unit, test):
    raw = "".join(f"{line}\n" for line in ("abcd", "efgh", "ijkl", "mnop", "ghij"))
    file = tmp_path / "data" / "raw" / "a.txt"
    file.parent.mkdir(parents=True)
    file.write_text(raw)
    both = {"unit": unit, "encoding": "utf-8", "licence": "CC0", "tokenizer": byte.Settings(kind="byte"), **COMMON}
    own = TextData(kind="text", path="data/raw/a.txt", **both)
    url = UrlData(kind="url", url=file.as_uri(), sha256=hashlib.sha256(raw.encode()).hexdigest(), **both)
    sources = [open_source(config, Access(tmp_path)) for config in (own, url)]
    (here, ours), (there, theirs) = sources
    assert (ours.name, theirs.name) == ("data/raw/a.txt", file.as_uri())
    assert ours.licence == theirs.licence == "CC0"
    assert ours.sha256 == theirs.sha256
    assert here.layout == there.layout == ("stream" if unit == "stream" else "items")
    assert [list(here.pieces(split)) for split in SPLITS] == [list(there.pieces(split)) for split in SPLITS]
    if test:
        assert list(here.pieces("test")) == [{"text": test}]


class Given:
    """A source of as many splits as are given; the others are empty."""

    layout = "items"

    def __init__(self, *splits) -> None:
        self._splits = dict(zip(SPLITS, [*splits, *[[]] * 3], strict=False))

    def pieces(self, split):
        return iter(self._splits[split])


def of(*values) -> str:
    """The digest of training sequences that have one field."""
    return digest(Given([{"x": each} for each in values]))


def test_the_digest_changes_with_the_text_and_with_its_split():
    def texts(train: str, test: str) -> str:
        return digest(Given([{"text": train}], [], [{"text": test}]))

    assert texts("ab", "c") == texts("ab", "c")
    assert len({texts(*each) for each in (("ab", "c"), ("a", "bc"), ("ab", "d"))}) == 3


def test_the_digest_changes_when_a_sequence_changes_its_split():
    one, other = {"text": "one"}, {"text": "other"}
    assert digest(Given([one], [other], [one])) != digest(Given([one], [], [other, one]))


def test_the_digest_changes_with_every_number_and_with_the_shape():
    x = np.arange(6.0)
    different = (x, x + 1e-12, x.reshape(2, 3), x.reshape(3, 2), x[:5], x[::-1])
    assert len({of(each) for each in different}) == len(different)
    assert of(x.reshape(2, 3)) == of(np.asfortranarray(x.reshape(2, 3))) == of(np.stack([x, x])[0].reshape(2, 3))
    assert len({of(x[:3], x[3:]), of(x[:2], x[2:]), of(x)}) == 3


def test_the_digest_of_tags_does_not_depend_on_how_they_are_held():
    tags = ["a", "bb", "a"]
    assert of(np.array(tags)) == of(np.array(tags, "U40")) == of(np.array(tags, object))
    assert of(np.array(tags)) != of(np.array(["a", "b", "ba"]))


# ---------------------------------------------------------------------------------------------- sequences in memory


def test_items_are_those_of_their_split_in_order():
    pieces = [{"x": number} for number in range(5)]
    source = Items(pieces, {"train": [0, 3], "validation": [4], "test": [2, 1]})
    assert source.layout == "items"
    assert [[each["x"] for each in source.pieces(split)] for split in SPLITS] == [[0, 3], [4], [2, 1]]
    assert [each["x"] for each in source.pieces("train")] == [0, 3]         # and again
    assert source.places("test") == () and not source.columns
    named = Items(pieces, {"train": [0, 3], "validation": [4], "test": [2, 1]}, list("abcde"))
    assert named.places("test") == [Place("c", 0), Place("b", 0)]


def test_one_stream_is_cut_at_the_same_steps_in_every_field():
    fields = {"x": np.arange(20).reshape(10, 2), "tag": np.array(list("abcdefghij"))}
    source = OneStream(fields, {"train": (0, 6), "validation": (6, 7), "test": (7, 10)})
    (train,), (validation,), (test,) = (list(source.pieces(split)) for split in SPLITS)
    assert train["tag"].tolist() == list("abcdef") and test["x"].tolist() == [[14, 15], [16, 17], [18, 19]]
    assert validation["x"].tolist() == [[12, 13]] and validation["tag"].tolist() == ["g"]
    assert source.places("test") == [Place("1", 7)]


FORECAST = ForecastConfig(horizon=3, context=4, season=2, log=False, start="season", window="none", stride=1, eval_stride=1, eval_windows=None)


def test_a_later_split_of_a_series_begins_with_what_its_first_window_reads():
    series = [np.arange(40.0)[:, None], 100 + np.arange(80.0)[:, None]]
    source = Series("x", series, ["a", "b"], FORECAST, 0.25, 0.25)
    assert source.layout == "windows"
    bounds = {split: [(piece["x"][0, 0], piece["x"][-1, 0]) for piece in source.pieces(split)] for split in SPLITS}
    assert bounds == {
        "train": [(0, 19), (100, 139)],
        "validation": [(20 - 6, 29), (140 - 6, 159)],
        "test": [(30 - 6, 39), (160 - 6, 179)],
    }
    assert source.places("train") == [Place("a", 0), Place("b", 0)] and source.places("test") == [Place("a", 24), Place("b", 54)]


@pytest.mark.parametrize(("length", "split", "has", "needs"), [(16, "train", 8, 9), (8, "train", 4, 9)])
def test_a_series_too_short_for_a_window_is_named(length, split, has, needs):
    with pytest.raises(UserError, match=rf"^data\.forecast: the {split} split of the series has {has} of {length} steps "
                                        rf"where a forecast of 3 needs {needs}\. Give a longer series"):
        Series("x", [np.zeros((length, 1))], ["short"], FORECAST, 0.25, 0.25)


def test_a_later_split_too_short_for_the_horizon_is_named():
    with pytest.raises(UserError, match=r"^data\.forecast: the validation split of the series has 2 of 40 steps where .* needs 3\."):
        Series("x", [np.zeros((40, 1))], ["a"], FORECAST, 0.05, 0.25)


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
