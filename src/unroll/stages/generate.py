"""Model folder → samples; of a model that writes no text, predictions for the test split, beside music and paths."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from unroll.base.files import replacing, write_json, write_rows
from unroll.base.job_folder import JobFolder
from unroll.base.workspace import Workspace
from unroll.config.generate import GenerateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.sampling import Sampling
from unroll.data.parts import some_steps
from unroll.data.store import Prepared, decode, open_prepared
from unroll.drawing import generation as pictures
from unroll.generation.midi import LOWEST, TEMPO, write_midi
from unroll.generation.text import Sample, open_generator
from unroll.generation.worth import Data, Metrics, Written, known_chords, notes_per_frame, silent_frames, worth
from unroll.models.folder import Model, load_model
from unroll.prediction.paths import history, sample_paths
from unroll.prediction.predictor import Predictor
from unroll.prediction.table import as_table, paths_table, value_names, write_table
from unroll.tracking import Tracker

COMPARED, COMPARED_LENGTH = 16, 400     # samples and symbols of each temperature
PATHS = 100     # enough to see where most of them are


def generate(workspace: Workspace, runtime: RuntimeConfig, generate: GenerateConfig) -> None:
    """Sample and say what the samples are worth; tasks without text predict the test split."""
    torch.set_num_threads(generate.threads)
    prepared = open_prepared(workspace.prepared)
    model = load_model(workspace.model, prepared)
    if model.generates == "text":
        metrics, said = samples(workspace, model, prepared, generate)
    else:
        predictor = Predictor(model)
        with replacing(workspace.samples) as folder:
            folder.mkdir()
            metrics, said = predictions(folder, predictor, prepared)
            if model.generates == "music":
                more, said = music(folder, predictor, prepared, generate)
                metrics |= more
            elif model.generates == "paths":
                paths(folder, predictor, prepared, generate)
    write_json(workspace.metrics / "generate.json", metrics)
    tracker = Tracker(runtime.tracking, workspace, JobFolder(workspace.root).describe())
    tracker.attach(model.digest)
    tracker.metrics(metrics)
    tracker.files(workspace.samples, folder="samples/final")
    tracker.files(workspace.params)
    tracker.finish()
    print(f"generate: {said} → {workspace.samples} ({tracker.where()})")


def samples(workspace: Workspace, model: Model, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A text file for each sample, prompt included; a picture of what temperature does."""
    (field,) = model.config.inputs
    tokenizer, generator = model.tokenizers[field], open_generator(workspace.model, settings.threads)
    # a beam search comes to the same each time
    count, best = (1, settings.beams) if settings.beams > 1 else (settings.count, 1)
    prompts = [prompt for prompt in settings.prompts for _ in range(count)]
    made = list(generator.samples(prompts, settings, settings.seed))
    compared = {heat: list(generator.samples([""] * COMPARED, heated(settings, heat), settings.seed))
                for heat in settings.temperatures}
    counted = prepared.tokens(field, "train")
    train = decode(tokenizer, counted, prepared.offsets("train"))
    test = decode(tokenizer, prepared.tokens(field, "test"), prepared.offsets("test"))
    data = Data(train, test, tokenizer, some_steps(counted, prepared.offsets("train"), settings.ngram_tokens)[0],
                settings.ngram_order)
    metrics, rows = worth(written(made), {heat: written(group) for heat, group in compared.items()}, data)
    texts = [each.prompt + each.text for each in made]
    with replacing(workspace.samples) as folder:
        folder.mkdir()
        for number, text in enumerate(texts, 1):
            (folder / f"{number:03d}.txt").write_text(text + "\n", encoding="utf-8", newline="")
        if rows:
            write_rows(folder / "temperature.csv", rows)
            pictures.temperature(rows, metrics, folder / "temperature.png")
    for text in texts[:: count * best]:       # the first sample of each prompt
        print(f"{'─' * 72}\n{text}")
    print("─" * 72)
    return metrics, (f"{len(texts)} samples, {metrics['samples/words_in_corpus']:.1%} of their words occur in the "
                     f"corpus, longest copy {metrics['samples/longest_copy']} characters")


def written(samples: list[Sample]) -> list[Written]:
    return [Written(each.text, each.symbols) for each in samples]


def heated(rules: Sampling, temperature: float) -> Sampling:
    """The same rules at another temperature; as long as is needed to compare."""
    length = min(rules.length or COMPARED_LENGTH, COMPARED_LENGTH)
    return rules.model_copy(update={"temperature": temperature, "greedy": False, "beams": 1, "length": length,
                                    "min_length": min(rules.min_length, length)})


def music(folder: Path, predictor: Predictor, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A MIDI file and a picture for each new piece."""
    lowest, notes = LOWEST[prepared.spec.source.kind], prepared.spec.inputs[predictor.input].size
    silence = [np.zeros((0, notes), bool)] * settings.count
    pieces = list(predictor.composer.pieces(silence, settings.length, settings.temperature, settings.seed))
    for number, piece in enumerate(pieces, 1):
        write_midi(piece.roll, lowest, TEMPO, folder / f"{number:03d}.mid")
        pictures.piano_roll(piece.roll, piece.primed, lowest, folder / f"{number:03d}.png")
    train, test = (np.asarray(prepared.values(predictor.input, split)) > 0 for split in ("train", "test"))
    new = np.concatenate([piece.roll for piece in pieces])
    metrics: Metrics = {}
    for name, roll in (("samples/", new), ("samples/test_", test)):     # what the figures are of music that is none
        metrics |= {f"{name}notes_per_frame": notes_per_frame(roll), f"{name}silent_frames": silent_frames(roll),
                    f"{name}known_chords": known_chords(roll, train)}
    return metrics, (f"{len(pieces)} pieces, {metrics['samples/notes_per_frame']:.2f} notes a frame (test split "
                     f"{metrics['samples/test_notes_per_frame']:.2f}), {metrics['samples/known_chords']:.1%} of their "
                     "chords occur in the training split")


def paths(folder: Path, predictor: Predictor, prepared: Prepared, settings: GenerateConfig) -> None:
    """How the first series of the test split that is long enough could go on: a table and a fan chart."""
    offsets, bounds = prepared.offsets("test"), prepared.sequences("test").bounds
    assert offsets is not None and bounds is not None
    at = int(np.searchsorted(offsets, bounds[0, 0], side="right")) - 1
    series = prepared.values(predictor.input, "test")[offsets[at] : offsets[at + 1]]
    name = prepared.places("test")[at].name
    assert prepared.spec.forecast is not None
    length = 2 * prepared.spec.forecast.horizon       # also what comes after it
    drawn = sample_paths(predictor, series, PATHS, length, settings.seed, name=name)
    write_table(paths_table(predictor, [drawn], [name]), folder / "paths.csv", ".csv")
    pictures.sampled_paths(history(predictor, series, length), drawn, value_names(predictor), folder / "paths.png")


def predictions(folder: Path, predictor: Predictor, prepared: Prepared) -> tuple[Metrics, str]:
    """One table; a forecast from every origin of the test split, the last step of its series that was read."""
    test, places, offsets = prepared.sequences("test"), prepared.places("test"), prepared.offsets("test")
    values = np.asarray(prepared.values(predictor.input, "test"))
    if offsets is None:
        given = [values]
    elif test.frame is None or test.bounds is None:
        given = [values[first:last] for first, last in pairwise(offsets)]
    else:
        given = [values[first:last] for first, last in test.bounds]
        series = np.searchsorted(offsets, test.bounds[:, 0], side="right") - 1
        origins = test.bounds[:, 1] - offsets[series] + np.array([each.first for each in places])[series]
        places = [places[at] for at in series]
    before = [each.first for each in places] if test.frame is None else None
    table = as_table(predictor, predictor.predict(given), [each.name for each in places], before)
    if test.frame is not None:
        table.insert(1, "origin", np.repeat(origins, len(table) // len(given)))
    write_table(table, folder / "predictions.csv", ".csv")
    return {"predictions/sequences": len(given), "predictions/rows": len(table)}, \
        f"{len(table):,} predictions for {len(given):,} sequences of the test split"
