"""What is read and predicted → names of fields, and the encoders and heads of section `model`."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from unroll.commands.init.draft import Draft, report
from unroll.commands.init.inputs import Read
from unroll.config.data import PER_SEQUENCE

LARGEST = 16        # numbers of a category's vector


def field_names(columns: Sequence[str], taken: Sequence[str], prefix: str, what: str = "column") -> list[str]:
    """Names of fields after their columns, or `what` else they are of: small letters, digits and _, each once."""
    names: list[str] = []
    for column in columns:
        plain = unicodedata.normalize("NFKD", column.casefold()).encode("ascii", "ignore").decode()
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        name = name if re.match(r"[a-z]", name) else f"{prefix}_{name}".strip("_")
        number = 2
        while name in (*taken, *names):
            name = f"{re.sub(r'_[0-9]+$', '', name)}_{number}"
            number += 1
        names.append(name)
        if name != column:
            report("name", f"the {what} {column!r} is the field {name!r}", "in conf/data and conf/experiment alike")
    return names


def encoder(reads: Sequence[Read]) -> dict[str, Any]:
    """For an input made of these columns, all of one kind."""
    most = max(read.column.distinct for read in reads)
    size = max(2, min(LARGEST, (most + 1) // 2))
    encoders: dict[str, dict[str, Any]] = {
        "tokens": {"kind": "embedding", "size": 64, "dropout": 0.0},
        "real": {"kind": "real", "size": None, "dropout": 0.0},
        "categories": {"kind": "category", "size": size, "dropout": 0.0},
        "future_real": {"kind": "real", "size": None, "dropout": 0.0},
        "future_categories": {"kind": "category", "size": size, "dropout": 0.0},
        "static_real": {"kind": "static", "size": None, "dropout": 0.0, "joins": "steps"},
        "static_categories": {"kind": "static_category", "size": size, "dropout": 0.0, "joins": "steps"},
        "context_tokens": {"kind": "context_text", "size": 64, "core": None, "pooling": "mean", "dropout": 0.0,
                           "joins": "steps"},
        "context_real": {"kind": "context_series", "size": None, "core": None, "pooling": "mean", "dropout": 0.0,
                         "joins": "steps"},
        "context_categories": {"kind": "context_category", "size": size, "core": None, "pooling": "mean",
                               "dropout": 0.0, "joins": "steps"},
    }
    return encoders[reads[0].kind]


def head(kind: str, text: bool = False) -> dict[str, Any]:
    """For a target of this kind; `text`: of a model that reads one."""
    pooling = ("mean" if text else "last") if kind in PER_SEQUENCE else None
    dropout = 0.2 if text and pooling else 0.0
    if kind in ("class", "tag"):
        return {"kind": "classification", "loss": "cross_entropy", "pooling": pooling, "dropout": dropout}
    if kind in ("labels", "next_labels"):
        return {"kind": "labels", "loss": "binary_cross_entropy", "dropout": dropout}
    return {"kind": "regression", "loss": "squared_error", "pooling": pooling, "dropout": dropout}


def set_monitor(draft: Draft, predicted: dict[str, str]) -> None:
    """Losses in several units do not add up, so that one of them chooses the best weights: that of the first target."""
    heads = {name: head(kind)["kind"] for name, kind in predicted.items()}
    if len({*heads.values()}) == 1:
        return
    first = next(iter(predicted))
    draft.overrides["train"] = {"monitor": f"{first}/loss"}
    measures = {"classification": "macro_f1", "labels": "frame_accuracy"}
    others = ", ".join(f"{name}/{measures.get(kind, 'loss')}" for name, kind in heads.items())
    draft.notes["monitor"] = f"what the best weights are chosen by; or {others}"
    report("monitor", f"the best weights are those of the lowest loss of {first!r}, the first target", "train.monitor")
