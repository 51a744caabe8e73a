"""Random networks that draw several fields at each step."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from tests.prediction.conftest import TABLE, core, make
from unroll.config.model import ModelConfig
from unroll.config.sampling import sampling
from unroll.generation.rows import RowGenerator, RowSample, open_rows
from unroll.models.folder import save_model
from unroll.models.manifest import ModelFolder, open_folder
from unroll.models.network import build

CATEGORIES = {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}
COLUMNS = {"letter": ["letter"], "tag": ["tag"], "on": ["l1", "l2"], "x": ["a", "b"], "class": ["class"]}
HEADS: dict[str, dict[str, Any]] = {
    "letter": CATEGORIES, "tag": CATEGORIES, "on": {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0},
    "x": {"kind": "regression", "loss": "gaussian", "pooling": None, "dropout": 0.0},
}
INPUTS = {"letter": "categories", "tag": "categories", "on": "real", "x": "real", "class": "static_categories"}
ENCODERS = {
    "categories": {"kind": "category", "size": 3, "dropout": 0.0}, "real": {"kind": "real", "size": None, "dropout": 0.0},
    "tokens": {"kind": "embedding", "size": 3, "dropout": 0.0},
    "static_categories": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": "start"},
}
TARGETS = {"letter": "next", "tag": "next", "on": "next_labels", "x": "next"}
# fields and what becomes of the letters: a category, or a symbol of a text
VARIANTS: dict[str, tuple[list[str], str]] = {
    "all": ([*INPUTS], "categories"), "text": (["letter", "tag", "x"], "tokens"), "numbers": (["on", "x"], "categories"),
    "one": (["letter"], "categories"), "beside": (["letter", "tag"], "categories"),
    "missing": (["letter", "x"], "categories"), "mixture": (["letter", "x"], "categories"),
    "symbols": (["letter", "tag"], "categories"),
}


class Made(NamedTuple):
    folder: ModelFolder
    generator: RowGenerator


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return networks(tmp_path_factory)


def networks(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """(variant, core) → a model folder with random weights."""

    @cache
    def project(variant: str) -> tuple[Path, Any]:
        names, letters = VARIANTS[variant]
        inputs = {name: INPUTS[name] for name in names} | ({"letter": letters} if "letter" in names else {})
        inputs |= {"x": "real"} if variant == "beside" else {}
        data = {**TABLE, "path": "data/raw/sequences.csv", "series": "series", "columns": {name: COLUMNS[name] for name in inputs},
                "inputs": inputs, "targets": {name: TARGETS[name] for name in names if name in TARGETS},
                "missing": "mask" if variant == "missing" else "refuse"}
        workspace, prepared = make(tmp_path_factory.mktemp(variant), data)
        return workspace.root, prepared

    @cache
    def build_one(variant: str, kind: str = "gru") -> Made:
        root, prepared = project(variant)
        spec, letters = prepared.spec, VARIANTS[variant][1]
        kinds = {"tokens": "tokens", "categories": "categories", "real": "real"}
        encoders = {name: ENCODERS["static_categories" if field.per == "sequence" else kinds[field.kind]]
                    for name, field in spec.inputs.items()}
        heads = {name: HEADS[name] for name in spec.targets}
        if variant == "mixture":
            heads["x"] = {"kind": "mixture", "components": 3, "pooling": None, "dropout": 0.0}
        if letters == "tokens":
            heads["letter"] = {"kind": "next_token", "dropout": 0.0, "tied": False}
        config = ModelConfig.model_validate({"inputs": encoders, "core": core(kind), "heads": heads})
        network = build(config, spec, 0)
        draw = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for values in network.parameters():
                values.copy_(0.8 * torch.randn(values.shape, generator=draw))
        save_model(root / kind, network, config, prepared)
        folder = open_folder(root / kind)
        return Made(folder, open_rows(folder))

    return build_one


def drawn(generator: RowGenerator, count: int = 5, prompts: Any = None, **settings: Any) -> list[RowSample]:
    options = {"seed": 3, "first": 0, "lanes": 64} | {name: settings.pop(name) for name in ("seed", "first", "lanes") if name in settings}
    given = [{"class": np.array([1 + number % 3])} if "class" in generator.needs else {} for number in range(count)]
    given = [{**own, "x": np.ones((40, 2), np.float32)} if "x" in generator.needs else own for own in given]
    made = generator.samples(prompts or [{}] * count, sampling(**{"length": 12, **settings}), options["seed"], options["first"],
                             options["lanes"], given[options["first"]:])
    return list(made)


def same(one: list[RowSample], other: list[RowSample]) -> None:
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        for name, values in ours.rows.items():
            compare = np.testing.assert_array_equal if values.dtype.kind == "i" else np.testing.assert_allclose
            compare(values, theirs.rows[name], **({} if values.dtype.kind == "i" else {"rtol": 1e-4, "atol": 1e-4}))
