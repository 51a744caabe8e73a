"""A model on disk: the same bytes for the same model, and no damage goes unnoticed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.conftest import snapshot
from tests.models.conftest import CORES, SPEC, core, random_network, random_tokens, small
from unroll import __version__
from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json
from unroll.config.cells import lstm
from unroll.data.store import Prepared
from unroll.data.tokenizers import char
from unroll.models import folder as module
from unroll.models.folder import load_model, save_model
from unroll.models.manifest import digest_of

FILES = {"model.json", "model.safetensors", "step.onnx", "text.tokenizer.json"}


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    write_json(tmp_path / "prepared" / "text.tokenizer.json", char.Fitted("abcdefghij", items=False).state())
    return Prepared(tmp_path / "prepared", SPEC, {}, "p" * 64)


@pytest.fixture
def saved(tmp_path: Path, prepared: Prepared) -> Path:
    save_model(tmp_path / "model", random_network(small("lstm")), small("lstm"), prepared)
    return tmp_path / "model"


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", CORES)
def test_a_loaded_model_gives_equal_outputs(tmp_path, prepared, cell, tied):
    config = small(cell, layers=2, tied=tied)
    network = random_network(config).float()
    save_model(tmp_path / "model", network, config, prepared)
    model = load_model(tmp_path / "model")
    tokens = random_tokens(5, 2)
    assert torch.equal(model.network(tokens)[0]["text"], network(tokens)[0]["text"])
    assert model.config == config


def test_a_model_saved_twice_is_the_same_bytes(tmp_path, prepared):
    for name in ("first", "second"):
        save_model(tmp_path / name / "model", random_network(small("gru")), small("gru"), prepared)
    first, second = (snapshot(tmp_path / name, "model") for name in ("first", "second"))
    assert first == second
    assert len(first) == len(FILES)


def test_the_folder_says_what_it_holds(saved):
    model = load_model(saved)
    described = json.loads((saved / "model.json").read_text())
    assert model.digest == sha256(saved / "model.safetensors") == described["files"]["model.safetensors"]
    assert (described["prepared"], model.spec) == ("p" * 64, SPEC)
    assert model.tokenizers["text"].decode(model.tokenizers["text"].encode("badge")) == "badge"
    assert not model.network.training
    assert described["blocks"] == ["i", "f", "g", "o"]


def test_a_model_of_other_data_is_refused_where_data_are_named(saved, prepared):
    assert load_model(saved, prepared).digest == load_model(saved).digest
    with pytest.raises(UserError) as caught:
        load_model(saved, Prepared(prepared.folder, SPEC, {}, "q" * 64))
    assert (caught.value.code, caught.value.where) == ("stale", str(saved))


def test_the_folder_holds_no_pickle(saved):
    assert {file.name for file in saved.iterdir()} == FILES | {"step.int8.onnx"}, "this one is an LSTM"
    for file in saved.iterdir():
        content = file.read_bytes()
        # a pickle of protocol 2 or later, and the zip that torch.save makes of one
        assert not content.startswith((b"\x80", b"PK"))
    header = (saved / "model.safetensors").read_bytes()
    assert json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])


def test_a_save_that_breaks_off_leaves_the_old_model(saved, prepared, monkeypatch):
    before = snapshot(saved.parent, "model")

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(OSError, match="no space"):
        save_model(saved, random_network(small("gru")), small("gru"), prepared)
    assert snapshot(saved.parent, "model") == before
    assert {file.name for file in saved.parent.iterdir()} == {"model", "prepared"}


def test_a_second_save_replaces_the_first(saved, prepared):
    save_model(saved, random_network(small("gru")), small("gru"), prepared)
    assert load_model(saved).config == small("gru")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def replace(old: str, new: str):
    def edit(path: Path) -> None:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return edit


@pytest.mark.parametrize(
    ("name", "damage", "code"),
    [
        ("model.json", Path.unlink, "missing-file"),
        ("model.json", truncate, "damaged"),
        ("model.json", replace('"hidden_size": 6', '"hidden_size": 7'), "damaged"),
        ("model.json", replace('"forget_bias": 1.0', '"forget_bias": 1.5'), "damaged"),
        ("model.json", replace('"format": 4', '"format": 1'), "wrong-version"),
        ("model.json", lambda path: path.write_text("[]"), "damaged"),
        ("model.json", lambda path: path.write_bytes(b"\xff\xfe"), "damaged"),
        ("model.safetensors", Path.unlink, "missing-file"),
        ("model.safetensors", truncate, "damaged"),
        ("model.safetensors", flip, "damaged"),
        ("text.tokenizer.json", Path.unlink, "missing-file"),
        ("text.tokenizer.json", truncate, "damaged"),
        ("text.tokenizer.json", replace("abc", "acb"), "damaged"),
    ],
)
def test_damage_is_one_line_that_names_the_file(saved, name, damage, code):
    damage(saved / name)
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert (caught.value.code, caught.value.where) == (code, str(saved / name))
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_one_line_that_says_how_to_make_it(tmp_path):
    with pytest.raises(UserError) as caught:
        load_model(tmp_path / "model")
    assert str(caught.value) == (f"{tmp_path / 'model' / 'model.json'}: no such file. Make the model with `dvc repro` or "
                                 "`unroll train`.")


def edited(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change model.json as another version of unroll would have written it, digest and all."""
    described = json.loads((folder / "model.json").read_text())
    del described["digest"]
    change(described)
    write_json(folder / "model.json", {**described, "digest": digest_of(described)})


def test_an_architecture_that_does_not_fit_its_weights_is_refused(saved):
    """Even when its own digest was made anew."""
    edited(saved, lambda described: described["architecture"]["core"].update(hidden_size=7))
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert (caught.value.code, caught.value.where) == ("damaged", str(saved))


@pytest.mark.parametrize(("change", "says"), [
    (lambda described: described.update(format=5, version="9.1"), "format 5; only formats 3 to 4 can be read"),
    (lambda described: described.update(format=2, version="9.1"), "format 2; only formats 3 to 4 can be read"),
    (lambda described: described.update(version="9.1", colour="red"), "colour: "),
    (lambda described: described.update(version="9.1") or described["architecture"]["core"].update(leak=0.5),
     "architecture.core: unknown 'leak'; "),
    (lambda described: described.update(version="9.1") or described["spec"]["inputs"]["text"].update(colour="red"),
     "spec.inputs.text.colour: "),
])
def test_what_a_later_version_wrote_is_one_line_that_names_both(saved, change, says):
    edited(saved, change)
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert (caught.value.code, caught.value.where) == ("wrong-version", str(saved / "model.json"))
    assert caught.value.text.startswith(says)
    assert f"written by unroll 9.1, and this is {__version__}" in caught.value.text and "\n" not in caught.value.text


def test_a_kind_that_is_not_installed_is_named(saved):
    edited(saved, lambda described: described["architecture"]["core"].update(kind="mgu"))
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert (caught.value.code, caught.value.where) == ("extension", str(saved / "model.json"))
    assert caught.value.text.startswith("architecture.core: no kind 'mgu' is known")


def test_a_setting_that_came_later_has_the_value_that_older_models_have(saved, monkeypatch):
    edited(saved, lambda described: described["architecture"]["core"].pop("forget_bias"))
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert caught.value.text.startswith("architecture.core.forget_bias: ")
    monkeypatch.setattr(lstm.Settings, "later", {"forget_bias": 0.25})
    assert load_model(saved).config.core.forget_bias == 0.25
    with pytest.raises(ValidationError):
        lstm.Settings.model_validate({**core("lstm"), "forget_bias": None})
    incomplete = {name: value for name, value in core("lstm").items() if name != "forget_bias"}
    with pytest.raises(ValidationError):
        lstm.Settings.model_validate(incomplete)        # in params.yaml every value is still wanted
