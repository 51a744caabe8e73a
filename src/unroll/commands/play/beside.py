"""Controls for what a text is written for: inputs of the whole text, such as its language."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from unroll.base.errors import UserError
from unroll.data.encoders import scaler_of
from unroll.data.given import Given
from unroll.data.spec import InputSpec
from unroll.models.manifest import ModelFolder
from unroll.prediction.sequences import SequenceReader


class Beside:
    """The inputs that stand beside a text, a control for each of their columns.

    Raises `UserError` on inputs of steps, and on other sequences.
    """

    def __init__(self, opened: ModelFolder, needed: Sequence[str]) -> None:
        self._fields = {name: opened.spec.inputs[name] for name in needed}
        for name, field in self._fields.items():
            if field.per != "sequence":
                what = "at each step" if field.per == "step" else "as another sequence"
                raise UserError("unsupported", "--model", f"the model also reads {name} {what}, for which the page has "
                                "no control. Use Python: generate(…, given=…).")
        self._reader = SequenceReader(opened.spec, opened.tokenizers, None)

    def __len__(self) -> int:
        return sum(field.width for field in self._fields.values())

    def controls(self) -> list[Any]:
        """The first category or the mean at first."""
        return [gr.Dropdown([*field.categories[at]], value=value, label=label, elem_id=f"given-{name}-{at}")
                if field.categories is not None else gr.Number(value=value, label=label, elem_id=f"given-{name}-{at}")
                for name, field, at, label, value in self._columns()]

    def typical(self) -> Given:
        return self.read([value for *_, value in self._columns()])

    def read(self, values: Sequence[Any]) -> Given:
        """The controls' values as the network reads them; raises `UserError` where one is empty."""
        given: dict[str, list[Any]] = {name: [] for name in self._fields}
        for (name, field, _, label, _), value in zip(self._columns(), values, strict=True):
            if value is None:
                what = "a number" if field.categories is None else "one of them"
                raise UserError("missing-value", label, f"empty. Give {what}.")
            given[name].append(value)
        return self._reader.beside("Beside the text", given, list(given))

    def _columns(self) -> Iterator[tuple[str, InputSpec, int, str, Any]]:
        """(input, its spec, column within it, label, typical value) for every column."""
        for name, field in self._fields.items():
            labels = field.names or ((name,) if field.width == 1 else [f"{name} {at + 1}" for at in range(field.width)])
            for at, label in enumerate(labels):
                value = field.categories[at][0] if field.categories is not None else float(
                    f"{scaler_of(field).mean[at]:.3g}")
                yield name, field, at, label, value
