"""Specs without a prepared folder."""

from typing import Any

from unroll.data.spec import FORMAT, Spec, read_spec

HORIZON = {"horizon": 1, "context": 1, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}


def make_spec(inputs: dict[str, Any], targets: dict[str, Any], forecast: dict[str, Any] | None = None, **others: Any) -> Spec:
    """Fields as they stand in JSON; what they leave out is filled in."""
    read = {name: {"width": 1 if field["kind"] == "tokens" else field["size"], **field} for name, field in inputs.items()}
    return read_spec({
        "format": FORMAT, "layout": "stream", "longest": 4, "inputs": read, "targets": targets,
        "forecast": forecast and {**HORIZON, **forecast},
        "splits": {split: {"sequences": 1, "steps": 1200} for split in ("train", "validation", "test")},
        "source": {"kind": "text", "name": "letters", "licence": "none", "sha256": "0" * 64}, "reading": {}, **others,
    }, "test", "")


def changed(spec: Spec, **parts: Any) -> Spec:
    """The same with other parts, given as they stand in JSON."""
    whole = spec.model_dump(mode="json") | parts
    return make_spec(**{name: value for name, value in whole.items() if name != "format"})
