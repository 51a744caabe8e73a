"""The page of a language model: it writes, and shows its hidden units and the probabilities of the next symbol."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import gradio as gr

from unroll.base.errors import UserError
from unroll.commands.play.beside import Beside
from unroll.commands.play.controls import Controls
from unroll.commands.play.shown import bars, coloured, plain
from unroll.commands.play.style import errors_shown, title
from unroll.data.given import Given
from unroll.explain.activity import Reading, expected, most_varied, read, readable
from unroll.generation.engines import open_engine
from unroll.generation.one_field import OneField
from unroll.generation.text import Generator
from unroll.models.manifest import ModelFolder

WasRead = tuple[Reading, Given]     # a text, and what it was read for
LONGEST = 5000          # characters of a prompt: each is a step when its units are computed
EVERY_SECONDS = 0.05    # between updates of the shown text: a browser draws no more often
BEFORE = 16             # symbols shown before a place
VARIES = -1             # the unit that varies most
ON_CLICK = """element.addEventListener('click', event => {
    const symbol = event.target.closest('[data-place]');
    if (symbol) trigger('click', {place: Number(symbol.dataset.place)});
});"""


def text_page(opened: ModelFolder) -> gr.Blocks:
    tokenizer = opened.tokenizers[opened.spec.main]
    engine = open_engine(opened)
    generator = Generator(engine, tokenizer)
    beside, sampled = Beside(opened, generator.needs), Controls()
    names = [readable(tokenizer, symbol) for symbol in range(tokenizer.size)]
    layers, size = read(OneField(engine, [beside.typical()]), tokenizer, "").units.shape[1:]

    def write(prompt: str, seed: float | None, *values: Any) -> Iterator[str]:
        with errors_shown():
            if len(prompt) > LONGEST:
                raise UserError("too-large", "Prompt", f"{len(prompt):,} characters, the page reads {LONGEST:,}. "
                                "Shorten it, or use `unroll sample`.")
            given, settings = beside.read(values[: len(beside)]), sampled.read(*values[len(beside) :])
            text, shown = prompt, monotonic()
            generator.check(settings)
            for part in generator.stream(prompt, settings, int(seed or 0), given=given):
                text += part
                if monotonic() - shown > EVERY_SECONDS:
                    yield text
                    shown = monotonic()
            yield text

    def inspect(prompt: str, text: str, layer: int, unit: int, *values: Any) -> tuple[Any, ...]:
        """Read the text again, symbol by symbol, and point at the first symbol after the prompt."""
        given = beside.read(values)
        reading = read(OneField(engine, [given]), tokenizer, text)
        last = len(reading.parts)
        place = min(len(tokenizer.encode(prompt)), last) if text.startswith(prompt) else last
        was_read = reading, given
        return was_read, gr.Slider(maximum=max(1, last), value=place), *show(was_read, layer, unit, place)

    def show(was_read: WasRead | None, layer: int, unit: int, place: float) -> tuple[str, str]:
        if was_read is None:
            return NOTHING, ""
        reading, given = was_read
        at = min(int(place), len(reading.parts))
        return _coloured(reading, layer, unit, at), _bars(reading, given, at)

    def _coloured(reading: Reading, layer: int, unit: int, place: int) -> str:
        if not layers or not reading.parts:
            return plain(reading.parts, place)
        number = most_varied(reading.units[1:, layer]) if unit == VARIES else unit
        name = f"layer {layer + 1}, unit {number + 1}" if layers > 1 else f"unit {number + 1}"
        return coloured(reading.parts, reading.units[1:, layer, number], place, name)

    def _bars(reading: Reading, given: Given, place: int) -> str:
        came = int(reading.symbols[place + 1]) if place < len(reading.parts) else None
        before = "".join(names[symbol] for symbol in reading.symbols[1 : place + 1][-BEFORE:])
        return bars(names, expected(OneField(engine, [given]), reading.symbols, place), came, before)

    def point(was_read: WasRead | None, layer: int, unit: int, event: gr.EventData) -> tuple[Any, ...]:
        place = event.place
        return place, *show(was_read, layer, unit, place)

    with gr.Blocks(title="unroll", fill_width=True) as page:
        title(opened.folder)
        reading = gr.State()
        with gr.Row():
            with gr.Column(scale=1, min_width=270):
                given = beside.controls()
                controls, seed = sampled.made(), gr.Number(label="Seed", value=1, precision=0)
            with gr.Column(scale=4):
                prompt = gr.Textbox(label="Prompt", lines=2, placeholder="What the text begins with; empty: where the "
                                    "data begins", elem_id="prompt")
                with gr.Row():
                    go = gr.Button("Write", variant="primary", size="md", scale=4, elem_id="write")
                    halt = gr.Button("Stop", size="md", scale=1, min_width=90, elem_id="halt")
                text = gr.Textbox(label="Text", lines=6, max_lines=6, interactive=False, buttons=["copy"],
                                  elem_id="text")
                with gr.Row(equal_height=False):
                    with gr.Column(scale=3, min_width=380):
                        with gr.Row(visible=bool(layers)):
                            layer = gr.Dropdown([(str(number + 1), number) for number in range(layers)], label="Layer",
                                                value=0 if layers else None, visible=layers > 1, min_width=90)
                            unit = gr.Dropdown([("the one that varies most", VARIES),
                                                *((str(number + 1), number) for number in range(size))], value=VARIES,
                                               label="Hidden unit", elem_id="unit")
                        shown = gr.HTML(NOTHING, js_on_load=ON_CLICK, elem_id="shown", padding=True)
                    with gr.Column(scale=2, min_width=300):
                        place = gr.Slider(0, 1, value=0, step=1, label="Symbols read", elem_id="place")
                        expectation = gr.HTML(elem_id="expected", padding=True)
        view, views = [reading, layer, unit, place], [shown, expectation]
        inputs = [prompt, seed, *given, *controls]
        writing = gr.on([go.click, prompt.submit], write, inputs, text, show_progress="hidden")
        after = {"fn": inspect, "inputs": [prompt, text, layer, unit, *given], "outputs": [reading, place, *views],
                 "show_progress": "hidden"}
        writing.success(**after)
        halt.click(None, cancels=[writing]).then(**after)
        for changed in (layer.input, unit.input, place.input):
            changed(show, view, views, show_progress="hidden", trigger_mode="always_last")
        shown.click(point, view[:-1], [place, *views], show_progress="hidden", trigger_mode="always_last")
    return page


NOTHING = '<div class="unroll-note">The text appears here again, in the colours of a hidden unit.</div>'
