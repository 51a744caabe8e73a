"""A field may have any name: neither files nor modules nor the step graph have names that it could take."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import unroll
from tests.conftest import run, tiny
from unroll.base.workspace import Workspace
from unroll.config.schema import Config
from unroll.data.spec import Spec
from unroll.models.by_field import ByField
from unroll.models.folder import read_weights, write_weights

# of the prepared folder, of torch's modules, of a step graph, of the classes that hold fields
FILES = ["offsets", "places", "spec", "tokenizer", "train", "values"]
MODULES = ["type", "items", "keys", "pop", "forward", "training", "parameters", "half"]
GRAPH = ["lengths", "one", "zero", "state", "next", "heads", "inputs"]


def renamed(config: Config, name: str) -> Config:
    """The same with another name for its only field, which is input and target."""
    changed = config.model_dump(mode="json")
    for section, part in (("data", "inputs"), ("data", "targets"), ("model", "inputs"), ("model", "heads")):
        ((_, described),) = changed[section][part].items()
        changed[section][part] = {name: described}
    return Config.model_validate(changed)


@pytest.mark.parametrize("name", ["offsets", "type", "items", "training", "lengths", "one"])
def test_a_field_of_any_name_is_prepared_trained_and_predicted(workspace: Workspace, name: str) -> None:
    config = renamed(tiny("data.unit=line", "train.max_steps=4", "generate.count=1", "generate.length=8"), name)
    run(workspace, config)
    model = unroll.load(workspace.model)
    (given,) = model.predict(["and"])
    assert given.shape == (4,) and np.isfinite(given).all()
    (text,) = model.generate(["a"], length=5, seed=1)
    assert text.startswith("a")
    names = load_file(workspace.model / "model.safetensors")
    assert f"inputs.{name}.embedding.weight" in names and not any("@" in key for key in names)
    assert list(json.loads((workspace.model / "model.json").read_text())["spec"]["inputs"]) == [name]


@pytest.mark.parametrize("name", [*MODULES, *FILES, *GRAPH, *Spec.model_fields])
def test_modules_are_kept_by_any_name(name: str, tmp_path: Path) -> None:
    import torch
    from torch import nn

    def network(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        made = nn.Module()
        made.inputs = ByField({name: nn.Linear(2, 3), "text": nn.Linear(2, 2)})
        return made.train().eval().double()

    first, second = network(1), network(2)
    assert [*first.inputs] == first.inputs.keys() == [each for each, _ in first.inputs.items()] == [name, "text"]
    assert name in first.inputs and f"@{name}" not in first.inputs and len(first.inputs) == 2
    assert [key.replace("@", "") for key in first.state_dict()] == [
        f"inputs.{field}.{part}" for field in (name, "text") for part in ("weight", "bias")]
    write_weights(tmp_path / "weights", first)      # type: ignore[arg-type]
    read_weights(tmp_path / "weights", second)      # type: ignore[arg-type]
    assert torch.equal(first.inputs[name].weight, second.inputs[name].weight)
