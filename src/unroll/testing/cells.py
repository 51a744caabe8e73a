"""The contract of a cell, `unroll.models.cell.BaseCell`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor

from unroll.config.cell import CellSettings
from unroll.config.cells import CELLS
from unroll.config.load import explain
from unroll.models.cell import BaseCell, State
from unroll.models.core import Core
from unroll.models.onnx.graph import FLOAT, INT32, Graph
from unroll.testing._compare import close, equal, equal_shape

STEPS, LANES, FEATURES = 6, 3, 5
COMMON = {"hidden_size": 4, "num_layers": 2, "dropout": 0.0, "bidirectional": False, "recurrent_init": "orthogonal"}


def check_cell(kind: str, **settings: Any) -> None:
    """Check a kind of cell, one of ours or of an installed package, in a core of two layers.

    `settings` are those that the kind alone has; common ones have small values unless they are given.
    """
    for check in CHECKS:
        check(_settings(kind, settings))


def check_shapes(settings: CellSettings) -> None:
    """y (T, B, H), a state of the declared parts, finite numbers; a state starts at zero."""
    cell, x, state = _cell(settings), _steps(settings), _cell(settings).start(LANES)
    assert len(state) == len(cell.state_sizes), f"start() has {len(state)} parts, state_sizes {len(cell.state_sizes)}"
    assert all(not part.any() for part in state), "start() is not zero"
    y, after = cell(x, state)
    equal_shape("forward(): y", y, (STEPS, LANES, cell.size))
    for name, part, shape in zip(cell.state_sizes, after, cell.state_sizes.values(), strict=True):
        equal_shape(f"forward(): state {name!r}", part, (LANES, *shape))
    for part in (y, *after):
        assert part.isfinite().all(), "forward(): not all values are finite"
    for dtype in (torch.float64, torch.float32):
        y, after = cell.to(dtype)(x.to(dtype), tuple(part.to(dtype) for part in state))
        for part in (y, *after):
            assert part.dtype == dtype, f"forward(): {part.dtype} from {dtype}; make tensors like x or the parameters"


def check_steps(settings: CellSettings) -> None:
    """`step` is `forward` of one step; neither changes what it was given."""
    cell, x, state = _cell(settings), _steps(settings), _some_state(settings)
    before = [part.clone() for part in (x, *state)]
    y, after = cell(x, state)
    stepped, changed = state, "forward() changes what it was given"
    for t, x_t in enumerate(x):
        _equal_states(changed, (x, *state), tuple(before))
        y_t, stepped = cell.step(x_t, stepped)
        changed = "step() changes what it was given"
        equal(f"step() is not forward(), output of step {t}", y_t, y[t])
    _equal_states("step() is not forward(), the state at the end", stepped, after)


def check_chunks(settings: CellSettings) -> None:
    """A sequence in pieces, the state carried, is the whole sequence; the state holds all that later steps need."""
    cell, x, state = _cell(settings), _steps(settings), _some_state(settings)
    y, after = cell(x, state)
    parts = []
    for chunk in (x[:2], x[2:3], x[3:]):
        part, state = cell(chunk, state)
        parts.append(part)
    equal("chunks with a carried state are not the whole sequence", torch.cat(parts), y)
    _equal_states("the state after chunks is not that of the whole sequence", state, after)


def check_causality(settings: CellSettings) -> None:
    """What comes later, padding too, changes no earlier step."""
    cell, x, state = _cell(settings), _steps(settings), _some_state(settings)
    other = x.clone()
    other[4:] = 7.0
    equal("later steps, or padding, change earlier outputs", cell(other, state)[0][:4], cell(x, state)[0][:4])


def check_lanes(settings: CellSettings) -> None:
    """Lanes do not depend on each other, and a state's first axis is the lanes, so that lanes can be taken."""
    cell, x, state = _cell(settings), _steps(settings), _some_state(settings)
    order = torch.tensor([2, 0, 0])
    y, after = cell(x, state)
    taken, after_taken = cell(x[:, order], tuple(part[order] for part in state))
    equal("lanes depend on each other, or axis 0 of the state is not the lanes", taken, y[:, order])
    _equal_states("the state's lanes depend on each other", after_taken, tuple(part[order] for part in after))


def check_gradients(settings: CellSettings) -> None:
    """Every parameter that is trained and every step of the input gets a finite gradient."""
    cell, x = _cell(settings), _steps(settings).requires_grad_()
    y, after = cell(x, _some_state(settings))
    sum(part.square().sum() for part in (y, *after)).backward()
    for name, parameter in cell.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, f"parameter {name!r} gets no gradient"
            assert parameter.grad.isfinite().all(), f"parameter {name!r} gets a gradient that is not finite"
            assert parameter.grad.any(), f"parameter {name!r} gets a gradient of zero"
    assert x.grad is not None and x.grad.abs().sum(dim=-1).gt(0).any(dim=1).all(), "a step's input gets no gradient"


def check_gates(settings: CellSettings) -> None:
    """Gates lie between 0 and 1, (B, H) each."""
    cell = _cell(settings)
    for name, gate in cell.gates(_steps(settings)[0], _some_state(settings)).items():
        equal_shape(f"gates(): {name!r}", gate, (LANES, cell.size))
        assert ((gate >= 0) & (gate <= 1)).all(), f"gates(): {name!r} is not between 0 and 1"


def check_seed(settings: CellSettings) -> None:
    """Parameters follow from PyTorch's seed alone, and layers have parameters of their own."""
    first, again, other = (_core(settings, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first), "one seed gives different parameters"
    assert any(not torch.equal(first[name], other[name]) for name in first), "parameters do not depend on the seed"


def check_saved(settings: CellSettings) -> None:
    """Parameters, saved and loaded into another core of these settings, give the same outputs."""
    one, other = _core(settings, 1), _core(settings, 2)
    other.load_state_dict(load(save({name: part.contiguous() for name, part in one.state_dict().items()})))
    x = _steps(settings)
    equal("a saved and loaded core gives other outputs; register what it holds as parameters or buffers",
           other(x, other.start(LANES))[0], one(x, one.start(LANES))[0])


def check_both_ways(settings: CellSettings) -> None:
    """A core that also reads from the end, of settings that have `bidirectional`."""
    if "bidirectional" in type(settings).model_fields:
        core = _core(settings.model_copy(update={"bidirectional": True}), 1)
        y, _ = core(_steps(settings), core.start(LANES), lengths=torch.tensor([6, 1, 4]))
        equal_shape("bidirectional: y", y, (STEPS, LANES, core.size))


def check_onnx(settings: CellSettings) -> None:
    """The step graph's outputs and next state are PyTorch's to 1e-5, each lane's at its own last step."""
    cell = _cell(settings).float()
    if not cell.has_onnx():
        return
    from onnxruntime import InferenceSession

    graph = Graph()
    x, lengths = graph.input("x", FLOAT, ["T", "B", FEATURES]), np.array([6, 1, 4], np.int32)
    graph.input("lengths", INT32, ["B"])
    y, last = cell.onnx(graph, "layer", x)
    graph.node("Identity", y, also=[graph.output("y", ["T", "B", cell.size])], outputs=0)
    graph.node("Identity", last, also=[graph.output("last", ["B", cell.size])], outputs=0)
    session = InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])
    shapes = {part.name: part.shape for part in session.get_inputs() if part.name.startswith("state.layer")}
    feeds = {name: np.zeros([LANES if axis == "B" else axis for axis in shape], np.float32)
             for name, shape in shapes.items()}
    names = ["y", "last", *(name.replace("state.", "next.", 1) for name in shapes)]
    steps = _steps(settings).float()
    found = session.run(names, {"x": steps.numpy(), "lengths": lengths, **feeds})
    expected, _ = cell(steps, cell.start(LANES))
    for lane, length in enumerate(lengths):
        close("onnx(): y", found[0][:length, lane], expected[:length, lane])
        close("onnx(): the output at the last step", found[1][lane], expected[length - 1, lane])
        _, after = cell(steps[:length, lane : lane + 1], cell.start(1))
        for value, part in zip(found[2:], (part for part in after if part.numel()), strict=True):
            close("onnx(): the next state", value[:, lane].squeeze(), part.squeeze())


CHECKS: tuple[Callable[[CellSettings], None], ...] = (
    check_shapes, check_steps, check_chunks, check_causality, check_lanes, check_gradients, check_gates, check_seed,
    check_saved, check_both_ways, check_onnx,
)


def _settings(kind: str, own: dict[str, Any]) -> CellSettings:
    settings = CELLS.settings_of(kind)
    values = {name: value for name, value in COMMON.items() if name in settings.model_fields} | {"kind": kind} | own
    try:
        made = settings.model_validate(values)
    except ValidationError as error:
        raise AssertionError(f"settings of {kind}: {explain(error, values)}; pass it to check_cell") from None
    assert isinstance(made, CellSettings), f"settings of {kind} do not derive from unroll.config.cell.CellSettings"
    return made


def _core(settings: CellSettings, seed: int) -> Core:
    """In double precision, so that only rounding below 1e-9 is forgiven."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Core(settings, FEATURES, longest=STEPS).double()


def _cell(settings: CellSettings) -> BaseCell:
    """The first layer, moved a little off its start: what starts at zero would hide a mistake."""
    cell = _core(settings, 1).layers[0]
    assert isinstance(cell, BaseCell), f"{type(cell)} does not derive from unroll.models.cell.BaseCell"
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in cell.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw, dtype=parameter.dtype))
    return cell


def _steps(settings: CellSettings) -> Tensor:
    """x (T, B, E); with missing numbers, where the cell reads such."""
    x = torch.randn(STEPS, LANES, FEATURES, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    if CELLS.code_of(settings.kind, "Cell").reads_missing:
        x[torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) < 0.3] = torch.nan
    return x


@torch.no_grad()
def _some_state(settings: CellSettings) -> State:
    """The state after other steps."""
    cell = _cell(settings)
    return tuple(part.detach() for part in cell(_steps(settings).flip(0), cell.start(LANES))[1])


def _equal_states(message: str, found: State, expected: State) -> None:
    for one, other in zip(found, expected, strict=True):
        equal(message, one, other)
