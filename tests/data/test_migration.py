"""Specs of older formats, as model folders have them.

`format2/` has specs that the commit e689a0a wrote into prepared folders of each kind of file, and those that the first
version with format 3 made from the same data and settings.
"""

import copy
import json
from pathlib import Path

import pytest

from tests.conftest import refused
from unroll.data.migration import migrate_spec
from unroll.data.spec import read_spec

SPECS = {file.stem: json.loads(file.read_text(encoding="utf-8"))
         for file in sorted((Path(__file__).parent / "format2").glob("*.json"))}
every = pytest.mark.parametrize("name", SPECS)


@every
def test_a_spec_of_format_2_becomes_what_its_data_gives_today(name):
    old = copy.deepcopy(SPECS[name]["old"])
    assert read_spec(migrate_spec(old), "model.json", "") == read_spec({**SPECS[name]["new"], "format": 4}, "", "")
    assert old == SPECS[name]["old"], "what is migrated is not changed"


@every
def test_format_4_can_say_more_and_format_3_said_enough(name):
    assert migrate_spec(SPECS[name]["new"]) == {**SPECS[name]["new"], "format": 4}


@every
def test_a_spec_of_todays_format_stays_as_it_is(name):
    new = {**SPECS[name]["new"], "format": 4}
    assert migrate_spec(new) == new


@every
def test_no_key_of_the_configuration_is_in_a_spec(name):
    assert not {"data", "files", "tokenizer", "seed", "path"} & read_spec(
        {**SPECS[name]["new"], "format": 4}, "", "").model_dump().keys()


def test_a_spec_of_format_1_is_refused():
    with refused("wrong-version", "model.json", "format 1", "Train the model again."):
        read_spec(migrate_spec({**SPECS["lines"]["old"], "format": 1}), "model.json", "Train the model again.")
