"""Comparisons that name what differs."""

from typing import Any

import numpy as np
from torch import Tensor


def equal(message: str, found: Tensor, expected: Tensor) -> None:
    """In double precision: only rounding below 1e-9 is forgiven."""
    assert found.allclose(expected, rtol=1e-9, atol=1e-9, equal_nan=True), \
        f"{message} (they differ by up to {float((found - expected).detach().abs().max()):.1e})"


def close(message: str, found: Any, expected: Tensor) -> None:
    """ONNX Runtime's values and PyTorch's in single precision."""
    difference = float(np.abs(found - expected.detach().numpy()).max())
    assert difference < 1e-5, f"{message} differs from PyTorch's by {difference:.1e}"


def equal_shape(what: str, found: Tensor, expected: tuple[int, ...]) -> None:
    assert tuple(found.shape) == expected, f"{what} has shape {tuple(found.shape)}, not {expected}"
