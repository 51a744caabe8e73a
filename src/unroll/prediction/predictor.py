"""A model folder in Python: sequences in, predictions out, whole or step by step."""

from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll.base.errors import UserError, within_memory
from unroll.config.pooling import PoolingSettings
from unroll.config.sampling import check_seed, sampling
from unroll.data.encoders import scaler_of
from unroll.data.store import frame_of
from unroll.generation.engine import Engine
from unroll.generation.music import Composer
from unroll.generation.text import Generator
from unroll.generation.torch_engine import engine_of
from unroll.models.folder import Model, load_model
from unroll.prediction.memory import Memory
from unroll.prediction.reading import InputReader

Values = NDArray[Any]
LANES = 256     # sequences of one length that are read side by side
STEPS = 4096    # symbols that are read at a time: a probability of every symbol stands for each


class Predictor:
    """`load`ed from a model folder; predictions do not depend on what else is in the batch."""

    def __init__(self, model: Model) -> None:
        self.model, self.spec = model, model.spec
        for part in ("inputs", "targets"):
            names = list(getattr(self.spec, part))
            if len(names) > 1:
                raise UserError(f"the model has {len(names)} {part}, {', '.join(names)}, where a "
                                "prediction is from one input of one target. Train a model for each.")
        (self.input,), (self.target,) = self.spec.inputs, self.spec.targets
        self._described = self.spec.targets[self.target]
        self._begin = self.spec.inputs[self.input].begin      # of a language model
        self._tokenizer = model.tokenizers.get(self.input)
        self._frame = frame_of(self.spec) if self.spec.layout == "windows" else None
        self.reader = InputReader(self.spec.inputs[self.input], self._tokenizer, self._frame)
        # in single precision a long memory lets grow what another order of summing changes
        self._network = deepcopy(model.network).double()
        self._head = self._network.head(self.target)
        self._pooling: PoolingSettings | None = getattr(model.config.heads[self.target], "pooling", None)
        self._both_ways: bool = model.config.core.both_ways

    @property
    def kind(self) -> str:
        """The head: next_token, classification, labels, regression or forecast."""
        return self.model.config.heads[self.target].kind

    @property
    def per(self) -> str:
        """step or sequence: what a prediction is of."""
        return self._described.per

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their probabilities; none of other heads."""
        return list(self._described.classes or ())

    @property
    def levels(self) -> list[float]:
        """Of a forecast, the quantiles' levels."""
        return list(getattr(self.model.config.heads[self.target], "levels", []))

    @property
    def columns(self) -> list[str]:
        """What the target's numbers are called: as in the table that the model was trained on, or 1, 2, …"""
        return list(self._described.names or map(str, range(1, self._described.size + 1)))

    @property
    def ahead(self) -> int:
        """How many steps after the one just read a prediction is of: 1 where the next one is predicted."""
        return self._described.ahead

    @torch.inference_mode()
    def predict(
        self, sequences: Sequence[Any] | Values, memory: Memory | None = None, end: bool | None = None,
        names: Sequence[str] | None = None,
    ) -> list[Values]:
        """Of each sequence, (T, F) or (T,) real numbers or a text, what the head says, in units of the target.

        Probabilities (classes,) or (T, classes); probabilities of labels (T, L); values (D,) or (T, D); quantiles of
        the steps ahead (H, D, levels); of a language model, the probability that each symbol had before it came (T,).
        `memory` goes on from where earlier sequences ended, and is moved on in place. `end` says whether short texts
        end here, with a symbol of their own; unless given, they do when there is no memory that goes on. `names` are
        what an error calls the sequences. Raises `UserError` on an empty sequence, one of the wrong width, or a series
        too short for its window.
        """
        if isinstance(sequences, str) or not hasattr(sequences, "__len__"):
            kind = "a text" if isinstance(sequences, str) else repr(sequences)
            raise UserError(f"predict: {kind} where several sequences are expected. Give a list: [text].")
        if memory is not None:
            self._check_memory(memory, len(sequences))
        names = [str(number + 1) for number in range(len(sequences))] if names is None else names
        closed = memory is None if end is None else end
        values = [self.reader.sequence(f"sequence {name}", each, closed)
                  for name, each in zip(names, sequences, strict=True)]
        lengths = np.array([len(each) for each in values])
        found: list[Values] = [np.zeros(0)] * len(values)
        moved = None if memory is None else memory.lanes(np.arange(len(values)))
        for length in np.unique(lengths):
            alike = np.flatnonzero(lengths == length)
            for first in range(0, len(alike), LANES):
                chosen = alike[first : first + LANES]
                said = (f"sequence {names[chosen[0]]}: too little memory for {len(chosen)} sequences of {length:,} "
                        "steps. Give shorter ones, or fewer of that length.")
                with np.errstate(over="ignore"), within_memory("", said.__str__):
                    given = self._run(np.stack([values[each] for each in chosen], axis=1), chosen, moved)
                for place, each in enumerate(chosen):
                    found[each] = given[place]
        for name, each in zip(names, found, strict=True):
            if not np.isfinite(each).all():
                raise UserError(f"sequence {name}: the prediction is no finite number. Is a value far from all "
                                "that the model was trained on? Mend it.")
        if memory is not None and moved is not None:
            memory.put(np.arange(len(values)), moved)       # all of them, or, of an error, none
        return found

    def memory(self, lanes: int) -> Memory:
        """A fresh one: nothing has been read."""
        self._check_state()
        if not isinstance(lanes, int | np.integer) or lanes < 1:
            raise UserError(f"memory: {lanes!r} is not a whole number above 0. Give how many sequences go on.")
        # cells may share their zeros, which are written to
        state = [tuple(part.detach().clone() for part in layer) for layer in self._network.start(lanes)]
        last = None if self._begin is None else np.full(lanes, self._begin, np.int64)
        return Memory(state, last, np.zeros(lanes, np.int64))

    @torch.inference_mode()
    def step(self, values: Values | None, memory: Memory) -> Values:
        """One step of each lane, (B, F) real numbers or (B,) symbols → (B, ·) predictions; moves `memory` on.

        Of a language model the probabilities (B, V) of the symbol after the one given; None: of the one to come.
        """
        self._check_memory(memory, None)
        state = memory.state
        if values is not None:
            given = self.reader.step(values, len(memory))
            if memory.last is not None:
                state = self._network.step({self.input: torch.from_numpy(memory.last)}, state)[1]
                memory.last = given.astype(np.int64)
            memory.steps = memory.steps + 1
        elif memory.last is None:
            raise UserError("step: only a language model says something of what is to come before a step is given.")
        read = memory.last if memory.last is not None else self._encode(given)
        outputs, after = self._network.step({self.input: torch.from_numpy(read)}, state)
        memory.state = after if memory.last is None else state
        return self._decode(self._head.predict(outputs[self.target]).double().numpy())

    def generate(self, prompts: Sequence[str] = ("",), seed: int = 1, **settings: Any) -> list[str]:
        """A text after each prompt, prompt included; the n-th depends on (seed, n) alone.

        `settings` are those of `unroll.config.sampling`: length, temperature, top_k, …
        """
        if self.model.generates != "text":
            raise UserError(f"generate: the model's head is {self.kind}; only language models generate.")
        if isinstance(prompts, str) or not all(isinstance(each, str) for each in prompts):
            raise UserError("generate: not a list of texts. Give [text], one prompt or several.")
        made = self.generator.samples(prompts, sampling(**settings), check_seed(seed))
        return [sample.prompt + sample.text for sample in made]

    @cached_property
    def generator(self) -> Generator:
        """What `generate` calls, and says more: symbols, their probabilities, a text as it comes."""
        return Generator(self._engine, self.model.tokenizers[self.input])

    @cached_property
    def composer(self) -> Composer:
        """Of a model of music."""
        return Composer(self._engine, scaler_of(self.spec.inputs[self.input]))

    @property
    def _engine(self) -> Engine[Any]:
        return engine_of(self.model.network, torch.get_num_threads())

    def _run(self, values: Values, chosen: Values, memory: Memory | None) -> Values:
        """values (T, B, ·) of one length → predictions, a row a sequence."""
        steps, lanes = values.shape[:2]
        own = None if memory is None else memory.lanes(chosen)
        if self._frame is not None:
            inputs = self._frame.encode(values).astype(np.float64)
        elif self._begin is not None:       # read one step late, so that each symbol is predicted from those before it
            last = np.full(lanes, self._begin) if own is None or own.last is None else own.last
            inputs = np.concatenate([last[None], values[:-1]])
        else:
            inputs = self._encode(values)
        # a prediction of a step needs what came before alone
        stretch = len(inputs) if self._pooling is not None or self._both_ways else max(1, STEPS // lanes)
        state = None if own is None else own.state
        parts = []
        for first in range(0, len(inputs), stretch):
            read = {self.input: torch.from_numpy(inputs[first : first + stretch])}
            outputs, state = self._network(read, state)
            given = self._head.predict(outputs[self.target])
            if self.kind == "next_token":
                given = given.gather(-1, torch.from_numpy(values[first : first + stretch, :, None]))[..., 0]
            parts.append(given.double().numpy())
        if memory is not None and own is not None and state is not None:
            memory.put(chosen, Memory(state, None if own.last is None else values[-1], own.steps + steps))
        if self._frame is not None:
            return self._frame.decode(values, parts[0])                     # (B, H, D, levels)
        if self._pooling is not None:
            return self._decode(parts[0])                                   # (B, ·)
        return self._decode(np.concatenate(parts)).swapaxes(0, 1)           # (B, T, ·)

    def _encode(self, values: Values) -> Values:
        if self._tokenizer:
            return values.astype(np.int64)
        return scaler_of(self.spec.inputs[self.input]).encode(values).astype(np.float64)

    def _decode(self, predictions: Values) -> Values:
        return predictions if self._described.scale is None else scaler_of(self._described).decode(predictions)

    def _check_state(self) -> None:
        """Raises `UserError` where there is nothing to go on from."""
        pooling = self._pooling
        why = ("reads windows of a series" if self._frame is not None
               else "also reads from the end on" if self._both_ways
               else f"pools the {pooling.kind} of whole sequences" if pooling is not None and pooling.whole else None)
        if why is not None:
            raise UserError(f"state: the model {why}, so that it has none to go on from. Give whole sequences, and no "
                            "state.")

    def _check_memory(self, memory: Memory, lanes: int | None) -> None:
        self._check_state()
        if not isinstance(memory, Memory):
            raise UserError(f"state: {memory!r} is none. Make one with memory(lanes).")
        if lanes not in (None, len(memory)):
            raise UserError(f"state: of {len(memory)} sequences where {lanes} are to go on. Give the same ones.")


def load(folder: str | Path) -> Predictor:
    """Open a model folder; raises `UserError` when it is missing or damaged."""
    return Predictor(load_model(Path(folder)))
