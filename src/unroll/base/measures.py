"""The measures that tasks are compared by, and where they stand in a file of metrics."""

from collections.abc import Mapping

# the measure that a task is compared by, in the order in which a reader would look for it
MEASURES = {
    "bpc": ("bits per character", False),
    "accuracy": ("accuracy", True),
    "nll": ("nats per step", False),
    "mase": ("MASE", False),
    "mse": ("mean squared error", False),
}


def measure_of(metrics: Mapping[str, float]) -> str:
    """Which measure a file of metrics is about."""
    return next(name for name in MEASURES if f"test/{name}" in metrics)


def compared(metrics: Mapping[str, float], measure: str) -> dict[str, float]:
    return {
        name.removeprefix("baseline/").removesuffix(f"_{measure}"): value
        for name, value in metrics.items()
        if name.startswith("baseline/") and name.endswith(f"_{measure}")
    }
