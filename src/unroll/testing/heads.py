"""The contract of a head, `unroll.models.head.BaseHead`."""

from collections.abc import Callable
from typing import Any, get_args

import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor

from unroll.config.encoders.embedding import Settings as Embedding
from unroll.config.head import PER_SEQUENCE, HeadSettings, Target
from unroll.config.heads import HEADS
from unroll.config.load import explain
from unroll.data.fields import IGNORED
from unroll.data.spec import InputSpec
from unroll.models.encoder import make_encoder
from unroll.models.head import BaseHead, Sizes, make_head
from unroll.models.loss import Frequencies
from unroll.models.onnx.graph import FLOAT, Graph
from unroll.testing._compare import close, equal, equal_shape
from unroll.testing.draws import check_draw

STEPS, LANES, FEATURES, SIZE, HORIZON = 6, 4, 5, 3, 2
LENGTHS = torch.tensor([6, 1, 4, 3])
FREQUENCIES = Frequencies(("a", "b", "c"), (50, 20, 1))
COMMON = {"dropout": 0.0, "pooling": None, "tied": False}


def check_head(kind: str, **settings: Any) -> None:
    """Check a kind of head, one of ours or of an installed package, on the kinds of targets that it predicts.

    `settings` are those that the kind alone has. Dropout is 0 and there is no pooling unless they say otherwise; with a
    pooling, targets of whole sequences are checked, without, those of steps.
    """
    made = _settings(kind, settings)
    assert made.predicts, f"{kind}: predicts is empty, so that no target can have this head"
    unknown = sorted(set(made.predicts) - set(get_args(Target)))
    assert not unknown, f"{kind}: predicts has {unknown}, which are no targets; these are: {get_args(Target)}"
    targets = [target for target in made.predicts if (target in PER_SEQUENCE) == made.per_sequence]
    assert targets, f"{kind}: per_sequence is {made.per_sequence}, but it predicts {made.predicts}"
    for target in targets:
        for check in CHECKS:
            check(made, target)


def check_shapes(settings: HeadSettings, target: Target) -> None:
    """Raw outputs and predictions for each step, or for each sequence; finite, of the type of the input."""
    head, hidden = _head(settings), _hidden()
    leading = (LANES,) if settings.per_sequence else (STEPS, LANES)
    outputs = head(hidden, LENGTHS)
    for what, found in (("forward()", outputs), ("predict()", head.predict(outputs))):
        first = tuple(found.shape[: len(leading)])
        assert first == leading, f"{what}: the first axes are {first}, not {leading}"
        assert found.isfinite().all(), f"{what}: not all values are finite"
        assert found.dtype == hidden.dtype, f"{what}: {found.dtype} from {hidden.dtype}"
    equal_shape("forward() of a single step", head(hidden[0]), (LANES, outputs.shape[-1]))
    equal("without lengths all steps are valid", head(hidden), head(hidden, torch.full((LANES,), STEPS)))


def check_padding(settings: HeadSettings, target: Target) -> None:
    """A padded batch gives what each of its sequences gives alone; an empty lane stays finite."""
    head, hidden = _head(settings), _hidden()
    outputs = head(hidden, LENGTHS)
    for lane, length in enumerate(LENGTHS.tolist()):
        alone = head(hidden[:length, lane : lane + 1], LENGTHS[lane : lane + 1])
        together = outputs[lane : lane + 1] if settings.per_sequence else outputs[:length, lane : lane + 1]
        equal("lanes depend on each other or on their padding", together, alone)
    assert head(hidden, torch.tensor([6, 0, 4, 3])).isfinite().all(), "an empty lane gives numbers that are not finite"


def check_loss_of_head(settings: HeadSettings, target: Target) -> None:
    """A sum over the targets that count; masked ones cost nothing and have no gradient."""
    head = _head(settings)
    outputs = head(_hidden(), LENGTHS).detach().requires_grad_()
    values = _values(settings, target)
    cost = head.loss(outputs, values)
    equal_shape("loss()", cost, ())
    axis = 0 if settings.per_sequence else 1        # of the lanes
    parts = sum(head.loss(outputs.narrow(axis, lane, 1), values.narrow(axis, lane, 1)) for lane in range(LANES))
    assert isinstance(parts, Tensor)
    equal("loss() is not a sum over targets: its lanes do not add up to it", parts, cost)
    masked = values.clone()
    masked.select(axis, 1).fill_(torch.nan if values.is_floating_point() else IGNORED)
    left = head.loss(outputs, masked)
    of_lane = head.loss(outputs.narrow(axis, 1, 1), values.narrow(axis, 1, 1))
    equal("masked targets cost something", left, parts - of_lane)
    (gradient,) = torch.autograd.grad(left, outputs)
    assert gradient.isfinite().all(), "the gradient is not finite where targets are masked"
    assert not gradient.select(axis, 1).any(), "masked targets have a gradient"
    assert gradient.select(axis, 0).any(), "known targets have no gradient"


def check_measures(settings: HeadSettings, target: Target) -> None:
    """Statistics add up over batches, and the measures that the settings name follow from them."""
    head = _head(settings)
    outputs, values = head(_hidden(), LENGTHS).detach(), _values(settings, target)
    axis = 0 if settings.per_sequence else 1        # of the lanes
    whole = head.statistics(outputs, values).double()
    parts = [head.statistics(outputs.narrow(axis, lane, 1), values.narrow(axis, lane, 1)) for lane in range(LANES)]
    equal("statistics() of lanes do not add up to those of all", sum(parts, torch.zeros_like(whole)), whole)
    names = set(head.measure(whole)) if settings.measures else set()
    assert names == set(settings.measures), f"measure() has {sorted(names)}, settings name {sorted(settings.measures)}"


def check_training(settings: HeadSettings, target: Target) -> None:
    """Every parameter gets a gradient, and a few steps against it make the loss smaller."""
    head, hidden, values = _head(settings), _hidden(), _values(settings, target)
    optimizer = torch.optim.SGD(head.parameters(), lr=1e-3)
    costs = []
    for _ in range(5):
        optimizer.zero_grad()
        cost = head.loss(head(hidden, LENGTHS), values)
        cost.backward()     # type: ignore[no-untyped-call]
        costs.append(float(cost.detach()))
        for name, parameter in head.named_parameters():
            assert parameter.grad is not None and parameter.grad.any(), f"parameter {name!r} gets no gradient"
            assert parameter.grad.isfinite().all(), f"parameter {name!r} gets a gradient that is not finite"
        optimizer.step()
    assert costs[-1] < costs[0], f"five small steps against the gradient do not make the loss smaller: {costs}"


def check_dropout(settings: HeadSettings, target: Target) -> None:
    """The dropout that is handed to `forward` is applied, with the probability of the settings."""
    probabilities: list[float] = []

    def record(values: Tensor, probability: float) -> Tensor:
        probabilities.append(probability)
        return values

    _head(settings.model_copy(update={"dropout": 0.25}))(_hidden(), LENGTHS, record)
    assert set(probabilities) == {0.25}, f"forward() with dropout 0.25 asks for dropout of {probabilities or 'nothing'}"


def check_seed(settings: HeadSettings, target: Target) -> None:
    """Parameters follow from PyTorch's seed alone, and saving and loading them keeps the predictions."""
    first, again, other = (_made(settings, seed) for seed in (1, 1, 2))
    one, same, different = (head.state_dict() for head in (first, again, other))
    assert all(torch.equal(one[name], same[name]) for name in one), "one seed gives different parameters"
    assert any(not torch.equal(one[name], different[name]) for name in one), "parameters do not depend on the seed"
    other.load_state_dict(load(save({name: part.contiguous() for name, part in one.items()})))
    equal("a saved and loaded head gives other outputs; register what it holds as parameters or buffers",
          other(_hidden(), LENGTHS), first(_hidden(), LENGTHS))


def check_onnx(settings: HeadSettings, target: Target) -> None:
    """The step graph's outputs are PyTorch's to 1e-5, for heads that predict at each step."""
    if settings.per_sequence:
        return
    from onnxruntime import InferenceSession

    head, graph = _head(settings, torch.float32), Graph()
    last = graph.node("Identity", graph.input("last", FLOAT, ["B", FEATURES]))
    head.onnx(graph, "heads.y", last)
    session = InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert names == ["heads.y"], f"onnx() writes the outputs {names}, not the one that it is asked for"
    step = _hidden()[0].float()
    close("onnx()", session.run(None, {"last": step.numpy()})[0], head(step))


def check_draws(settings: HeadSettings, target: Target) -> None:
    """Where the settings name what draws a next step, see `unroll.testing.draws`."""
    check_draw(settings, target, _head(settings)(_hidden()[0]).detach().float().numpy(), SIZE)


CHECKS: tuple[Callable[[HeadSettings, Target], None], ...] = (
    check_shapes, check_padding, check_loss_of_head, check_measures, check_training, check_dropout, check_seed,
    check_onnx, check_draws)


def _settings(kind: str, own: dict[str, Any]) -> HeadSettings:
    settings = HEADS.settings_of(kind)
    values = {name: value for name, value in COMMON.items() if name in settings.model_fields} | {"kind": kind} | own
    try:
        made = settings.model_validate(values)
    except ValidationError as error:
        raise AssertionError(f"settings of {kind}: {explain(error, values)}; pass it to check_head") from None
    assert isinstance(made, HeadSettings), f"settings of {kind} do not derive from unroll.config.head.HeadSettings"
    return made


def _made(settings: HeadSettings, seed: int, dtype: torch.dtype = torch.float64) -> BaseHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        symbols = InputSpec(kind="tokens", size=SIZE, width=1)
        encoder = make_encoder(Embedding(kind="embedding", size=4, dropout=0.0), symbols)
        torch.manual_seed(seed)
        head = make_head(settings, Sizes(FEATURES, SIZE, horizon=HORIZON, encoder=encoder, frequencies=FREQUENCIES))
    assert isinstance(head, BaseHead), f"{type(head)} does not derive from unroll.models.head.BaseHead"
    encoder.to(dtype)
    return head.to(dtype)


def _head(settings: HeadSettings, dtype: torch.dtype = torch.float64) -> BaseHead:
    """Moved a little off its start: what starts at zero would hide a mistake."""
    head, draw = _made(settings, 1, dtype), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw, dtype=parameter.dtype))
    return head


def _hidden() -> Tensor:
    return torch.randn(STEPS, LANES, FEATURES, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def _values(settings: HeadSettings, target: Target) -> Tensor:
    """Values of such a target: (T, B, …), or (B, …) for sequences; padding is masked."""
    draw = torch.Generator().manual_seed(5)
    leading = (LANES,) if settings.per_sequence else (STEPS, LANES)
    match target:
        case "next_symbol" | "next_category" | "class" | "tag":
            values = torch.randint(SIZE, leading, generator=draw)
        case "labels" | "next_labels":
            values = torch.randint(2, (*leading, SIZE), generator=draw).double()
        case "forecast":
            values = torch.randn(*leading, HORIZON, SIZE, generator=draw, dtype=torch.float64)
        case _:
            values = torch.randn(*leading, SIZE, generator=draw, dtype=torch.float64)
    if not settings.per_sequence:
        values[torch.arange(STEPS)[:, None] >= LENGTHS] = torch.nan if values.is_floating_point() else IGNORED
    return values
