"""`model.json` of older formats as of today's, JSON to JSON: model folders outlive the version that wrote them."""

from collections.abc import Callable
from typing import Any

from unroll.data.migration import migrate_spec

Json = dict[str, Any]
FORMAT = 4


def migrate(old: Json) -> Json:
    """A whole `model.json` of a format in `OLDER`, or of today's, which has a spec that may be older."""
    while old["format"] != FORMAT:
        old = OLDER[old["format"]](old)
    return {**old, "spec": migrate_spec(old["spec"])}


def _from_3(old: Json) -> Json:
    """Format 3 did not name the version that wrote it, and had its loss in a head's kind, or as `distribution`."""
    architecture = old["architecture"]
    heads = {name: _head_of_3(head) for name, head in architecture["heads"].items()}
    return {
        "format": 4,
        "version": None,
        "architecture": {**architecture, "heads": heads},
        "blocks": old["gates"],
        "variant": old["variant"],
        "spec": old["spec"],
        "prepared": old["prepared"],
        "files": old["files"],
    }


def _head_of_3(head: Json) -> Json:
    losses = {"classification": "cross_entropy", "labels": "binary_cross_entropy", "regression": "squared_error"}
    if head["kind"] in losses:
        return {**head, "loss": losses[head["kind"]]}
    if head["kind"] == "forecast":
        return {**{key: value for key, value in head.items() if key != "distribution"}, "loss": head["distribution"]}
    return head


OLDER: dict[int, Callable[[Json], Json]] = {3: _from_3}      # from each older format to the next
