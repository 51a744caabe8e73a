"""Small models of every head, made without training: real prepared data, random weights, a real model folder."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter

from unroll.base.errors import UserError
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.data import DataConfig
from unroll.config.model import ModelConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.store import Prepared, open_prepared
from unroll.models.folder import save_model
from unroll.models.network import build
from unroll.prediction.predictor import Predictor, load
from unroll.stages.prepare import prepare

torch.set_num_threads(1)
RUNTIME = RuntimeConfig.model_validate({
    "workers": 0, "progress": False, "mirror": None, "checkpoint": {"steps": None, "minutes": None}, "wait_minutes": 1,
    "tracking": {"enabled": False, "uri": None, "experiment": "x", "sample_length": 0, "on_failure": "stop"},
})
LEVELS = [0.1, 0.5, 0.9]
CLASSES = ["no", 'a "quoted", listed', "gänse füßchen 鵝"]
LETTERS = "abcde \n"
MONTHS = pd.date_range("2015-01-01", periods=60, freq="MS").strftime("%Y-%m-%d")
HORIZON, CONTEXT, SEASON = 4, 8, 3


class Made(NamedTuple):
    """A project, prepared, and a model that is made but not trained."""

    workspace: Workspace
    prepared: Prepared
    model: Path
    predictor: Predictor


Make = Callable[..., Made]


def sequences() -> pd.DataFrame:
    """24 sequences of 5 to 12 steps, two numbers and a letter each, with a target of every kind."""
    draw = np.random.default_rng(1)
    parts = []
    for number in range(24):
        steps = int(draw.integers(5, 13))
        parts.append(pd.DataFrame({
            "series": f"s{number}", "step": range(steps), "a": draw.normal(5, 2, steps), "b": draw.normal(-1, 9, steps),
            "letter": draw.choice(list("abcde"), steps), "class": CLASSES[number % 3], "value": number * 1.5,
            "tag": draw.choice(CLASSES, steps), "l1": draw.integers(0, 2, steps), "l2": draw.integers(0, 2, steps),
            "v": draw.normal(100, 5, steps), "w": draw.normal(0, 1, steps),
        }))
    return pd.concat(parts, ignore_index=True)


def texts() -> pd.DataFrame:
    """A text a row; one is of two lines."""
    draw = np.random.default_rng(2)
    written = ["".join(draw.choice(list("abcde "), int(draw.integers(3, 15)))).strip() or "a" for _ in range(39)]
    rows = [*written, "ab,\n\"cd\""]
    return pd.DataFrame({"text": rows, "class": [CLASSES[at % 3] for at in range(40)], "value": np.arange(40.0)})


def shops(times: Any = MONTHS) -> pd.DataFrame:
    """Three series of two numbers."""
    draw = np.random.default_rng(3)
    parts = [pd.DataFrame({"shop": name, "month": times, "sold": draw.gamma(9, 2, len(times)),
                           "price": draw.gamma(5, 1, len(times))}) for name in ("north", 'the "inner", one', "süd")]
    return pd.concat(parts, ignore_index=True)


def corpus() -> str:
    draw = np.random.default_rng(4)
    return "".join(draw.choice(list(LETTERS), 3000))


SPLIT = {"validation": 0.2, "test": 0.25, "seed": 1}
TABLE = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "delimiter": ",", "decimal": ".", "encoding": "utf-8", "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "time": None,
    "time_format": None, "tokenizer": {"kind": "char", "min_count": 1}, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None,
    "licence": "mine", **SPLIT,
}
TEXT = {"kind": "text", "path": "data/raw/corpus.txt", "encoding": "utf-8", "licence": "mine",
        "inputs": {"text": "tokens"}, "targets": {"text": "next"}, "tokenizer": {"kind": "char", "min_count": 1},
        **SPLIT}


def _table(path: str, kind: str, columns: dict[str, list[str]], target: tuple[str, str],
           **others: Any) -> dict[str, Any]:
    (field,) = (name for name in columns if name != target[0] or target[1] in ("next", "forecast"))
    return {**TABLE, "path": f"data/raw/{path}", "inputs": {field: kind}, "targets": {target[0]: target[1]},
            "columns": columns, "series": "series", **others}


def _reals(name: str, kind: str, *columns: str) -> dict[str, Any]:
    return _table("sequences.csv", "real", {"x": ["a", "b"], name: list(columns)}, (name, kind))


def _letters(name: str, kind: str, *columns: str) -> dict[str, Any]:
    return _table("sequences.csv", "tokens", {"text": ["letter"], name: list(columns)}, (name, kind))


def _row_texts(name: str, kind: str, *columns: str) -> dict[str, Any]:
    return _table("texts.csv", "tokens", {"text": ["text"], name: list(columns)}, (name, kind), series=None)


def _sales(*columns: str, **others: Any) -> dict[str, Any]:
    forecast = {"horizon": HORIZON, "context": CONTEXT, "season": SEASON, "log": True, "start": "season", "window": "none", "stride": 1,
                "eval_stride": 1, "eval_windows": None}
    return _table("shops.csv", "real", {"x": list(columns)}, ("x", "forecast"), series="shop", time="month",
                  forecast=forecast, **others)


def _pooled(kind: str, pooling: str | None) -> dict[str, Any]:
    loss = "cross_entropy" if kind == "classification" else "squared_error"
    return {"kind": kind, "loss": loss, "pooling": pooling, "dropout": 0.0}


def _forecast(loss: str) -> dict[str, Any]:
    return {"kind": "forecast", "loss": loss, "levels": LEVELS, "calibration": "none", "decoder": None, "pooling": "last", "dropout": 0.0}


NEXT = {"kind": "next_token", "dropout": 0.0, "tied": False}
# name → section data and the head
ZOO: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "class": (_reals("label", "class", "class"), _pooled("classification", "last")),
    "class_mean": (_reals("label", "class", "class"), _pooled("classification", "mean")),
    "tag": (_reals("tag", "tag", "tag"), _pooled("classification", None)),
    "labels": (_reals("on", "labels", "l1", "l2"), {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}),
    "value": (_reals("y", "value", "value"), _pooled("regression", "last")),
    "values": (_reals("y", "values", "v", "w"), _pooled("regression", None)),
    "next": (_table("sequences.csv", "real", {"x": ["a", "b"]}, ("x", "next")), _pooled("regression", None)),
    "text_class": (_row_texts("label", "class", "class"), _pooled("classification", "last")),
    "text_class_attention": (_row_texts("label", "class", "class"), _pooled("classification", "attention")),
    "text_value": (_row_texts("y", "value", "value"), _pooled("regression", "last")),
    "text_tag": (_letters("tag", "tag", "tag"), _pooled("classification", None)),
    "text_labels": (_letters("on", "labels", "l1", "l2"), {"kind": "labels", "loss": "binary_cross_entropy", "dropout": 0.0}),
    "text_values": (_letters("y", "values", "v"), _pooled("regression", None)),
    "stream": ({**TEXT, "unit": "stream"}, NEXT),
    "lines": ({**TEXT, "unit": "line"}, NEXT),
    "rows": (_table("texts.csv", "tokens", {"text": ["text"]}, ("text", "next"), series=None), NEXT),
    "bytes": ({**TEXT, "unit": "stream", "tokenizer": {"kind": "byte"}}, NEXT),
    "forecast": (_sales("sold"), _forecast("quantile")),
    "forecast_two": (_sales("sold", "price"), _forecast("gaussian")),
}
OWN: dict[str, dict[str, Any]] = {
    "rnn": {"nonlinearity": "tanh"}, "lstm": {"forget_bias": 1.0}, "gru": {}, "mlp": {"window": 3},
    "cnn": {"kernel_size": 3},
}
CORES = tuple(OWN)
CAUSAL = [name for name in ZOO if not name.startswith(("forecast", "class_mean", "text_class_attention"))]


def core(kind: str, layers: int = 2, both_ways: bool = False) -> dict[str, Any]:
    described = {"kind": kind, "hidden_size": 5, "num_layers": layers, "dropout": 0.0, **OWN[kind]}
    if kind in ("rnn", "lstm", "gru"):
        described |= {"recurrent_init": "orthogonal", "bidirectional": both_ways}
    return described


def make(folder: Path, data: dict[str, Any]) -> tuple[Workspace, Prepared]:
    """A project, prepared."""
    workspace = Workspace(folder, folder)
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    sequences().to_csv(raw / "sequences.csv", index=False)
    texts().to_csv(raw / "texts.csv", index=False)
    shops().to_csv(raw / "shops.csv", index=False)
    (raw / "corpus.txt").write_text(corpus(), encoding="utf-8")
    prepare(workspace, RUNTIME, TypeAdapter(DataConfig).validate_python(data))
    return workspace, open_prepared(workspace.prepared)


def save_random(prepared: Prepared, folder: Path, head: dict[str, Any], cell: dict[str, Any], seed: int,
                inputs: dict[str, Any] | None = None) -> Predictor:
    """The model folder of a network whose every weight is random, opened; `inputs` are needed of several."""
    field, (target,) = prepared.spec.main, prepared.spec.targets
    tokens = prepared.spec.inputs[field].kind == "tokens"
    model = ModelConfig.model_validate({
        "inputs": inputs or {field: {"kind": "embedding" if tokens else "real", "size": 4, "dropout": 0.0}},
        "core": cell, "heads": {target: head},
    })
    network = build(model, prepared.spec, seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in network.parameters():
            if each.requires_grad:
                each.copy_(0.8 * torch.randn(each.shape, generator=draw))
    save_model(folder, network, model, prepared)
    return load(folder)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`zoo("tag", "lstm")`: each made once."""

    @cache
    def project(name: str) -> tuple[Workspace, Prepared]:
        return make(tmp_path_factory.mktemp(name), ZOO[name][0])

    @cache
    def made(name: str, cell: str = "gru", both_ways: bool = False, seed: int = 0) -> Made:
        workspace, prepared = project(name)
        folder = workspace.root / f"{cell}-{both_ways}-{seed}"
        return Made(workspace, prepared, folder,
                    save_random(prepared, folder, ZOO[name][1], core(cell, both_ways=both_ways), seed))

    return made


def some(made: Made, count: int = 7, seed: int = 0) -> list[Any]:
    """Sequences that the model reads, of unequal lengths."""
    draw = np.random.default_rng(seed)
    lengths = [int(each) for each in draw.integers(20, 30, count)]
    if made.predictor.spec.inputs[made.predictor.input].kind == "tokens":
        return ["".join(draw.choice(list("abcde"), length)) for length in lengths]
    return [draw.gamma(4, 2, (length, made.predictor.reader.size)) for length in lengths]


def asked(made: Made, given: Path, out: Path, **options: Any) -> pd.DataFrame:
    """What `unroll predict` writes, read again."""
    predict(given, out, str(options.get("model", made.model)), options.get("state"), options.get("save_state"))
    return read_table(out)


def read_table(path: Path) -> pd.DataFrame:
    match path.suffix:
        case ".csv":
            return pd.read_csv(path, keep_default_na=False)
        case ".jsonl":
            return pd.read_json(path, lines=True, convert_dates=False, precise_float=True)
    return pd.read_parquet(path)


def refused(call: Callable[[], object]) -> str:
    """The one line that a call is refused with."""
    with pytest.raises(UserError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith((".", "?")), said
    return said
