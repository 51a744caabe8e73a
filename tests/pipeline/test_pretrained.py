"""Weights of one model as the start of another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from tests.conftest import run, tiny
from tests.refusals import refusal
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.config.pretrained import PretrainedConfig
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.models.folder import load_model
from unroll.models.manifest import WEIGHTS
from unroll.models.network import build
from unroll.models.pretrained import symbols
from unroll.training.optimizers import groups

TEXT = {"kind": "text", "path": "data/raw/a.txt", "unit": "stream", "encoding": "utf-8", "inputs": {"text": "tokens"},
        "targets": {"text": "next"}, "tokenizer": {"kind": "char", "min_count": 1}, "validation": 0.1, "test": 0.1, "seed": 1,
        "licence": "none"}
ALL = {"load": ["inputs", "core", "heads"], "freeze": [], "learning_rates": {}}


def configured(pretrained: dict[str, Any] | None = None, **data: Any) -> Config:
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=8", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = TEXT | data
    values["pretrained"] |= pretrained or {}
    return Config.model_validate(values)


def text_of(folder: Path, name: str, letters: str, seed: int) -> None:
    draw = np.random.default_rng(seed)
    (folder / "data" / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "raw" / name).write_text("".join(draw.choice(list(letters), 6000)) + "\n")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project with a model of `abcd`, its folder's name and digest."""
    folder = tmp_path_factory.mktemp("base")
    text_of(folder, "a.txt", "abcd", 0)
    text_of(folder, "b.txt", "bcxyz", 1)
    workspace = Workspace(folder, folder)
    run(workspace, configured(), "prepare", "train")
    workspace.model.rename(folder / "kept")
    return folder, load_model(folder / "kept").digest


def started(base: tuple[Path, str], tmp_path: Path, **pretrained: Any) -> Workspace:
    folder, digest = base
    tmp_path.mkdir(exist_ok=True)
    workspace = Workspace(folder, tmp_path)
    config = configured({"model": "kept", "sha256": digest, **ALL, **pretrained}, path="data/raw/b.txt")
    run(workspace, config, "prepare", "train")
    return workspace


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WEIGHTS)


def test_frozen_parts_are_those_of_the_model_row_by_row(base, tmp_path):
    workspace = started(base, tmp_path, freeze=["inputs", "core"])
    old, new = load_model(base[0] / "kept"), load_model(workspace.model)
    before, after = weights(base[0] / "kept"), weights(workspace.model)
    fresh = build(new.config, new.spec, seed=1).state_dict()
    ours, theirs = symbols(new.tokenizers["text"]), symbols(old.tokenizers["text"])
    assert {b"b", b"c", ("unknown",)} <= {*ours} & {*theirs} and b"x" not in theirs and b"a" not in ours
    table = "inputs.text.embedding.weight"
    for row, symbol in enumerate(ours):
        expected = before[table][theirs.index(symbol)] if symbol in theirs else fresh[table][row]
        torch.testing.assert_close(after[table][row], expected, rtol=0, atol=0)
    for name in (name for name in after if name.startswith("core")):
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
    head = next(name for name in after if name.startswith("heads") and name.endswith("weight"))
    assert not torch.equal(after[head][ours.index(b"c")], before[head][theirs.index(b"c")]), "it is trained"


def test_what_is_not_frozen_is_trained_and_what_is_not_loaded_begins_anew(base, tmp_path):
    workspace = started(base, tmp_path, load=["core"], freeze=[])
    before, after = weights(base[0] / "kept"), weights(workspace.model)
    core = next(name for name in after if name.startswith("core") and after[name].dim() == 2)
    assert not torch.equal(after[core], before[core])
    new = load_model(workspace.model)
    network = build(new.config, new.spec, seed=1)
    assert (after[core] - before[core]).norm() < (after[core] - network.state_dict()[core]).norm()


def test_the_training_is_another_where_the_model_is(base, tmp_path):
    plain = Workspace(base[0], tmp_path / "plain")
    plain.root.mkdir()
    run(plain, configured(path="data/raw/b.txt"), "prepare", "train")
    one, two = started(base, tmp_path / "one"), started(base, tmp_path / "two")
    assert load_model(one.model).digest == load_model(two.model).digest != load_model(plain.model).digest
    assert open_prepared(one.prepared).digest == open_prepared(plain.prepared).digest


def test_parts_have_learning_rates_of_their_own(base):
    network = load_model(base[0] / "kept").network
    found = groups(network, 0.1, {"core": 0.5, "inputs.text": 2.0})
    by_rate = {group["lr"]: sum(parameter.numel() for parameter in group["params"]) for group in found}
    parts = {rate: sum(parameter.numel() for name, parameter in network.named_parameters()
                       if name.startswith(part) and parameter.requires_grad)
             for rate, part in ((0.1, "heads"), (0.05, "core"), (0.2, "inputs"))}
    assert by_rate == pytest.approx(parts) and found[0]["lr"] == 0.1


@pytest.mark.parametrize(("changes", "expected"), [
    ({"sha256": None}, ("missing-value", "pretrained.sha256")), ({"sha256": "0" * 64}, ("stale", "pretrained.sha256")),
    ({"load": ["inputs.title"]}, ("unknown-name", "pretrained.load")), ({"model": "nothing"}, None),
    ({"freeze": ["inputs", "core", "heads"]}, ("no-effect", "pretrained.freeze")),
])
def test_what_does_not_fit_is_one_line(base, tmp_path, changes, expected):
    code, where = refusal(lambda: started(base, tmp_path, **changes))
    assert (expected is None and code == "missing-file") or (code, where) == expected


def test_other_sizes_are_refused(base, tmp_path):
    folder, digest = base
    values = configured({"model": "kept", "sha256": digest, **ALL, "load": ["core"]}).model_dump(mode="json")
    values["model"]["core"]["hidden_size"] = 9
    workspace = Workspace(folder, tmp_path)
    assert refusal(lambda: run(workspace, Config.model_validate(values), "prepare", "train")) == ("conflict", "pretrained.load")


def test_another_kind_of_core_is_refused(base, tmp_path):
    folder, digest = base
    values = configured({"model": "kept", "sha256": digest, **ALL, "load": ["core"]}).model_dump(mode="json")
    values["model"]["core"] = tiny("model=rnn", "model.core.hidden_size=8").model_dump(mode="json")["model"]["core"]
    found = refusal(lambda: run(Workspace(folder, tmp_path), Config.model_validate(values), "prepare", "train"))
    assert found == ("conflict", "model.core.kind")


def test_a_vocabulary_without_a_common_symbol_is_refused(base, tmp_path):
    folder, digest = base
    text_of(folder, "c.txt", "uvw", 2)
    workspace = Workspace(folder, tmp_path)
    config = configured({"model": "kept", "sha256": digest, **ALL, "load": ["inputs"]}, path="data/raw/c.txt")
    run(workspace, config, "prepare")
    assert refusal(lambda: run(workspace, config, "train")) == ("conflict", "pretrained.load")


# ------------------------------------------------------------------------------------------------ the same vocabulary


def reused(folder: Path, path: str = "kept/text.tokenizer.json", **changes: Any) -> dict[str, Any]:
    digest = sha256(folder / path) if (folder / path).is_file() else None
    return {"tokenizer": {"kind": "reused", "path": path, "sha256": digest, "extend": None, **changes}}


def prepared_with(folder: Path, root: Path, **changes: Any) -> list[Any]:
    """The symbols of b.txt."""
    workspace = Workspace(folder, root)
    run(workspace, configured(path="data/raw/b.txt", **reused(folder, **changes)), "prepare")
    return symbols(open_prepared(workspace.prepared).tokenizer("text"))


def test_a_vocabulary_is_taken_over_or_extended(base, tmp_path):
    old = symbols(load_model(base[0] / "kept").tokenizers["text"])
    assert prepared_with(base[0], tmp_path) == old
    more = prepared_with(base[0], tmp_path, extend=1)
    assert {*more} == {*old} | {b"x", b"y", b"z"}
    assert prepared_with(base[0], tmp_path, extend=10**6) == old


def test_a_model_begins_with_the_vocabulary_of_another(base, tmp_path):
    """Symbols that this data lacks are kept, too."""
    folder, digest = base
    workspace = Workspace(folder, tmp_path)
    config = configured({"model": "kept", "sha256": digest, **ALL, "freeze": ["inputs", "core"]}, path="data/raw/b.txt",
                        **reused(folder))
    run(workspace, config, "prepare", "train")
    before, after = weights(folder / "kept"), weights(workspace.model)
    torch.testing.assert_close(after["inputs.text.embedding.weight"], before["inputs.text.embedding.weight"], rtol=0, atol=0)


@pytest.mark.parametrize(("changes", "expected"), [
    ({"path": "kept/title.tokenizer.json"}, ("missing-file", "data.tokenizer.path")),
    ({"sha256": None}, ("missing-value", "data.tokenizer.sha256")),
    ({"sha256": "0" * 64}, ("stale", "data.tokenizer.sha256")),
    ({"path": "kept/model.json"}, ("unreadable", "kept/model.json")),
])
def test_a_tokenizer_to_reuse_that_is_not_there_is_one_line(base, tmp_path, changes, expected):
    assert refusal(lambda: prepared_with(base[0], tmp_path, **changes), f"{base[0]}/") == expected


@pytest.mark.parametrize("wrong", [
    {"model": None}, {"load": []}, {"freeze": ["heads"], "load": ["core"]}, {"freeze": ["core"], "learning_rates": {"core": 2.0}},
    {"load": ["everything"]}, {"sha256": "abc"},
])
def test_settings_that_disagree_are_refused(wrong):
    with pytest.raises(ValidationError):
        PretrainedConfig.model_validate({"model": "kept", "sha256": None, **ALL} | wrong)
