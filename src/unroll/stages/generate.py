"""Model folder → samples; models that generate no text also write predictions for the test split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from unroll.base.files import replacing, write_json, write_rows
from unroll.base.job_folder import JobFolder
from unroll.base.workspace import Workspace
from unroll.config.data import lowest_note
from unroll.config.generate import GenerateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.sampling import CONF, Sampling, named_at
from unroll.data.given import Given, shown
from unroll.data.parts import decode, some_steps
from unroll.data.store import Prepared, open_prepared
from unroll.drawing.generation import sampled_paths, temperature
from unroll.drawing.rows import Drawn
from unroll.drawing.rows import rows as draw_rows
from unroll.generation.midi import TEMPO, write_pieces
from unroll.generation.rows import open_rows
from unroll.generation.rows_worth import of_test, rows_worth
from unroll.generation.text import open_generator
from unroll.generation.worth import Data, Metrics, music_worth, text_worth
from unroll.models.folder import Model, load_model
from unroll.models.manifest import open_folder
from unroll.prediction.paths import history, sample_paths
from unroll.prediction.predictor import Predictor
from unroll.prediction.rows import ROW_DIGITS, RowPrompt, cells_of, new, repeated, rows_table
from unroll.prediction.split_tables import split_tables
from unroll.prediction.table import paths_table
from unroll.prediction.table_files import TableFile, write_table
from unroll.prediction.writing import beside, within_steps
from unroll.readers.common.axis import times_from
from unroll.tracking import Tracker

COMPARED, COMPARED_LENGTH = 16, 400     # samples at each temperature, and their symbols
SHOWN = 3       # drawn sequences of a picture, and as many of the test split
NEW = RowPrompt("", {}, {}, {})
PATHS = 100     # enough to see where most of them are


def generate(workspace: Workspace, runtime: RuntimeConfig, generate: GenerateConfig) -> None:
    """Sample, and measure the samples; like `evaluate`, this stage reads the test split."""
    torch.set_num_threads(generate.threads)
    prepared = open_prepared(workspace.prepared)
    model = load_model(workspace.model, prepared)
    with replacing(workspace.samples) as folder, named_at(CONF):
        folder.mkdir()
        if model.generates == "text":
            metrics, summary = text(folder, model, workspace.model, prepared, generate)
            if len(model.config.heads) > 1:
                metrics |= predictions(folder, Predictor(model), prepared)[0]
        else:
            predictor = Predictor(model)
            metrics, summary = predictions(folder, predictor, prepared)
            if model.generates == "music":
                figures, summary = music(folder, predictor, prepared, generate)
                metrics |= figures
            elif model.generates == "paths":
                paths(folder, predictor, prepared, generate)
            elif model.generates == "rows":
                figures, summary = rows(folder, model, workspace.model, prepared, generate)
                metrics |= figures
    write_json(workspace.metrics / "generate.json", metrics)
    tracker = Tracker(runtime.tracking, workspace, JobFolder(workspace.root).describe())
    tracker.attach(model.digest)
    tracker.metrics(metrics)
    tracker.files(workspace.samples, folder="samples/final")
    tracker.files(workspace.params)
    tracker.finish()
    print(f"generate: {summary} → {workspace.samples} ({tracker.where()})")


def text(folder: Path, model: Model, path: Path, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A text file for each sample, prompt included, and a picture of the temperature's effect; prints some."""
    generator = open_generator(path, settings.threads)
    # a beam search finds the same texts each time, from the same beginning
    count = 1 if settings.beams > 1 and not generator.needs else settings.count
    prompts = [prompt for prompt in settings.prompts for _ in range(count)]
    given = beside(generator.needs, model, prepared, settings, max(len(prompts), COMPARED))
    settings = within_steps(settings, generator, given)
    samples = list(generator.samples(prompts, settings, settings.seed, given=given))
    compared = {value: list(generator.samples([""] * COMPARED, at_temperature(settings, value), settings.seed,
                                              given=given)) for value in settings.temperatures}
    field = prepared.spec.main
    tokens, offsets = prepared.tokens(field, "train"), prepared.offsets("train")
    metrics, rows = text_worth(samples, compared, Data(
        decode(generator.tokenizer, tokens, offsets),
        decode(generator.tokenizer, prepared.tokens(field, "test"), prepared.offsets("test")),
        generator.tokenizer, some_steps(tokens, offsets, settings.ngram_tokens)[0], settings.ngram_order))
    texts = [sample.prompt + sample.text for sample in samples]
    for number, whole in enumerate(texts, 1):
        (folder / f"{number:03d}.txt").write_text(whole + "\n", encoding="utf-8", newline="")
    _write_given(folder, model, generator.needs, [sample.given for sample in samples])
    if rows:
        write_rows(folder / "temperature.csv", rows)
        temperature(rows, metrics, folder / "temperature.png")
    first = {sample.prompt: whole for sample, whole in zip(reversed(samples), reversed(texts), strict=True)}
    for whole in map(first.__getitem__, dict.fromkeys(settings.prompts)):
        print(f"{'─' * 72}\n{whole}")
    print("─" * 72)
    return metrics, (f"{len(texts)} samples, {metrics['samples/words_in_corpus']:.1%} of their words occur in the "
                     f"corpus, longest copy {metrics['samples/longest_copy']} characters")


def _write_given(folder: Path, model: Model, names: Sequence[str], given: Sequence[Given]) -> None:
    """What each sample was drawn for, if anything."""
    fields, tokenizers = model.spec.inputs, model.tokenizers
    if names:
        write_json(folder / "given.json", [{name: shown(fields[name], own[name], tokenizers.get(name))
                                            for name in names} for own in given])


def at_temperature(rules: Sampling, value: float) -> Sampling:
    """The same rules at another temperature, for texts that are long enough to compare."""
    length = min(rules.length or COMPARED_LENGTH, COMPARED_LENGTH)
    return rules.model_copy(update={"temperature": value, "greedy": False, "beams": 1, "length": length,
                                    "min_length": min(rules.min_length, length)})


def music(folder: Path, predictor: Predictor, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A MIDI file and a picture for each new piece."""
    nothing = [np.zeros((0, prepared.spec.inputs[predictor.input].size), bool)] * settings.count
    pieces = list(predictor.composer.pieces(nothing, settings.length, settings.temperature, settings.seed))
    lowest = lowest_note(prepared.spec.source.kind)
    assert lowest is not None       # or the model would not generate music
    write_pieces(pieces, lowest, TEMPO, folder)
    train, test = (np.asarray(prepared.values(predictor.input, split)) > 0 for split in ("train", "test"))
    metrics = music_worth(np.concatenate([piece.roll for piece in pieces]), test, train)
    return metrics, (f"{len(pieces)} pieces, {metrics['samples/notes_per_frame']:.2f} notes per frame (test split "
                     f"{metrics['samples/test_notes_per_frame']:.2f}), {metrics['samples/known_chords']:.1%} of their "
                     "chords occur in the training split")


def paths(folder: Path, predictor: Predictor, prepared: Prepared, settings: GenerateConfig) -> None:
    """A table and a fan chart of paths for the first series of the test split that is long enough."""
    offsets, bounds = prepared.offsets("test"), prepared.sequences("test").bounds
    assert offsets is not None and bounds is not None and prepared.spec.forecast is not None
    at = int(np.searchsorted(offsets, bounds[0, 0], side="right")) - 1
    series = prepared.raw(predictor.input, "test", *offsets[at : at + 2].tolist())
    place, reading = prepared.places("test")[at], prepared.spec.reading
    name = place.name
    length = 2 * prepared.spec.forecast.horizon       # beyond what the model was trained to forecast
    drawn = sample_paths(predictor, series, PATHS, length, settings.seed, name=name)
    write_table(paths_table(predictor, [drawn], [name]), folder / "paths.csv", ".csv")
    past = history(predictor, series, length)
    times = times_from(reading.frequency, place.time, range(len(series) - len(past), len(series) + length)) \
        if reading.frequency and place.time else None
    sampled_paths(past, drawn, predictor.forecast.labels, folder / "paths.png", times, reading.time or "")


def rows(folder: Path, model: Model, path: Path, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A table of new sequences."""
    generator = open_rows(open_folder(path), settings.threads)
    generator.check(settings)
    # a beam search finds the same sequences each time
    given = beside(generator.needs, model, prepared, settings,
                   1 if settings.beams > 1 and not generator.needs else settings.count)
    settings, prompts = within_steps(settings, generator, given), new(given)
    samples = list(generator.samples([prompt.rows for prompt in prompts], settings, settings.seed, given=given))
    table = rows_table(samples, repeated(prompts, settings.beams), model.spec, model.tokenizers)
    write_table(table, folder / "rows.csv", ".csv", ROW_DIGITS)
    draw_rows([Drawn(f"{'test' if real else 'drawn'} {number}", cells_of(sample, NEW, model.spec, model.tokenizers),
                     real=real) for real, shown in ((False, samples[:SHOWN]), (True, of_test(prepared, SHOWN)))
               for number, sample in enumerate(shown, 1)], folder / "rows.png")
    _write_given(folder, model, generator.needs, [sample.given for sample in samples])
    return dict(rows_worth(samples, prepared, settings.ngram_tokens)), \
        f"{len(samples):,} sequences of {len(table):,} rows"


def predictions(folder: Path, predictor: Predictor, prepared: Prepared) -> tuple[Metrics, str]:
    """A table of predictions for the test split."""
    rows = sequences = 0
    with TableFile(folder / "predictions.csv", ".csv") as file:
        for table, count in split_tables(predictor, prepared, "test"):
            file.write(table)
            rows, sequences = rows + len(table), sequences + count
    return {"predictions/sequences": sequences, "predictions/rows": rows}, \
        f"{rows:,} predictions for {sequences:,} sequences of the test split"
