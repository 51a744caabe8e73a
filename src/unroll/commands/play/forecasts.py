"""The page of a forecaster: a file in, the fan of its forecast out."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from matplotlib.figure import Figure

from unroll.base.errors import UserError
from unroll.commands.play.style import errors_shown, title
from unroll.data.store import open_prepared
from unroll.drawing.forecasts import Fan, forecast_figure
from unroll.prediction.inputs import read
from unroll.prediction.predictor import Predictor, load
from unroll.readers import endings

Series = dict[str, Any]     # name → (T, D)


def forecast_page(folder: Path) -> gr.Blocks:
    torch.set_num_threads(1)
    predictor = load(folder)
    assert predictor.spec.forecast is not None
    horizon, columns = predictor.spec.forecast.horizon, predictor.forecast.columns
    example = own_series(predictor, folder.parent.parent / "data" / "prepared")

    def take(file: str | None) -> tuple[Any, ...]:
        if file is None:
            return None, gr.Dropdown(choices=[], value=None)
        with errors_shown():
            inputs = read(Path(file), predictor.spec)
            return offered(dict(zip(inputs.names, inputs.sequences, strict=True)))

    def take_own() -> tuple[Any, ...]:
        return offered(example)

    def offered(series: Series) -> tuple[Any, ...]:
        names = list(series)
        return series, gr.Dropdown(choices=names, value=names[0])

    def draw(series: Series | None, name: str | None, column: int, held: bool) -> Figure | None:
        with errors_shown():
            return None if series is None or name is None else fan(predictor, name, series[name], column, held)

    with gr.Blocks(title="unroll", fill_width=True) as page:
        title(folder)
        series = gr.State()
        with gr.Row():
            with gr.Column(scale=1, min_width=270):
                file = gr.File(label="A table, as for unroll predict", elem_id="file", height=140,
                               file_types=[*endings("table", "arrays", "labelled")])
                own = gr.Button("Its own test data", visible=bool(example), elem_id="own")
                name = gr.Dropdown([], label="Series", elem_id="series")
                column = gr.Dropdown([(label, at) for at, label in enumerate(columns)], value=0,
                                     label="Column", visible=len(columns) > 1)
                held = gr.Checkbox(True, label=f"Hold the last {horizon} steps back, and compare", elem_id="held")
            with gr.Column(scale=4):
                plot = gr.Plot(show_label=False, format="png", elem_id="fan")
        view = [series, name, column, held]
        for loaded in (file.change(take, file, [series, name]), own.click(take_own, None, [series, name])):
            loaded.success(draw, view, plot, show_progress="hidden")
        gr.on([name.input, column.input, held.input], draw, view, plot, show_progress="hidden",
              trigger_mode="always_last")
    return page


def own_series(predictor: Predictor, prepared: Path) -> Series:
    """The series of the test split, if the model's own prepared data still lies beside it."""
    try:
        opened = open_prepared(prepared)
        values, offsets = opened.values(predictor.input, "test"), opened.offsets("test")
        names = [place.name for place in opened.places("test")]
    except UserError:
        return {}
    if opened.spec != predictor.spec or offsets is None:
        return {}
    return dict(zip(names, np.split(values, offsets[1:-1]), strict=True))


def fan(predictor: Predictor, name: str, values: Any, column: int, held: bool) -> Figure:
    """A forecast from the end of a series (T, D), or from where the held back steps begin; raises `UserError`."""
    assert predictor.spec.forecast is not None
    horizon = predictor.spec.forecast.horizon
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    cut = max(0, len(values) - horizon) if held else len(values)
    if not cut:
        raise UserError("too-short", f"series {name}", f"{len(values)} steps, and {horizon} are held back. Give "
                        "more of it.")
    target = predictor.forecast
    (quantiles,) = predictor.predict_all([values[:cut]], names=[name])[target.name]       # (H, D, levels)
    shown = slice(max(0, cut - 4 * horizon - predictor.spec.forecast.season), cut)
    variable = target.columns[column] if target.spec.names or len(target.columns) > 1 else target.name
    drawn = Fan(values[shown, column], values[cut:, column], quantiles[:, column], variable=variable)
    figure = forecast_figure([[drawn]], np.array(target.levels), name)
    figure.set_size_inches(9, 4.6)
    return figure
