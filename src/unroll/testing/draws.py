"""The contract of what draws a head's next step beside other fields, `unroll.generation.draw.BaseDraw`."""

import numpy as np
from numpy.typing import NDArray

from unroll.config.head import HeadSettings, Target
from unroll.config.sampling import sampling
from unroll.data.spec import InputSpec, Scale
from unroll.generation.draw import Drawn, Lanes, Values, draw_of
from unroll.generation.rules import Logits

STEPS = 3       # the same outputs at each


def check_draw(settings: HeadSettings, target: Target, outputs: Logits, size: int) -> None:
    """What is drawn from raw outputs (B, ·) can be read, of each lane whatever is beside it, and without chance."""
    if not settings.draw or target not in ("next_category", "next_labels", "next_value"):
        return      # symbols need a tokenizer
    numbers = Scale(mean=(0.0,) * size, deviation=(1.0,) * size)
    names = tuple(f"c{number}" for number in range(size))
    field = InputSpec(kind="categories", size=size + 1, width=1, categories=(names,), begin=0) \
        if target == "next_category" else InputSpec(kind="real", size=size, width=size, scale=numbers, begin=0)
    together = _drawn(settings, field, outputs, range(len(outputs)))
    shape, kind = ((1,), "i") if target == "next_category" else ((size,), "f")
    assert together.shape == (STEPS, len(outputs), *shape), \
        f"Draw gives steps of shape {together.shape[1:]}, not {(len(outputs), *shape)}"
    assert together.dtype.kind == kind and np.isfinite(together).all(), \
        f"Draw gives {together.dtype}, or no finite values"
    if target == "next_category":
        assert together.min() >= 1 and together.max() <= size, "Draw gives categories that are not from 1 to as many"
    if target == "next_labels":
        assert np.isin(together, (0, 1)).all(), "Draw gives labels that are neither 0 nor 1"
    for lane in range(len(outputs)):
        alone = _drawn(settings, field, outputs, [lane])[:, 0]
        assert np.allclose(alone, together[:, lane], rtol=1e-6), "what Draw gives a lane depends on the lanes beside it"
    greedy = _drawn(settings, field, outputs, range(len(outputs)), greedy=True)
    assert (greedy == greedy[:1]).all(), "with greedy Draw gives other values from the same outputs"


def _drawn(settings: HeadSettings, field: InputSpec, outputs: Logits, lanes: "range | list[int]", greedy: bool = False
           ) -> Values:
    """(STEPS, lanes, …)"""
    begin: NDArray[np.int64] = np.zeros((1, field.width), np.int64)
    draw = draw_of(settings)(Drawn(field, settings, None), Lanes(
        sampling(greedy=greedy), [begin for _ in lanes], [(1, lane, 0) for lane in lanes]))
    return np.stack([draw(np.arange(len(lanes)), outputs[lanes])[0] for _ in range(STEPS)])
