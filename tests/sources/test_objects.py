"""Documented objects of packages: what is read of each, what is hidden, which labels are known, how they are split."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.sources.test_packages import docstring, installed, open_packages
from unroll.base.errors import UserError
from unroll.config.data import FUTURE
from unroll.config.sources.objects import Settings
from unroll.config.tokenizers import char
from unroll.data.source import SPLITS, UNKNOWN, Piece, Source
from unroll.sources import digest
from unroll.sources.common.labels import draw_labelled
from unroll.sources.common.names import Names
from unroll.sources.common.objects import documented
from unroll.sources.common.packages import find_package
from unroll.sources.common.splits import deal
from unroll.testing import check_source

INPUTS, TARGETS = dict(Settings.INPUTS), {"package": "class", "kind": "class", "parameters": "value"}
LABELS = [name for name, kind in Settings.TARGETS.items() if kind not in FUTURE]


def renamed(site: Path, distribution: str, package: str, *others: str) -> None:
    """A package that is installed under another name, and what else is installed with it."""
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {distribution}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in (f"{package}/__init__.py", *others)))
    for file in (f"{package}/__init__.py", *others):     # some readers of metadata leave missing files out
        (site / file).parent.mkdir(exist_ok=True, parents=True)
        (site / file).touch()


def values(**changes: Any) -> dict[str, Any]:
    return {"kind": "objects", "packages": {"odes": "1.0", "hymns": "1.0"}, "longest": 60, "least": 10,
            "tokenizer": char.Settings(kind="char", min_count=1), "inputs": INPUTS, "targets": TARGETS,
            "scale": "standard", "labelled": 1.0, "unlabelled": [], "validation": 0.1, "test": 0.2, "seed": 1, **changes}


def objects(**changes: Any) -> Source:
    return open_packages(Settings(**values(**changes)))[0]


def by_place(source: Source, split: str = "") -> dict[str, Piece]:
    return {place.name: piece for each in ([split] if split else SPLITS)
            for place, piece in zip(source.places(each), source.pieces(each), strict=True)}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def collections(site: Path) -> None:
    """Forty functions and forty classes, twenty of each in each package."""
    for package, tone, licence in (("odes", "glad", "MIT"), ("hymns", "grave", "CC0-1.0")):
        functions = "".join(docstring(f"A {tone} function, {number} of {package}.", f"f{number}") for number in range(20))
        classes = "".join(f'class C{number}:\n    """A {tone} class, {number} of {package}."""\n' for number in range(20))
        installed(site, package, {"__init__.py": functions, "deep/more.py": classes}, licence)


# ------------------------------------------------------------------------------------------------- what is read of each

SOURCE = '''"""The module."""
import abc

if abc:
    class A(abc.ABC):
        """With an initialiser."""

        def __init__(self, a, /, b=1, *, c, d=None):
            for x in a:
                if x:
                    b += 1
                elif b:
                    b += 2
                elif c:
                    b += 3

        @staticmethod
        def static(a, b):
            """Bound to nothing."""

        @classmethod
        async def made(cls, a=1, *rest, **more):
            """Bound to the class."""
            def inner(x, y, z):
                """Within a method."""

        @property
        def value(self):
            """Nobody's own."""

        def loose(*all):
            """The object is in it."""

class B(A):
    """Inherits its initialiser."""

def undocumented():
    class Hidden:
        """Within a function."""

@abc.wraps
def decorated(a, b, c=3):
    """Under a decorator."""
    try:
        pass
    except ValueError:
        while a:
            with b:
                match c:
                    case 1:
                        pass
# the end
'''


def test_each_documented_object_has_its_kind_and_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "songs.py").write_text(SOURCE)
    found = {each.docstring: (each.line, each.kind, each.name, each.lines, each.nesting, each.parameters, each.defaults)
             for each in documented(tmp_path / "songs.py")}
    assert found == {
        "The module.": (1, "module", "songs", 51, 4, None, 0),
        "With an initialiser.": (5, "class", "A", 28, 2, 4, 2),
        "Bound to nothing.": (18, "method", "static", 2, 0, 2, 0),
        "Bound to the class.": (22, "method", "made", 4, 0, 3, 1),
        "Within a method.": (24, "function", "inner", 2, 0, 3, 0),
        "Nobody's own.": (28, "method", "value", 2, 0, 0, 0),
        "The object is in it.": (31, "method", "loose", 2, 0, 1, 0),
        "Inherits its initialiser.": (34, "class", "B", 2, 0, None, 0),
        "Within a function.": (38, "class", "Hidden", 2, 0, None, 0),
        "Under a decorator.": (42, "function", "decorated", 10, 4, 3, 1),
    }


def test_many_elifs_are_one_block(tmp_path: Path) -> None:
    branches = "".join(f"elif x == {number}:\n    y = 1\n" for number in range(2000))
    (tmp_path / "long.py").write_text(f'"""Long."""\nif x:\n    y = 2\n{branches}else:\n    if y:\n        x = 1\n')
    (module,) = documented(tmp_path / "long.py")
    assert module.nesting == 2


@pytest.mark.parametrize("content", ["def (:\n", "", "x = 1\n", "x = '\0'\n"])
def test_a_file_that_has_no_documented_objects_gives_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "file.py").write_text(content)
    assert [*documented(tmp_path / "file.py")] == []


def test_an_item_is_a_documented_object(site: Path) -> None:
    installed(site, "odes", {"__init__.py": '"""All of the songs."""\n', "songs.py": SOURCE})
    installed(site, "hymns", {"__init__.py": docstring("Half of a pair: \\ud83d.", "f")})
    source = objects(least=1)
    found = by_place(source)
    assert set(found["odes/songs.py:42"]) == {*INPUTS, *TARGETS}
    assert {name: piece["text"] for name, piece in found.items()}["odes/__init__.py"] == "All of the songs."
    assert found["hymns/__init__.py:1"]["text"] == "Half of a pair: ?."
    assert len(found) == 12
    decorated = found["odes/songs.py:42"]
    assert decorated["numbers"].tolist() == [10, 4, len("decorated"), 1] and decorated["numbers"].dtype == np.float64
    assert (decorated["package"], decorated["kind"], decorated["parameters"].tolist()) == ("odes", "function", [3])
    assert np.isnan(found["odes/songs.py"]["parameters"]).all() and decorated["parameters"].dtype == np.float64
    assert {**source.columns} == {"numbers": ("lines", "nesting", "name_length", "defaults"), "parameters": ("parameters",)}


@pytest.mark.parametrize(("inputs", "targets"), [
    ({"text": "tokens"}, {"package": "class"}), ({"text": "tokens"}, {"text": "next"}),
    (INPUTS, {"text": "next", "parameters": "value"}),
])
def test_fewer_fields_are_the_same_items_in_the_same_splits(collections: None, inputs: Any, targets: Any) -> None:
    whole, part = objects(), objects(inputs=inputs, targets=targets)
    for split in SPLITS:
        assert part.places(split) == whole.places(split)
        assert all(set(piece) == {*inputs, *targets} for piece in part.pieces(split))
    assert set(part.columns) <= {*inputs, *targets}


# ------------------------------------------------------------------------------------------------------ what is hidden

def test_names_of_packages_are_taken_out(site: Path) -> None:
    installed(site, "sonnets", {"__init__.py": ""})
    installed(site, "art", {"__init__.py": ""})
    renamed(site, "re-hymn", "rehymn_lib", "hymnlab.py", "tests/a.py")
    packages = [find_package(name, "1.0") for name in ("sonnets", "re-hymn", "art")]
    names = Names(packages, [">>> import sonnets as so, art.deep as deep\n>>> so.x", "we import art as a rule\n",
                             "    import rehymn_lib as rl  # first\n", "import other as oo"])
    for text, hidden in {
        "sonnets": "_", "SonnetsError in SONNETS_HOME, mysonnets": "_Error in __HOME, my_",
        "so.x, so, soon, also": "_.x, _, soon, also", "oo.x": "oo.x", "deep": "deep", "as a rule": "as a rule",
        "Re-Hymn, re_hymn and ReHymn": "_, _ and _", "rehymn_lib, rl.x, hymnlab": "_, _.x, _", "tests": "tests",
        "Art, the art.x of a party and start, art_x": "_, the _.x of a party and start, __x",
    }.items():
        assert names.remove(text) == hidden


def test_no_name_of_any_package_is_in_any_text(site: Path) -> None:
    texts = ["As Odes and HYMNS, import odes as it.", "Long, long, long, long: odes.", ">>> import hymns as hy\n\n    hy.x"]
    for package in ("odes", "hymns"):
        installed(site, package, {"__init__.py": "".join(docstring(text, f"f{at}") for at, text in enumerate(texts))})
    found = {piece["text"] for piece in by_place(objects(longest=25, least=5)).values()}
    assert found == {"As _ and _, import _ as i", "Long, long, long, long: _", ">>> import _ as _ _.x"}


def test_where_a_definition_stands_is_not_among_its_numbers(site: Path) -> None:
    body = '"""Stands somewhere."""\n{0}for x in y:\n{0}    pass\n'
    installed(site, "odes", {"__init__.py": (f"def song(x):\n    {body.format('    ')}"
                                             f"class Ode:\n    def song(self, x):\n        {body.format('        ')}")})
    installed(site, "hymns", {"__init__.py": '"""Stands somewhere else."""\n'})
    function, method = (piece for piece in by_place(objects(longest=17)).values() if piece["kind"] in ("function", "method"))
    assert function["kind"] != method["kind"] and function["numbers"].tolist() == method["numbers"].tolist()
    assert function["parameters"] == method["parameters"] == 1


# ------------------------------------------------------------------------------------------------ which labels are known

def known(source: Source, split: str = "train") -> dict[str, set[str]]:
    """The places at which each target is known."""
    return {name: {place for place, piece in by_place(source, split).items()
                   if (piece[name] != UNKNOWN if isinstance(piece[name], str) else np.isfinite(piece[name]).all())}
            for name in LABELS}


def test_a_share_of_the_training_items_has_the_targets_that_are_named(collections: None) -> None:
    whole, part = objects(), objects(labelled=0.25, unlabelled=["package", "parameters"])
    some, everything = known(part), known(whole)
    assert some["kind"] == everything["kind"] == set(by_place(whole, "train"))
    assert len(everything["package"]) == 56 and len(some["package"]) == 14
    assert some["parameters"] == everything["parameters"] & some["package"] != set()
    labels = [by_place(part, "train")[place]["package"] for place in some["package"]]
    assert set(Counter(labels).values()) <= {6, 7, 8}       # of functions and of classes within one of its share
    for split in ("validation", "test"):
        assert known(part, split) == known(whole, split)
    assert [piece["text"] for piece in part.pieces("train")] == [piece["text"] for piece in whole.pieces("train")]


def test_fewer_labels_are_some_of_more(collections: None) -> None:
    shares = [0.001, 0.1, 0.3, 0.7, 1.0]
    sets = [known(objects(labelled=share, unlabelled=["package", "kind"]))["package"] for share in shares]
    assert [len(each) for each in sets] == [4, 6, 17, 39, 56]       # of each package and kind, one at least
    assert all(fewer < more for fewer, more in pairwise(sets))
    assert sets[1] == known(objects(labelled=0.1, unlabelled=["package", "kind"]))["kind"]
    assert sets[1] != known(objects(labelled=0.1, unlabelled=["package", "kind"], seed=2))["package"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.floats(0.001, 1), st.floats(0.001, 1),
       st.integers(0, 2**62))
def test_every_stratum_is_labelled_and_more_labels_are_further_ones(strata: list[str], one: float, other: float, seed: int) -> None:
    shares = sorted((one, other))
    fewer, more = (draw_labelled(strata, share, seed) for share in shares)
    assert (more | ~fewer).all()
    assert [fewer.sum(), more.sum()] == [max(len(set(strata)), round(len(strata) * share)) for share in shares]
    assert {name for name, labelled in zip(strata, fewer, strict=True) if labelled} == set(strata)


def test_strata_are_labelled_in_equal_shares() -> None:
    strata = ["a"] * 100 + ["b"] * 300 + ["c"] * 11
    labelled = draw_labelled(strata, 0.3, 1)
    assert Counter(name for name, known in zip(strata, labelled, strict=True) if known) == {"a": 30, "b": 90, "c": 3}


# ----------------------------------------------------------------------------------------------------------- its splits

def test_each_package_is_in_each_split_in_its_share(collections: None) -> None:
    counts = {split: Counter(piece["package"] for piece in objects().pieces(split)) for split in SPLITS}
    assert counts == {"train": {"odes": 28, "hymns": 28}, "validation": {"odes": 4, "hymns": 4},
                      "test": {"odes": 8, "hymns": 8}}


def test_equal_texts_share_a_split(site: Path) -> None:
    for package in ("odes", "hymns"):
        functions = [docstring(f"One of {number % 20} in all.", f"f{number}") for number in range(60)]
        installed(site, package, {"__init__.py": "".join(functions)})
    texts = {split: {piece["text"] for piece in objects().pieces(split)} for split in SPLITS}
    assert len(by_place(objects())) == 120 and len(set.union(*texts.values())) == sum(map(len, texts.values())) == 20


def test_settings_decide_the_content(collections: None) -> None:
    first, again, other = (digest(objects(labelled=0.5, unlabelled=["kind"], seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert digest(objects(packages={"hymns": "1.0", "odes": "1.0"})) == digest(objects())


def test_objects_say_where_they_come_from(collections: None) -> None:
    _, origin = open_packages(Settings(**values()))
    assert (origin.name, origin.licence) == ("documented objects of hymns 1.0, odes 1.0", "CC0-1.0; MIT")


CHECKED = values(tokenizer={"kind": "char", "min_count": 1}, targets=dict(Settings.TARGETS))


def test_objects_keep_the_contract_of_a_source(collections: None) -> None:
    check_source(**{**CHECKED, "labelled": 0.5, "unlabelled": LABELS})


@pytest.mark.parametrize(("part", "broken", "message"), [
    ("hold_out", lambda pieces, *_: deal(len(pieces), None, 0.1, 0.2, 1), "split, too"),
    ("_numbers", lambda each: np.ones(3 + each.line % 4 // 2), "numbers where others have"),
    ("_numbers", lambda each: np.ones((1, 4)), r"float64 \(1, 4\), not \(F,\)"),
    ("_numbers", lambda each: np.full(4, np.nan), "not finite"),
    ("_parameters", lambda each: np.array([np.inf]), "infinite"),
])
def test_objects_that_break_the_contract_are_found(collections: None, site: Path, monkeypatch: pytest.MonkeyPatch,
                                                   part: str, broken: Any, message: str) -> None:
    for package in ("odes", "hymns"):       # the same texts in both
        (site / package / "__init__.py").write_text("".join(docstring(f"The text {at}.", f"f{at}") for at in range(9)))
    monkeypatch.setattr(f"unroll.sources.objects.{part}", broken)
    with pytest.raises(AssertionError, match=message):
        check_source(**CHECKED)


# ------------------------------------------------------------------------------------------------------------- mistakes

@pytest.mark.parametrize(("packages", "code", "where"), [
    ({"odes": "1.0", "psalms": "1.0"}, "not-installed", "data.packages.psalms"),
    ({"odes": "1.0", "hymns": "1.1"}, "wrong-version", "data.packages.hymns"),
    ({"odes": "1.0", "collected-odes": "1.0"}, "conflict", "data.packages.odes"),
    ({"odes": "1.0", "silence": "1.0"}, "empty", "data.packages.silence"),
])
def test_a_package_that_cannot_be_read_is_one_line(collections: None, site: Path, packages: Any, code: str,
                                                   where: str) -> None:
    installed(site, "silence", {"__init__.py": '"""Short."""\n'})
    renamed(site, "collected-odes", "odes")
    with pytest.raises(UserError) as error:
        objects(packages=packages)
    assert (error.value.code, error.value.where) == (code, where)


@pytest.mark.parametrize(("changes", "named"), [
    ({"inputs": {"text": "real"}}, "inputs.text"), ({"inputs": {**INPUTS, "more": "tokens"}}, "inputs.more"),
    ({"inputs": {"numbers": "static_real"}}, "inputs: "), ({"inputs": {}}, "inputs: "),
    ({"targets": {"package": "value"}}, "targets.package"), ({"targets": {"licence": "class"}}, "targets.licence"),
    ({"labelled": 0.5}, "labelled: no effect"), ({"labelled": 0.0}, "labelled"), ({"labelled": 1.5}, "labelled"),
    ({"labelled": 0.5, "unlabelled": ["text"], "targets": {**TARGETS, "text": "next"}}, "unlabelled: text"),
    ({"targets": {"package": "class"}, "labelled": 0.5, "unlabelled": ["kind"]}, "unlabelled: kind"),
    ({"packages": {}}, "packages"),
])
def test_fields_that_objects_do_not_have_are_one_line(changes: Any, named: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(**values(**changes))
    (mistake,) = error.value.errors()
    assert named in mistake["msg"] or mistake["loc"] == (named,)
