"""Whether sequences can be continued from a state."""

from collections.abc import Mapping
from typing import Any

from unroll.base.errors import UserError
from unroll.data.spec import Spec
from unroll.models.network import Network
from unroll.prediction.memory import Memory
from unroll.prediction.predicted import Predicted


def check_state(network: Network, spec: Spec, targets: Mapping[str, Predicted]) -> None:
    """Raises `UserError` for a model that cannot continue sequences."""
    pooled = [target.pooling.kind for target in targets.values() if target.pooling is not None and target.pooling.whole]
    why = ("reads windows of a series" if any(target.spec.frame is not None for target in targets.values())
           else "also reads from the end" if network.core.directions == 2
           else f"pools the {pooled[0]} of whole sequences" if pooled
           else "reads a line between two known values, of which the second may come later"
           if any(field.per == "step" and field.missing == "interpolate" for field in spec.inputs.values()) else None)
    if why is not None:
        raise UserError("unsupported", "state", f"the model {why}, so that it has none to continue from. Give whole "
                        "sequences, and no state.")


def check_memory(network: Network, spec: Spec, targets: Mapping[str, Predicted], memory: Any,
                 lanes: int | None) -> None:
    """Raises `UserError` for what is no memory of so many sequences."""
    check_state(network, spec, targets)
    if not isinstance(memory, Memory):
        raise UserError("wrong-type", "state", f"{memory!r} is not one. Make one with memory(lanes).")
    if lanes not in (None, len(memory)):
        raise UserError("conflict", "state", f"of {len(memory)} sequences, and {lanes} are given. Give the same ones.")
