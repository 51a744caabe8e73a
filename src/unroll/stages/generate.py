"""Model folder → samples, or, of a model that does not generate, predictions for the test split."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import torch

from unroll.config.generate import GenerateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.store import Prepared, decode, open_prepared
from unroll.evaluation import pictures
from unroll.evaluation.samples import Data, Written, worth
from unroll.files import replacing, write_json, write_rows
from unroll.models.folder import Model, load_model
from unroll.prediction.predictor import Predictor
from unroll.prediction.table import as_table, write_table
from unroll.sampling.generator import Sample
from unroll.sampling.settings import Settings, read_settings
from unroll.tracking import Tracker
from unroll.workspace import Workspace

Metrics = dict[str, float]
COMPARED, COMPARED_LENGTH = 16, 400     # samples and symbols of each temperature


def generate(workspace: Workspace, runtime: RuntimeConfig, generate: GenerateConfig) -> None:
    """Sample after every prompt and say what the samples are worth; other tasks predict the test split."""
    torch.set_num_threads(generate.threads)
    prepared = open_prepared(workspace.prepared)
    model = load_model(workspace.model, prepared)
    if Predictor(model).kind == "next_token":
        metrics, said = samples(workspace, model, prepared, generate)
    else:
        metrics, said = predictions(workspace, model, prepared)
    write_json(workspace.metrics / "generate.json", metrics)
    tracker = Tracker(runtime.tracking, workspace)
    tracker.attach(model.digest)
    tracker.metrics(metrics)
    tracker.files(workspace.samples, folder="samples/final")
    tracker.files(workspace.params)
    tracker.finish()
    print(f"generate: {said} → {workspace.samples} ({tracker.where()})")


def samples(workspace: Workspace, model: Model, prepared: Prepared, settings: GenerateConfig) -> tuple[Metrics, str]:
    """A text file for each sample, prompt included; a picture of what temperature does."""
    (field,) = model.config.inputs
    tokenizer, generator = model.tokenizers[field], Predictor(model).generator
    # a beam search comes to the same each time
    count, best = (1, settings.beams) if settings.beams > 1 else (settings.count, 1)
    prompts = [prompt for prompt in settings.prompts for _ in range(count)]
    rules = read_settings({each.name: getattr(settings, each.name) for each in fields(Settings)})
    made = list(generator.samples(prompts, rules, settings.seed))
    compared = {heat: list(generator.samples([""] * COMPARED, heated(rules, heat), settings.seed))
                for heat in settings.temperatures}
    counted = prepared.tokens(field, "train")
    train = decode(tokenizer, counted, prepared.offsets("train"))
    test = decode(tokenizer, prepared.tokens(field, "test"), prepared.offsets("test"))
    data = Data(train, test, tokenizer, counted[: settings.ngram_tokens], settings.ngram_order)
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


def heated(rules: Settings, temperature: float) -> Settings:
    """The same rules at another temperature; as long as is needed to compare."""
    length = min(rules.length or COMPARED_LENGTH, COMPARED_LENGTH)
    return replace(rules, temperature=temperature, greedy=False, beams=1, length=length,
                   min_length=min(rules.min_length, length))


def predictions(workspace: Workspace, model: Model, prepared: Prepared) -> tuple[Metrics, str]:
    """One table; a forecast from every origin of the test split, the last step of its series that was read."""
    predictor = Predictor(model)
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
    with replacing(workspace.samples) as folder:
        folder.mkdir()
        write_table(table, folder / "predictions.csv", ".csv")
    return {"predictions/sequences": len(given), "predictions/rows": len(table)}, \
        f"{len(table):,} predictions for {len(given):,} sequences of the test split"
