"""Older formats of `model.json`, brought up to date in memory; the file stays as it is."""

from collections.abc import Callable
from typing import Any

FORMAT = 4


def _losses(described: dict[str, Any]) -> None:
    """3 → 4: a head's loss is a setting."""
    losses = {"classification": "cross_entropy", "labels": "binary_cross_entropy", "regression": "squared_error"}
    for head in described["architecture"]["heads"].values():
        if head["kind"] == "forecast":
            head["loss"] = head.pop("distribution")
        elif head["kind"] in losses:
            head["loss"] = losses[head["kind"]]


STEPS: dict[int, Callable[[dict[str, Any]], None]] = {3: _losses}      # from each older format to the next one


def migrate(described: dict[str, Any]) -> None:
    """Change what was read, in place; its digest is that of the file, so it must have been checked before."""
    while described["format"] < FORMAT:
        STEPS[described["format"]](described)
        described["format"] += 1
