"""Editors check conf/ with the same declarations that validate params.yaml."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from unroll.config.json_schema import GROUPS, write_schemas

CONF = REPOSITORY / "conf"
# what a sweep varies and a study searches is no part of params.yaml; tests/jobs read those
OTHERS = ("sweep", "tune")
FILES = [each for file in sorted(CONF.glob("*/**/*.yaml")) if (each := file.relative_to(CONF)).parts[0] not in OTHERS]
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def schema(group: str) -> dict[str, Any]:
    return json.loads((CONF / ".schema" / f"{group}.json").read_text(encoding="utf-8"))


def group(file: Path) -> str:
    return "data" if file.parts[:-1] == ("data", "base") else "-".join(file.parts[:-1])


def fits(value: Any, part: dict[str, Any], whole: dict[str, Any]) -> bool:
    """The keywords of JSON schema that pydantic writes for our declarations."""
    if "$ref" in part:
        part = whole["$defs"][part["$ref"].rsplit("/", 1)[1]]
    branches = part.get("anyOf") or part.get("oneOf")
    if branches:
        return any(fits(value, branch, whole) for branch in branches)
    if part.get("type") == "null":
        return value is None
    if not isinstance(value, TYPES[part["type"]]) or (isinstance(value, bool) and part["type"] != "boolean"):
        return False
    if isinstance(value, dict) and "properties" in part:
        known = part["properties"]
        return all(name in known and fits(each, known[name], whole) for name, each in value.items())
    if isinstance(value, dict) and "patternProperties" in part:
        return all(fits(each, rule, whole) for name, each in value.items()
                   for pattern, rule in part["patternProperties"].items() if re.search(pattern, name))
    if isinstance(value, list):
        return all(fits(each, part["items"], whole) for each in value) if "items" in part else True
    if isinstance(value, str):
        choices = part.get("enum", [part.get("const", value)])
        return value in choices and re.search(part.get("pattern", ""), value) is not None
    if isinstance(value, int | float):
        least, most = part.get("minimum", value), part.get("maximum", value)
        above, below = part.get("exclusiveMinimum", value - 1), part.get("exclusiveMaximum", value + 1)
        return least <= value <= most and above < value < below
    return True


def test_the_committed_schemas_are_what_the_declarations_give(tmp_path):
    write_schemas(tmp_path)
    committed = {file.name: file.read_bytes() for file in (CONF / ".schema").iterdir()}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == committed


def test_every_group_has_a_schema_and_every_schema_a_group():
    assert {group(file) for file in FILES} == set(GROUPS)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_fits_its_groups_schema(file):
    values = yaml.safe_load((CONF / file).read_text(encoding="utf-8")) or {}
    assert fits(values, schema(group(file)), schema(group(file)))


@pytest.mark.parametrize(
    "name, values",
    [
        ("train", {"bptts": 64}),
        ("train", {"bptt": 0}),
        ("train", {"bptt": "64"}),
        ("train", {"schedule": {"kind": "linear"}}),
        ("train-optimizer", {"kind": "adamw", "beta1": 1.0}),
        ("model", {"core": {"kind": "gru", "forget_bias": 1.0}}),
        ("model", {"heads": {"y": {"kind": "regression", "loss": "huber"}}}),     # its delta must be given
        ("model", {"heads": {"y": {"kind": "regression", "pooling": "first"}}}),
        ("data", {"kind": "docs", "encoding": "utf-8"}),
        ("data", {"kind": "url", "sha256": "86c4"}),
        ("runtime", {"tracking": {"enabled": 1}}),
        ("experiment", {"generate": {"prompts": "one"}}),
    ],
)
def test_a_wrong_file_does_not_fit(name, values):
    assert not fits(values, schema(name), schema(name))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_the_editor_is_told_the_schema_of_a_file(file):
    told = json.loads((REPOSITORY / ".vscode" / "settings.json").read_text(encoding="utf-8"))["yaml.schemas"]
    # `*` of an editor's pattern stays within a folder, that of fnmatch does not
    found = [name for name, patterns in told.items() for each in patterns
             if fnmatch(f"conf/{file}", each) and each.count("/") == len(file.parts)]
    assert found == [f"./conf/.schema/{group(file)}.json"]


def test_a_part_that_several_kinds_share_fits():
    # `core: {hidden_size: 32}` of an experiment is no more rnn than lstm: `oneOf` would refuse it
    assert not [file.name for file in (CONF / ".schema").iterdir() if "oneOf" in file.read_text(encoding="utf-8")]
