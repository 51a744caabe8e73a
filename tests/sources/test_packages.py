"""Installed packages as labelled data: docstrings by package, characters of source by the type of their token."""

import io
import token as token_types
import tokenize
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unroll.base.errors import UserError
from unroll.config.sources.code import Settings as CodeData
from unroll.config.sources.packages import Settings as PackagesData
from unroll.config.tokenizers import char
from unroll.data.source import SPLITS, Origin, Source
from unroll.sources import Access, digest, open_source
from unroll.sources.code import token_types_of
from unroll.sources.common.long_tail import long_tail

COMMON = {"tokenizer": char.Settings(kind="char", min_count=1), "inputs": {"text": "tokens"}, "test": 0.2,
          "validation": 0.1, "seed": 1}


def installed(site: Path, name: str, files: dict[str, str], licence: str = "CC0-1.0") -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    )
    for file, content in files.items():
        (site / name / file).parent.mkdir(parents=True, exist_ok=True)
        (site / name / file).write_text(content, encoding="utf-8", newline="")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def open_packages(config: Any) -> tuple[Source, Origin]:
    return open_source(config, Access(Path()))


def docstring(text: str, name: str) -> str:
    return f'def {name}():\n    """{text}"""\n'


# ------------------------------------------------------------------------------------------------------- docstrings


def songs(**changes) -> PackagesData:
    return PackagesData(**{"kind": "packages", "packages": {"odes": "1.0", "hymns": "1.0"}, "longest": 60, "least": 10,
                           "imbalance": None, "targets": {"label": "class"}, **COMMON, **changes})


@pytest.fixture
def collections(site):
    for name, licence in (("odes", "MIT"), ("hymns", "CC0-1.0")):
        texts = [f"Song number {number} of {name}, sung by Odes and Hymns." for number in range(20)]
        functions = [docstring(text, f"f{number}") for number, text in enumerate(texts)]
        installed(site, name, {
            "__init__.py": '"""Short."""\n' + "".join(functions[:10]),
            "deep/more.py": "".join(functions[5:]) + docstring("x" * 200, "long") + docstring("Of\n    both   of them.", "b"),
        }, licence)


def read(config: PackagesData) -> dict[str, list[tuple[str, str]]]:
    source, _ = open_packages(config)
    assert source.layout == "items"
    return {split: [(piece["text"], piece["label"]) for piece in source.pieces(split)] for split in SPLITS}


def test_a_docstring_is_labelled_with_its_package(collections):
    everything = [each for split in read(songs()).values() for each in split]
    for name, other in (("odes", "hymns"), ("hymns", "odes")):
        own = [text for text, label in everything if label == name]
        # twenty songs, of which some stand twice, one that is cut, one that stands in both packages
        assert len(own) == len(set(own)) == 22
        assert all(name not in text and name.title() not in text for text in own), "the answer stands in the text"
        assert sum(other.title() in text for text in own) == 20
        assert "x" * 60 in own and "Of both of them." in own
    assert "Short." not in dict(everything)


def test_docstrings_are_as_long_as_is_asked_for(collections):
    everything = [text for split in read(songs(longest=30, least=20)).values() for text, _ in split]
    assert all(20 <= len(text) <= 30 for text in everything) and "x" * 30 in everything
    assert "Of both of them." not in everything


def test_each_split_has_each_package_in_its_share(collections):
    counts = {split: Counter(label for _, label in each) for split, each in read(songs()).items()}
    assert counts == {"train": {"odes": 16, "hymns": 16}, "validation": {"odes": 2, "hymns": 2},
                      "test": {"odes": 4, "hymns": 4}}


def test_training_can_have_a_long_tail(collections):
    whole, tailed = read(songs()), read(songs(imbalance=4))
    assert [tailed[split] for split in ("validation", "test")] == [whole[split] for split in ("validation", "test")]
    assert sorted(Counter(label for _, label in tailed["train"]).values()) == [4, 16]
    assert set(tailed["train"]) < set(whole["train"])


def test_a_tail_falls_geometrically_and_a_larger_imbalance_keeps_a_part():
    labels = ["few"] * 3 + [f"class{number}" for number in range(5) for _ in range(100 - number)]
    counts = Counter(np.array(labels)[long_tail(labels, 32, seed=1)])
    # of six classes: 100 / 2^place; the smallest, whose share 3.125 is, has no more than that
    assert counts == {"class0": 100, "class1": 50, "class2": 25, "class3": 12, "class4": 6, "few": 3}
    assert not (long_tail(labels, 1000, seed=1) & ~long_tail(labels, 32, seed=1)).any()
    assert Counter(np.array(labels)[long_tail(labels, 1e9, seed=1)]).keys() == counts.keys()


def test_packages_say_where_they_come_from(collections):
    _, origin = open_packages(songs())
    assert (origin.name, origin.licence) == ("docstrings of hymns 1.0, odes 1.0", "CC0-1.0; MIT")


def test_the_order_in_which_packages_are_named_changes_nothing(collections):
    other = songs(packages={"hymns": "1.0", "odes": "1.0"})
    assert digest(open_packages(other)[0]) == digest(open_packages(songs())[0])
    assert digest(open_packages(songs(seed=2))[0]) != digest(open_packages(songs())[0])


def test_a_package_that_is_not_there_is_one_line(site):
    with pytest.raises(UserError, match=r"^data\.packages\.odes: 'odes' is not an installed package\."):
        open_packages(songs(packages={"odes": "1.0"}))


# -------------------------------------------------------------------------------------------------------------- code


def by_hand(text: str) -> list[str]:
    """Token after token, each searched for from where the one before it ended."""
    types = ["SPACE"] * len(text)
    position = 0
    layout = (token_types.INDENT, token_types.DEDENT, token_types.ENDMARKER)
    for each in tokenize.generate_tokens(io.StringIO(text).readline):
        if each.type in layout or not each.string:
            continue
        position = text.index(each.string, position)
        name = "NEWLINE" if each.type == token_types.NL else token_types.tok_name[each.type]
        types[position : position + len(each.string)] = [name] * len(each.string)
        position += len(each.string)
    return types


SNIPPETS = {
    "plain": "def f(x):\n    return x + 1  # more\n",
    "no end": "x = 1",
    "empty lines": "\n\nx = 1\n\n\n# end\n\n",
    "strings": 's = """one\ntwo\n  three"""\nt = f"a{x}b" r\'\\n\' b"q"\n',
    "continued": "x = (1,\n     2)\ny = 3 + \\\n    4\n",
    "deep": "class A:\n\tdef f(self):\n\t\tif 1:\n\t\t\tpass\n\n\tx = 2\n",
    "Unicode": "naïve = 'größe 天地'  # π ≈ 3.14\n",
    "form feed": "import a\n\x0c\nimport b  # after a page\n\x0c\ndef f(): pass\n",
    "line ends of others": "x = '\x1c\x1d\x85'  # \u2028 and \u2029\ny = 2\n",
    "vertical tab": "s = 'a\x0bb'\ny = 1\n",
    "async": "async def f():\n    await g(*a, **k)\n    x: int = 0x1F_FF\n",
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_each_characters_type_is_that_of_its_token(name):
    text = SNIPPETS[name]
    found = token_types_of(text)
    assert len(found) == len(text)
    assert [*zip(text, found, strict=True)] == [*zip(text, by_hand(text), strict=True)]


@pytest.mark.parametrize("module", ["tokenize", "ast", "textwrap", "email.message", "typing"])
def test_each_characters_type_in_real_source(module):
    file = Path(import_module(module).__file__)
    text = file.read_text(encoding="utf-8")
    assert token_types_of(text).tolist() == by_hand(text)


def test_spaces_and_line_ends_have_types_of_their_own():
    assert dict(zip("a = 1\n", token_types_of("a = 1\n").tolist(), strict=True)) == {
        "a": "NAME", " ": "SPACE", "=": "OP", "1": "NUMBER", "\n": "NEWLINE",
    }


def code(**changes) -> CodeData:
    return CodeData(**{"kind": "code", "package": "odes", "version": "1.0", "longest": 10_000, "targets": {"tag": "tag"},
                       **COMMON, **changes})


@pytest.fixture
def odes(site):
    files = {f"ode_{number}.py": docstring(f"Ode {number}.", f"ode_{number}") + f"x = {number}\n" for number in range(9)}
    installed(site, "odes", {"__init__.py": "", **files, "broken.py": "def (:\n", "old.py": "x = '''\n",
                             "windows.py": "y = 1\r\nz = 2\r\n", "latin.py": "# ok\n"})
    (site / "odes" / "latin.py").write_bytes("# größe\n".encode("latin-1"))


def parts(config: CodeData) -> list[tuple[str, np.ndarray]]:
    source, _ = open_packages(config)
    assert source.layout == "stream"
    return [(piece["text"], piece["tag"]) for split in SPLITS for piece in source.pieces(split)]


def test_source_is_one_stream_with_a_type_for_each_character(odes):
    made = parts(code())
    assert len(made) == 3 and all(len(text) == len(tag) for text, tag in made)
    text, tag = "".join(text for text, _ in made), np.concatenate([tag for _, tag in made])
    for number in range(9):
        assert text.count(f"x = {number}\n") == 1
    assert "y = 1\nz = 2\n" in text and "größe" not in text and "def (:" not in text
    assert tag.tolist() == by_hand(text)            # every file ends with a line
    shares = [len(each) / len(text) for each, _ in made]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=1 / len(text))


def test_source_is_cut_where_it_is_asked_for(odes):
    whole, short = ("".join(text for text, _ in parts(code(longest=longest))) for longest in (10_000, 100))
    assert len(short) == 100 and whole.startswith(short)


def test_another_seed_is_another_order_of_files(odes):
    first, again, other = ("".join(text for text, _ in parts(code(seed=seed))) for seed in (1, 1, 2))
    assert first == again != other and len(first) == len(other)


def test_code_says_where_it_comes_from(odes):
    origin = open_packages(code())[1]
    assert (origin.name, origin.licence) == ("Python source of odes 1.0", "CC0-1.0")


def test_a_package_without_source_is_one_line(site):
    installed(site, "odes", {"__init__.py": "def (:\n"})
    with pytest.raises(UserError, match=r"^data\.package: odes has no Python source\. Choose another\.$"):
        open_packages(code())
