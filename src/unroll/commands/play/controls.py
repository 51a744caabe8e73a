"""Controls for the sampling settings."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from unroll.config.sampling import PAGE, Interface, Sampling, label, sampling, settings

# the value at which a rule is off (None: it never is), the highest value, and the step; a slider begins at the lowest
# value that its setting allows
SLIDERS: dict[str, tuple[float | None, float, float]] = {
    "length": (None, 2000, 1), "temperature": (None, 2, 0.05), "top_k": (0, 100, 1), "top_p": (1, 1, 0.01),
    "min_p": (0, 1, 0.01), "repetition_penalty": (1, 2, 0.05),
}
OF_TEXTS = ("length", "temperature", "greedy", "top_k", "top_p", "min_p", "repetition_penalty", "stop", "pattern")


class Controls:
    """A control for each of some settings, and the values that they have together."""

    def __init__(self, interface: Interface = PAGE, names: Sequence[str] = OF_TEXTS) -> None:
        self._interface, self._names = interface, names

    def made(self) -> list[Any]:
        """In the order of `names`, in a block of the page."""
        return [_control(name, self._interface.defaults[name]) for name in self._names]

    def read(self, *values: Any) -> Sampling:
        """A control at rest is a rule left out; raises `UserError`."""
        given = dict(zip(self._names, values, strict=True))
        if "stop" in given:
            given["stop"] = [line.replace("⏎", "\n") for line in given["stop"].split("\n") if line]
        if "pattern" in given:
            given["pattern"] = given["pattern"] or None
        for name, (off, *_) in SLIDERS.items():
            if name not in given:
                continue
            if off is not None and given[name] == off:
                given[name] = None
            elif settings()[name].kind == "integer":        # a slider may say 400.0
                given[name] = int(given[name])
        return sampling(self._interface, **given)


def _control(name: str, default: Any) -> Any:
    setting = settings()[name]
    shown: dict[str, Any] = {"label": label(name), "info": setting.description, "elem_id": name}
    if setting.kind == "boolean":
        return gr.Checkbox(value=default, **shown)
    if setting.kind == "string":
        return gr.Textbox(**shown)
    if setting.kind == "array":
        return gr.Textbox(lines=2, **shown | {"info": "texts that end it, one per line; ⏎ is a line break"})
    off, most, step = SLIDERS[name]
    least = step if setting.least is None else setting.least
    if off is None:
        return gr.Slider(least, most, value=default, step=step, **shown)
    shown["info"] += f"; {off}: off"
    return gr.Slider(min(least, off), most, value=off, step=step, **shown)
