"""The page of a model of several fields: rows appear as they are drawn, then their picture."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import gradio as gr
import numpy as np

from unroll.commands.play.beside import Beside
from unroll.commands.play.controls import Controls
from unroll.commands.play.style import errors_shown, title
from unroll.commands.sample.rows import read_sequences
from unroll.config.sampling import PAGE
from unroll.drawing.rows import Drawn, rows_figure
from unroll.generation.rows import RowSample, open_rows
from unroll.models.manifest import ModelFolder
from unroll.prediction.rows import RowPrompt, cells_of, new, rows_table, sample_of
from unroll.readers import endings

Prompts = dict[str, RowPrompt]
EVERY_SECONDS = 0.2     # between updates of the table
MOST = 6                # sequences side by side, more of which no picture shows
NOTHING = "a new one"
SETTINGS = PAGE._replace(defaults={**PAGE.defaults, "length": 50, "temperature": 1.0})


def rows_page(opened: ModelFolder) -> gr.Blocks:
    generator = open_rows(opened)
    beside = Beside(opened, generator.needs)
    sampled = Controls(SETTINGS, ("length", "temperature", "greedy", *generator.rules))

    def take(file: str | None) -> tuple[Any, ...]:
        with errors_shown():
            found = [] if file is None else read_sequences(Path(file), opened.spec, opened.tokenizers)
        return {prompt.name: prompt for prompt in found}, gr.Dropdown(
            choices=[NOTHING, *(prompt.name for prompt in found)], value=found[0].name if found else NOTHING)

    def write(prompts: Prompts | None, name: str, count: int, seed: float | None, *values: Any) -> Iterator[Any]:
        with errors_shown():
            given, settings = beside.read(values[: len(beside)]), sampled.read(*values[len(beside) :])
            generator.check(settings)
            prompt = (prompts or {}).get(name) or new([given])[0]
            begun, samples, shown = sample_of(prompt, opened.spec), list[RowSample](), monotonic()
            for number in range(int(count)):
                parts = [begun.rows]
                samples.append(begun)
                for row in generator.stream(prompt.rows, settings, int(seed or 0), number, prompt.given):
                    parts.append(row)
                    if monotonic() - shown > EVERY_SECONDS:
                        yield _table(opened, prompt, [*samples[:-1], _joined(begun, parts)]), None
                        shown = monotonic()
                samples[-1] = _joined(begun, parts)
            yield _table(opened, prompt, samples), rows_figure([
                Drawn(f"sequence {number}", cells_of(sample, prompt, opened.spec, opened.tokenizers), sample.primed)
                for number, sample in enumerate(samples, 1)])

    with gr.Blocks(title="unroll", fill_width=True) as page:
        title(opened.folder)
        prompts = gr.State()
        with gr.Row():
            with gr.Column(scale=1, min_width=270):
                given, controls = beside.controls(), sampled.made()
                count = gr.Slider(1, MOST, value=3, step=1, label="Sequences", elem_id="count")
                seed = gr.Number(label="Seed", value=1, precision=0)
            with gr.Column(scale=4):
                with gr.Row():
                    file = gr.File(label="A table with sequences to continue, as for unroll sample", elem_id="file",
                                   height=140, file_types=[*endings("table", "arrays", "labelled")])
                    name = gr.Dropdown([NOTHING], value=NOTHING, label="Sequence", elem_id="sequence")
                with gr.Row():
                    go = gr.Button("Draw", variant="primary", size="md", scale=4, elem_id="draw")
                    halt = gr.Button("Stop", size="md", scale=1, min_width=90, elem_id="halt")
                plot = gr.Plot(show_label=False, format="png", elem_id="picture")
                table = gr.Dataframe(label="Rows", interactive=False, elem_id="rows", max_height=420)
        file.change(take, file, [prompts, name])
        drawing = go.click(write, [prompts, name, count, seed, *given, *controls], [table, plot],
                           show_progress="hidden")
        halt.click(None, cancels=[drawing])
    return page


def _joined(begun: RowSample, parts: list[Any]) -> RowSample:
    rows = {name: np.concatenate([part[name] for part in (parts if begun.primed else parts[1:] or parts)])
            for name in begun.rows}
    return RowSample(rows, begun.primed, begun.given)


def _table(opened: ModelFolder, prompt: RowPrompt, samples: list[RowSample]) -> Any:
    prompts = [prompt._replace(name=str(number)) for number in range(1, len(samples) + 1)]
    return rows_table(samples, prompts, opened.spec, opened.tokenizers)
