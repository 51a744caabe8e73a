from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveFloat

from unroll.config.loss import LossSettings, Target


def _named(weights: Any) -> Any:
    """YAML reads a class that is called 1 as a number."""
    if not isinstance(weights, dict):
        return weights
    return {str(name) if type(name) is int else name: weight for name, weight in weights.items()}


class Settings(LossSettings):
    """Cross-entropy in which each class has a weight, proportional to n^-power, n being how often training has it.

    Weights are normalised to mean 1 over the training split, so that the loss divides by a count as others do.
    """

    kind: Literal["weighted_cross_entropy"]
    power: Annotated[float, Field(ge=0, le=2)]      # 1: inverse frequency, ½: its square root, 0: all classes alike
    # factors of classes, by their names; a class that is not named has 1
    weights: Annotated[dict[str, PositiveFloat], BeforeValidator(_named)]

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "weighted nats per {per}"
    probabilities: ClassVar[str] = (
        "Its probabilities are of classes as frequent as training weighed them, not as they occur.")
