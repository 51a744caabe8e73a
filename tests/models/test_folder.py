"""A model on disk: the same bytes for the same model, and no damage goes unnoticed."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch

from tests.conftest import snapshot
from tests.models.conftest import CORES, SPEC, random_network, random_tokens, small
from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json, write_json
from unroll.data.store import Prepared
from unroll.data.tokenizers import char
from unroll.models import folder as module
from unroll.models.folder import load_model, save_model

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
    assert described["gates"] == ["i", "f", "g", "o"]


def test_a_model_of_other_data_is_refused_where_data_are_named(saved, prepared):
    assert load_model(saved, prepared).digest == load_model(saved).digest
    with pytest.raises(UserError, match=re.escape(f"{saved}: trained on other data than {prepared.folder} holds. Run `dvc repro`")):
        load_model(saved, Prepared(prepared.folder, SPEC, {}, "q" * 64))


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
    ("name", "damage", "says"),
    [
        ("model.json", Path.unlink, "no such file"),
        ("model.json", truncate, "damaged or edited"),
        ("model.json", replace('"hidden_size": 6', '"hidden_size": 7'), "damaged or edited"),
        ("model.json", replace('"forget_bias": 1.0', '"forget_bias": 1.5'), "damaged or edited"),
        ("model.json", replace('"format": 4', '"format": 1'), "another version"),
        ("model.json", lambda path: path.write_text("[]"), "another version"),
        ("model.json", lambda path: path.write_bytes(b"\xff\xfe"), "damaged or edited"),
        ("model.safetensors", Path.unlink, "missing"),
        ("model.safetensors", truncate, "damaged or edited"),
        ("model.safetensors", flip, "damaged or edited"),
        ("text.tokenizer.json", Path.unlink, "missing"),
        ("text.tokenizer.json", truncate, "damaged or edited"),
        ("text.tokenizer.json", replace("abc", "acb"), "damaged or edited"),
    ],
)
def test_damage_is_one_line_that_names_the_file(saved, name, damage, says):
    damage(saved / name)
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert str(caught.value).startswith(f"{saved / name}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_one_line_that_says_how_to_make_it(tmp_path):
    with pytest.raises(UserError, match=r"model\.json: no such file\. Make the model with `dvc repro`") as caught:
        load_model(tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new"), [('"hidden_size": 6', '"hidden_size": 7'), ('"lstm"', '"lstn"')])
def test_a_description_that_does_not_fit_its_weights_is_refused(saved, old, new):
    """Even when its own digest was made anew."""
    replace(old, new)(saved / "model.json")
    described = json.loads((saved / "model.json").read_text())
    del described["digest"]
    write_json(saved / "model.json", {**described, "digest": hashlib.sha256(to_json(described).encode()).hexdigest()})
    with pytest.raises(UserError, match="damaged or edited") as caught:
        load_model(saved)
    assert "\n" not in str(caught.value)
