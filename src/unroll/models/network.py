"""A whole network: inputs → core → heads."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.encoders import scaler_of
from unroll.data.missing import reaches
from unroll.data.spec import Spec
from unroll.models.by_field import ByField
from unroll.models.cell import State
from unroll.models.core import Core, Missing
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.encoder import BaseEncoder, make_encoder
from unroll.models.first_state import FirstState
from unroll.models.gap import Gap
from unroll.models.head import BaseHead, Sizes, make_head
from unroll.models.loss import Frequencies
from unroll.models.segments import Segments

Fields = dict[str, Tensor]


class Network(nn.Module):
    def __init__(self, config: ModelConfig, spec: Spec) -> None:
        """`spec` has the sizes that follow from the data."""
        super().__init__()
        # in the order of their names, whatever order a file has them in
        encoders = {name: make_encoder(settings, spec.inputs[name]) for name, settings in sorted(config.inputs.items())}
        self.inputs = ByField(encoders)
        self.static = [name for name in encoders if config.inputs[name].static]
        self.own_axis = [name for name in encoders if config.inputs[name].own_axis]
        starting = [name for name in encoders if config.inputs[name].starts]
        self.throughout = [name for name in self.static if name not in starting]     # read at every step
        read = sum(encoder.size for name, encoder in encoders.items() if name not in starting)
        self.segments = _segments(spec, encoders, starting, read)
        longest, channels = spec.longest, 1
        if self.segments is not None:
            read, longest, channels = self.segments.size, longest // self.segments.steps, self.segments.channels
        self.core = Core(config.core, read, longest, _missing(spec, encoders, starting))
        self.ahead = [name for name in encoders if spec.inputs[name].known_ahead]
        known_ahead = 2 * sum(encoders[name].size for name in self.ahead)
        horizon, self._context = (0, 0) if spec.forecast is None else (spec.forecast.horizon, spec.forecast.context)
        self.heads = ByField()
        # heads whose prediction at a step is the next step of an input, so that what is drawn can be read
        self.next_step = [name for name in config.heads if spec.targets[name].per == "step" and spec.targets[name].of]
        for name, head in sorted(config.heads.items()):
            target = spec.targets[name]
            frequencies = Frequencies(target.classes, target.counts) if target.classes and target.counts else None
            if channels > 1 and target.frame is None:
                raise UserError("unsupported", f"model.inputs.{spec.main}.channels", "each series is read by "
                                f"itself, which {name} is not of. Set it to joint.")
            sizes = Sizes(self.core.size, target.size, self.core.directions, horizon, known_ahead, channels,
                          encoders.get(target.of or ""), frequencies,
                          scale=(1.0,) if target.frame is None else target.frame.correction.deviation)
            try:
                self.heads[name] = make_head(head, sizes)
            except UserError as error:
                if error.where.split(".")[0] not in type(head).model_fields:
                    raise
                raise UserError(error.code, f"model.heads.{name}.{error.where}", error.text) from None
        self.first = FirstState(starting, sum(encoders[name].size for name in starting), self.core) \
            if starting else None

    @property
    def whole(self) -> bool:
        """Whether sequences must be read at once, since a head pools their steps or a layer reads from the end."""
        return self.core.directions == 2 or any(self.head(name).pool is not None for name in self.heads)

    @property
    def has_onnx(self) -> bool:
        """Whether a step of it can be written as a graph."""
        return self.core.has_onnx and all(self.encoder(name).has_onnx for name in self.inputs)

    def start(self, lanes: int) -> list[State]:
        """The state before anything is read, where no input makes it."""
        return self.core.start(lanes)

    def first_state(self, inputs: Fields, lanes: int, dropout: Dropout = no_dropout) -> list[State]:
        """The state before the first step of sequences with these inputs, of which (B, ·) are read."""
        state = self.start(lanes)
        if self.first is None:
            return state
        parts = [self.encoder(name).whole(inputs, name, dropout) for name in self.first.names]
        made: list[State] = self.first(torch.cat(parts, dim=-1), state)
        return made

    def forward(
        self, inputs: Fields, state: list[State] | None = None, dropout: Dropout = no_dropout,
        lengths: Tensor | None = None,
    ) -> tuple[Fields, list[State]]:
        """Whole sequences: each input (T, B) or (T, B, F), or (B, F) of the whole; the state goes in and comes out.

        An input on an axis of its own is (T', B) or (T', B, F), and its `LENGTHS` (B,) stand beside it.

        `lengths` (B,) are the steps of each lane that are not padding. Outputs are (T, B, ·), or (B, ·) of heads
        that pool.
        """
        x = self.embed(inputs, dropout)
        if state is None:
            state = self.first_state(inputs, x.shape[1], dropout)
        elif self.first is not None and self.training:
            # several processes add up the gradients of every parameter at every step
            x = x + 0 * sum(part.sum() for layer in self.first_state(inputs, x.shape[1]) for part in layer)
        ahead = self.known_ahead(inputs, dropout)
        if self.segments is not None:
            x, lengths, dropout = self.segments(x), self.segments.lengths(lengths), self.segments.dropout(dropout)
            state = [tuple(part.repeat_interleave(self.segments.channels, dim=0) for part in layer) for layer in state]
        return self.read(x, state, dropout, lengths, ahead)

    def embed(self, inputs: Fields, dropout: Dropout = no_dropout, context: Tensor | None = None) -> Tensor:
        """(T, B, E), or (B, E) of a single step: the inputs side by side, those of whole sequences at every step.

        With `context`, those of whole sequences are not read again.
        """
        parts = {name: encoder(inputs[name][: self._context] if name in self.ahead else inputs[name], dropout)
                 for name, encoder in self.inputs.items() if name not in self.static}
        like = next(iter(parts.values()))
        if self.throughout:
            encoded = self.context(inputs, dropout) if context is None else context
            for name, part in zip(self.throughout, torch.split(encoded, self.context_sizes, dim=-1), strict=True):
                parts[name] = part.expand(len(like), -1, -1) if like.dim() == 3 else part
        ordered = [parts[name] for name in self.inputs if name in parts]
        return ordered[0] if len(ordered) == 1 else torch.cat(ordered, dim=-1)

    @property
    def context_sizes(self) -> list[int]:
        return [self.encoder(name).size for name in self.throughout]

    def context(self, inputs: Fields, dropout: Dropout = no_dropout) -> Tensor:
        """(B, E): the inputs of whole sequences that are read at every step, (B, ·) each, side by side."""
        return torch.cat([self.encoder(name).whole(inputs, name, dropout) for name in self.throughout], dim=-1)

    def known_ahead(self, inputs: Fields, dropout: Dropout = no_dropout) -> Tensor | None:
        """(H, B, 2 · E): what is known of each step ahead, and of the step that it is compared with."""
        if not self.ahead:
            return None
        later = [self.encoder(name)(inputs[name][self._context :], dropout) for name in self.ahead]
        return torch.cat(torch.cat(later, dim=-1).chunk(2), dim=-1)

    def read(
        self, x: Tensor, state: list[State] | None = None, dropout: Dropout = no_dropout,
        lengths: Tensor | None = None, ahead: Tensor | None = None,
    ) -> tuple[Fields, list[State]]:
        """The network behind its inputs, x (T, B, E), and what is known ahead, (H, B, ·)."""
        hidden, after = self.core(x, self.start(x.shape[1]) if state is None else state, dropout, lengths)
        outputs = {name: head(hidden, lengths, dropout, ahead) if self.head(name).reads_ahead
                   else head(hidden, lengths, dropout) for name, head in self.heads.items()}
        return outputs, after

    def step(self, inputs: Fields, state: list[State], context: Tensor | None = None) -> tuple[Fields, list[State]]:
        """One step of each lane: each input (B,) or (B, F), each output (B, ·); a head that pools sees the last."""
        hidden, after = self.core.step(self.embed(inputs, context=context), state)
        return {name: head(hidden) for name, head in self.heads.items()}, after

    def losses(self, outputs: Fields, targets: Fields, epoch: int | None = None) -> Fields:
        """Each head's loss, summed over the targets that are known; as in an epoch of the training, or as measured."""
        if epoch is None:
            return {name: self.head(name).loss(outputs[name], target) for name, target in targets.items()}
        return {name: self.head(name).loss_in_epoch(epoch, outputs[name], target) for name, target in targets.items()}

    def encoder(self, name: str) -> BaseEncoder:
        encoder = self.inputs[name]
        assert isinstance(encoder, BaseEncoder)
        return encoder

    def head(self, name: str) -> BaseHead:
        head = self.heads[name]
        assert isinstance(head, BaseHead)
        return head


def _segments(spec: Spec, encoders: Mapping[str, BaseEncoder], starting: Collection[str], read: int
              ) -> Segments | None:
    """How the steps of a forecast's window are put together, where they are; `read` numbers stand at each."""
    for name, encoder in encoders.items():
        if encoder.segments is None:
            continue
        if spec.forecast is None or name != spec.main:
            raise UserError("unsupported", f"model.inputs.{name}.kind", "only the series of a forecast are read in "
                            "segments. Choose real.")
        first = sum(other.size for before, other in encoders.items() if before < name and before not in starting)
        return Segments(encoder.segments, name, read, first, encoder.size, spec.inputs[name].width,
                        spec.forecast.context)
    return None


def _missing(spec: Spec, encoders: Mapping[str, BaseEncoder], starting: Collection[str]) -> Missing:
    """Which features of a step may be missing, of all that stand side by side."""
    found: dict[str, list[int]] = {"mask": [], "forward": []}
    first, gap = 0, None
    for name, encoder in encoders.items():
        if name in starting:
            continue
        missing = spec.inputs[name].missing
        if spec.inputs[name].gap and encoder.keeps_features:
            gap = Gap(first, float(scaler_of(spec.inputs[name]).deviation[0]))
        if missing is not None and reaches(missing, spec.inputs[name].per) and spec.inputs[name].per == "step":
            if any(other.segments is not None for other in encoders.values()):
                raise UserError("conflict", "data.missing", f"numbers of {name} may be missing, which cannot be read "
                                "in segments of several steps. Set it to mean, or read each step.")
            if not encoder.keeps_features:
                raise UserError("conflict", f"model.inputs.{name}.size", "a linear layer cannot read numbers that are "
                                "missing. Set it to null, or data.missing to mean or interpolate.")
            found[missing] += range(first, first + encoder.size)
        first += encoder.size
    return Missing(tuple(found["mask"]), tuple(found["forward"]), gap)


def build(config: ModelConfig, spec: Spec, seed: int) -> Network:
    """A fresh network whose parameters follow from `seed` alone; raises `UserError` if it does not fit the data."""
    for part, names, known in (("inputs", config.inputs, spec.inputs), ("heads", config.heads, spec.targets)):
        if missing := sorted(set(names) - set(known)):
            raise UserError("unknown-name", f"model.{part}.{missing[0]}", f"the prepared data has {sorted(known)}.")
    if spec.layout == "stream":
        config.core.check_stream()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(config, spec)
