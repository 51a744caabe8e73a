"""The schema holds types, ranges and reasons; conf/ holds the values and dvc.yaml the stages."""

from collections.abc import Iterator

import pytest
import yaml
from pydantic import ValidationError

from tests.conftest import REPOSITORY
from unroll import cli
from unroll.config import SECTIONS, STAGE_SECTIONS, load, validate
from unroll.config.strict import Strict
from unroll.errors import UserError


def sections(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    for each in kind.__subclasses__():
        yield each
        yield from sections(each)


def stages() -> dict[str, dict]:
    return yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def values() -> dict:
    return yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("section", [*sections()], ids=lambda section: section.__name__)
def test_no_value_has_a_default(section):
    assert [name for name, field in section.model_fields.items() if not field.is_required()] == []


def test_every_section_is_found_by_these_tests():
    assert {"Config", "DocsData", "LSTMConfig", "TrackingConfig"} <= {section.__name__ for section in sections()}


def test_the_sections_of_a_stage_are_its_params_in_dvc_yaml():
    assert {name: sorted(names) for name, names in STAGE_SECTIONS.items()} == {
        name: sorted(stage["params"]) for name, stage in stages().items()
    }


def test_every_section_but_runtime_is_some_stages():
    assert {name for names in STAGE_SECTIONS.values() for name in names} == {*SECTIONS} - {"runtime"}


def test_the_command_line_has_the_stages_of_dvc_yaml_in_their_order():
    assert cli.STAGES == tuple(STAGE_SECTIONS) == tuple(stages())


def test_a_configuration_cannot_be_changed():
    config = load(REPOSITORY / "params.yaml")
    with pytest.raises(ValidationError):
        config.train.seed = 2


@pytest.mark.parametrize("part, section", [("inputs", "inputs"), ("heads", "targets")])
def test_model_and_data_name_the_same_fields(part, section):
    wrong = values()
    wrong["model"][part]["chords"] = wrong["model"][part]["text"]
    with pytest.raises(UserError) as caught:
        validate(wrong, "params.yaml")
    assert str(caught.value) == (
        f"params.yaml: model.{part} names ['chords', 'text'] where data has {sorted(wrong['data'][section])}; "
        "use the same names"
    )


@pytest.mark.parametrize("devices, nodes, fits", [(1, 1, True), (4, 1, True), (4, 2, True), (3, 1, False),
                                                  (4, 3, False), (32, 2, False)])
def test_lanes_are_dealt_evenly_or_refused(devices, nodes, fits):
    asked = values()
    asked["train"] |= {"batch_size": 32, "devices": devices, "num_nodes": nodes}
    if fits:
        assert validate(asked, "params.yaml").train.devices == devices
    else:
        with pytest.raises(UserError, match=f"train: batch_size 32 cannot be dealt evenly to {devices * nodes} "):
            validate(asked, "params.yaml")


@pytest.mark.parametrize("name", ["Text", "1st", "te-xt", "", "_text"])
def test_a_field_is_named_as_its_files_can_be(name):
    asked = values()
    for place in (asked["data"]["inputs"], asked["data"]["targets"], asked["model"]["inputs"], asked["model"]["heads"]):
        place[name] = place.pop("text")
    with pytest.raises(UserError, match=r"params\.yaml: data\.inputs"):
        validate(asked, "params.yaml")
