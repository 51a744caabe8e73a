"""A model folder in Python: sequences in, predictions out, whole or step by step."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll.base.errors import UserError, within_memory
from unroll.data.frame import frame_of
from unroll.models.cell import State
from unroll.models.folder import Model, load_model
from unroll.prediction.ahead import joined
from unroll.prediction.continued import check_memory, check_state
from unroll.prediction.generating import Generating
from unroll.prediction.memory import Memory
from unroll.prediction.predicted import Predicted, Targets
from unroll.prediction.reading import InputReader
from unroll.prediction.sequences import Fields, SequenceReader, stacked

Values = NDArray[Any]
LANES = 256     # sequences of one length that are read side by side
STEPS = 4096    # symbols that are read at a time, each of which gives a probability for every symbol


class Predictor(Targets, Generating):
    """`load`ed from a model folder; predictions do not depend on what else is in the batch."""

    def __init__(self, model: Model) -> None:
        self.model, self.spec = model, model.spec
        self.input = self.spec.main
        super().__init__({name: Predicted(name, head, self.spec.targets[name])
                          for name, head in model.config.heads.items()})
        # what stands before the first step of inputs that are read one step late, each predicted before it is read
        self._begins = {name: field.begin for name, field in self.spec.inputs.items() if field.begin is not None}
        self._frame = frame_of(self.spec) if self.spec.layout == "windows" else None
        self._steps_of = [name for name, field in self.spec.inputs.items() if field.per == "step"]
        self._reads = SequenceReader(self.spec, model.tokenizers, self._frame)
        # in double precision, since a long memory amplifies the rounding of another order of summing
        self._network = deepcopy(model.network).double()

    @property
    def reader(self) -> InputReader:
        """Reads values of the main input."""
        return self._reads.first

    def predict(
        self, sequences: Sequence[Any] | Values, memory: Memory | None = None, end: bool | None = None,
        names: Sequence[str] | None = None, future: Sequence[Any] | None = None,
    ) -> list[Values] | dict[str, list[Values]]:
        """Predictions for sequences, (T, F) or (T,) real numbers or texts, in units of the target.

        A model with several inputs takes each sequence as {input: values}.
        For each: probabilities (classes,) or (T, classes); probabilities of labels (T, L); values (D,) or (T, D);
        quantiles of the steps ahead (H, D, levels); the probability of each symbol before it came (T,). A model with
        several targets gives a list for each, by name.
        With `memory`, sequences continue earlier ones, and it is updated in place. `end` closes texts with the end
        symbol, as is the default without memory. `names` name the sequences in errors. `future` are, for each
        sequence, {input: values (H, F)} of the steps that are forecast, where the model reads what is known of them;
        without it, these inputs have H steps more than the others. Raises `UserError` on an empty sequence, one of the
        wrong width, or a series too short for its window.
        """
        predictions = self.predict_all(sequences, memory, end, names, future)
        return predictions if len(predictions) > 1 else predictions[self.target]

    @torch.inference_mode()
    def predict_all(
        self, sequences: Sequence[Any] | Values, memory: Memory | None = None, end: bool | None = None,
        names: Sequence[str] | None = None, future: Sequence[Any] | None = None,
    ) -> dict[str, list[Values]]:
        """As `predict`, by target, of which there may be one."""
        if isinstance(sequences, str) or not hasattr(sequences, "__len__"):
            kind = "a text" if isinstance(sequences, str) else repr(sequences)
            raise UserError("wrong-type", "predict", f"{kind} where several sequences are expected. Give a list: "
                            "[text].")
        if memory is not None:
            check_memory(self._network, self.spec, self.targets, memory, len(sequences))
        names = [str(number + 1) for number in range(len(sequences))] if names is None else names
        if future is not None:
            if len(future) != len(sequences):
                raise UserError("unequal-lengths", "future", f"{len(future)} for {len(sequences)} sequences. Give one "
                                "for each.")
            sequences = [joined(f"future of sequence {name}", sequence, later, self.spec)
                         for name, sequence, later in zip(names, sequences, future, strict=True)]
        closed = not self.spec.drawn and (memory is None if end is None else end)
        values = [self._reads.sequence(f"sequence {name}", sequence, closed)
                  for name, sequence in zip(names, sequences, strict=True)]
        lengths = np.array([len(sequence[self.input]) for sequence in values])
        predictions: dict[str, list[Values]] = {name: [np.zeros(0)] * len(values) for name in self.targets}
        moved = None if memory is None else memory.lanes(np.arange(len(values)))
        for length in np.unique(lengths):
            alike = np.flatnonzero(lengths == length)
            for first in range(0, len(alike), LANES):
                lanes = alike[first : first + LANES]
                advice = (f"too little memory for {len(lanes)} sequences of {length:,} steps. Give shorter ones, or "
                          "fewer of that length.")
                with np.errstate(over="ignore"), within_memory(f"sequence {names[lanes[0]]}", advice.__str__):
                    batch = self._run(stacked([values[lane] for lane in lanes], self.spec.inputs), lanes, moved)
                for target, made in batch.items():
                    for lane, prediction in zip(lanes, made, strict=True):
                        predictions[target][lane] = prediction
        for found in predictions.values():
            for name, prediction in zip(names, found, strict=True):
                if not np.isfinite(prediction).all():
                    raise UserError("bad-number", f"sequence {name}", "the prediction is not finite. Is a value far "
                                    "from all that the model was trained on? Correct it.")
        if memory is not None and moved is not None:
            memory.put(np.arange(len(values)), moved)       # all lanes, or none when there was an error
        return predictions

    def at_levels(self, levels: list[float]) -> "Predictor":
        """The same, whose forecast's quantiles are at these levels; its loss must be a distribution's."""
        finer = Predictor(self.model)
        head: Any = finer._network.head(self.forecast.name)
        head.at_levels(levels)
        return finer

    def memory(self, lanes: int) -> Memory:
        """The memory of sequences of which nothing has been read."""
        check_state(self._network, self.spec, self.targets)
        if not isinstance(lanes, int | np.integer) or lanes < 1:
            raise UserError("out-of-range", "memory", f"{lanes!r} is not a whole number above 0. Give the number of "
                            "sequences.")
        # copies, since cells may share their zeros
        state = [tuple(part.detach().clone() for part in layer) for layer in self._network.start(lanes)]
        return Memory(state, {name: self._before(name, lanes) for name in self._begins}, np.zeros(lanes, np.int64))

    def _before(self, name: str, lanes: int) -> Values:
        """A row before the first step of an input, (B,), (B, F) or (B, K)."""
        field = self.spec.inputs[name]
        shape = {"tokens": (), "categories": (field.width,), "real": (field.size,)}[field.kind]
        return np.full((lanes, *shape), self._begins[name], np.float64 if field.kind == "real" else np.int64)

    @torch.inference_mode()
    def step(self, values: Values | None, memory: Memory) -> Values | dict[str, Values]:
        """One step of each lane, (B, F) real numbers or (B,) symbols → (B, ·) predictions; updates `memory`.

        A model with several inputs takes {input: values}, those of whole sequences at every step. Of several targets
        by name. A model that predicts inputs before it reads them, of a text the probabilities (B, V) of a symbol,
        predicts the step after this one; None, or no such inputs, reads no step.
        """
        check_memory(self._network, self.spec, self.targets, memory, None)
        if memory.last and len(self._steps_of) > len(memory.last):
            raise UserError("unsupported", "step", "what is read beside the next step is not known yet. Use "
                            "predict(sequences, memory).")
        if values is None and not memory.last:
            raise UserError("missing-value", "step", "only a model of the next step predicts before it has read one. "
                            "Give one.")
        found = self._reads.step({} if values is None else values, len(memory), [*memory.last])
        late = [name for name in memory.last if name in found]
        if late and len(late) < len(memory.last):
            raise UserError("missing-value", "step", f"only {', '.join(late)} of {', '.join(memory.last)}. Give all "
                            "of them, or none.")
        read = {name: torch.from_numpy(value) for name, value in found.items()}
        state = self._state(memory, read)
        if memory.last:
            if late:
                before = {name: torch.from_numpy(last) for name, last in memory.last.items()}
                state = self._network.step({**read, **before}, state)[1]
                memory.last = {name: found[name].astype(last.dtype) for name, last in memory.last.items()}
            read |= {name: torch.from_numpy(last) for name, last in memory.last.items()}
        outputs, after = self._network.step(read, state)
        memory.state = state if memory.last else after
        memory.steps = memory.steps + (len(late) == len(memory.last))
        predictions = {name: target.decode(self._network.head(name).predict(outputs[name]).double().numpy())
                       for name, target in self.targets.items()}
        return predictions if len(predictions) > 1 else predictions[self.target]

    def _run(self, fields: Fields, places: Values, memory: Memory | None) -> dict[str, Values | list[Values]]:
        """Sequences of one length, (T, B, ·), or (B, ·) of the whole → predictions (B, …) of each target."""
        values = fields[self.input]
        steps, lanes = values.shape[:2]
        own = None if memory is None else memory.lanes(places)
        inputs = {name: self._reads.encode(name, field) for name, field in fields.items()
                  if self._frame is None or name != self.input}
        if self._frame is not None:
            inputs[self.input] = self._frame.encode(values).astype(np.float64)
        last = {name: inputs[name][-1] for name in self._begins}
        for name in last:       # read one step late, so that each step is predicted from those before it
            before = self._before(name, lanes) if own is None else own.last[name]
            inputs[name] = np.concatenate([before[None], inputs[name][:-1]])
        # without pooling, a prediction needs only the steps before it
        length = len(inputs[self.input])
        stretch = length if self._network.whole else max(1, STEPS // lanes)
        state = None
        if own is not None:
            whole = {name: torch.from_numpy(field) for name, field in inputs.items() if name not in self._steps_of}
            state = self._state(own, whole)
        parts: dict[str, list[Values]] = {name: [] for name in self.targets}
        for first in range(0, length, stretch):
            read = {name: torch.from_numpy(field[first : first + stretch] if name in self._steps_of and stretch < length
                                           else field) for name, field in inputs.items()}
            outputs, state = self._network(read, state)
            for name, target in self.targets.items():
                predicted = self._network.head(name).predict(outputs[name])
                if target.spec.symbols:
                    symbols = torch.from_numpy(fields[target.spec.of or self.input][first : first + stretch])
                    predicted = predicted.gather(-1, symbols[..., None])[..., 0]
                parts[name].append(predicted.double().numpy())
        made: dict[str, Values | list[Values]] = {name: self._joined(self.targets[name], values, found)
                                                  for name, found in parts.items()}
        assert state is not None
        made |= self._shifted(values, inputs, state, parts)
        if memory is not None and own is not None:
            memory.put(places, Memory(state, last, own.steps + steps))
        return made

    def _state(self, memory: Memory, inputs: dict[str, torch.Tensor]) -> list[State]:
        """What lanes have read, or what the inputs of their whole sequences make of nothing."""
        if self._network.first is None:
            return memory.state
        fresh, made = torch.from_numpy(memory.steps == 0), self._network.first_state(inputs, len(memory))
        return [tuple(torch.where(fresh.view(-1, *[1] * (part.dim() - 1)), new, part)
                      for new, part in zip(*layers, strict=True)) for layers in zip(made, memory.state, strict=True)]

    def _shifted(self, values: Values, inputs: Fields, state: list[State], parts: dict[str, list[Values]]) \
            -> dict[str, list[Values]]:
        """Predictions of targets that a symbol has once it has been read: of the last one, too, and of no end symbol.

        `parts` begin with what is predicted before the first symbol, and `state` is that before the last one.
        """
        names = [name for name in self.targets if self.spec.shifted(name)]
        if not names:
            return {}
        read = {name: torch.from_numpy(values[-1] if name == self.input else field) for name, field in inputs.items()}
        outputs, _ = self._network.step(read, state)
        ends = values[-1] == self.model.tokenizers[self.input].end
        made = {}
        for name in names:
            last = self._network.head(name).predict(outputs[name]).double().numpy()
            rows = self.targets[name].decode(np.concatenate([*parts[name], last[None]])[1:]).swapaxes(0, 1)
            made[name] = [row[:-1] if ends[lane] else row for lane, row in enumerate(rows)]
        return made

    def _joined(self, target: Predicted, values: Values, parts: list[Values]) -> Values:
        if self._frame is not None:     # of other targets, as in training, that of the last step
            return self._frame.decode(values, parts[0]) if target.spec.frame is not None else (     # (B, H, D, levels)
                target.decode(parts[-1][-1:]).swapaxes(0, 1))               # (B, 1, ·)
        if target.pooling is not None:
            return target.decode(parts[0])                                  # (B, ·)
        return target.decode(np.concatenate(parts)).swapaxes(0, 1)          # (B, T, ·)


def load(folder: str | Path) -> Predictor:
    """Open a model folder; raises `UserError` when it is missing or damaged."""
    return Predictor(load_model(Path(folder)))
