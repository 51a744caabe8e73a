"""Rows of several fields in parts: as they are drawn, after a state, as beams, and with a pattern."""

import io
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.generation.many_fields import drawn
from tests.prediction.conftest import CORES
from tests.refusals import refusal
from unroll.commands.cli import main
from unroll.config.sampling import sampling
from unroll.generation.rows import RowGenerator, RowSample
from unroll.models.folder import load_model
from unroll.prediction.memory import load_memory, write_memory
from unroll.prediction.predictor import Predictor
from unroll.prediction.rows import new, prompt_of, rows_table, values_of
from unroll.prediction.sequences import SequenceReader

VARIANTS = ("all", "text", "numbers", "one", "missing", "mixture")


def given_of(generator: RowGenerator) -> dict[str, Any]:
    return {"class": np.array([1])} if "class" in generator.needs else {}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stream_is_the_sample_row_by_row(made: Any, variant: str) -> None:
    generator = made(variant).generator
    (sample,) = drawn(generator, 1)
    for prompt in ({}, {name: values[:3] for name, values in sample.rows.items()}):
        (whole,) = drawn(generator, 1, prompts=[prompt], length=9)
        parts = list(generator.stream(prompt, sampling(length=9), 3, 0, given_of(generator)))
        for name, values in whole.rows.items():
            np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]) if parts else values[:0],
                                          values[whole.primed :])


def test_a_stream_may_have_no_end(made: Any) -> None:
    generator = made("numbers").generator
    rows = list(islice(generator.stream({}, sampling(length=None), 1), 700))
    assert len(rows) == 700 and rows[0]["x"].shape == (1, 2)
    assert refusal(lambda: drawn(generator, length=None)) == ("missing-value", "length")
    one = made("one").generator
    assert refusal(lambda: list(one.stream({}, sampling(length=5, beams=2), 1))) == ("conflict", "beams")


def sequences_of(made_one: Any, count: int = 3) -> tuple[Predictor, list[Any]]:
    """In the user's units, of at least eight steps."""
    predictor = Predictor(load_model(made_one.folder.folder))
    given = [{"class": np.array([1 + number % 3])} if "class" in made_one.generator.needs else {} for number in range(count)]
    samples = drawn(made_one.generator, count, length=12, min_length=12)
    names = predictor.spec.inputs
    values = []
    for sample, prompt in zip(samples, new(given), strict=True):
        own = values_of(sample, prompt, predictor.spec, made_one.folder.tokenizers)
        own |= {"class": ["a"]} if "class" in names else {}
        values.append(own)
    return predictor, values


def cut(predictor: Predictor, sequence: dict[str, Any], part: slice) -> Any:
    found = {name: values if predictor.spec.inputs[name].per == "sequence" else values[part] for name, values in sequence.items()}
    return found if len(found) > 1 else next(iter(found.values()))


@pytest.mark.parametrize("kind", CORES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_continues_from_a_state_is_the_whole(made: Any, variant: str, kind: str, tmp_path: Path) -> None:
    """Predicted at once, in three parts with the state on disk between them, and step by step."""
    predictor, sequences = sequences_of(made(variant, kind))
    whole = predictor.predict_all([cut(predictor, own, slice(None)) for own in sequences])
    memory, parts = predictor.memory(3), []
    for part in (slice(0, 4), slice(4, 5), slice(5, None)):
        parts.append(predictor.predict_all([cut(predictor, own, part) for own in sequences], memory, end=False))
        write_memory(tmp_path / "state", memory, ["a", "b", "c"], predictor.model.digest)
        memory = load_memory(tmp_path / "state", predictor.memory(3), ["a", "b", "c"], predictor.model.digest)
    for name, expected in whole.items():
        for lane, rows in enumerate(expected):
            np.testing.assert_allclose(np.concatenate([part[name][lane] for part in parts])[: len(rows)], rows, rtol=1e-5, atol=1e-7)
    assert memory.steps.tolist() == [len(predictor._reads.sequence("", cut(predictor, own, slice(None)), False)[predictor.input])
                                     for own in sequences]


@pytest.mark.parametrize("variant", ["all", "one", "missing"])
def test_a_step_predicts_the_one_after_it(made: Any, variant: str) -> None:
    predictor, sequences = sequences_of(made(variant))
    whole = predictor.predict_all([cut(predictor, own, slice(None)) for own in sequences])
    memory = predictor.memory(3)
    beside = {"class": [own["class"] for own in sequences]} if variant == "all" else {}
    for at in range(6):
        steps = {name: [own[name][at - 1] for own in sequences] for name in predictor.spec.drawn} if at else {}
        found = predictor.step({**beside, **steps}, memory)
        found = found if isinstance(found, dict) else {predictor.target: found}
        for name, values in found.items():
            np.testing.assert_allclose(values, [rows[at] for rows in whole[name]], rtol=1e-5, atol=1e-7)
    assert memory.steps.tolist() == [5, 5, 5]
    if variant == "all":
        alone = {"letter": [own["letter"][0] for own in sequences]}
        assert refusal(lambda: predictor.step({**beside, **alone}, memory)) == ("missing-value", "step")


def log_probability(folder: Any, sample: RowSample, length: int) -> float:
    """By a second way: the network reads the whole sequence at once."""
    network = load_model(folder.folder).network
    rows = {name: torch.from_numpy(np.concatenate([np.zeros_like(values[:1]), values])) for name, values in sample.rows.items()}
    with torch.inference_mode():
        raw, _ = network({name: values[:, None] for name, values in rows.items()})
    total, count = 0.0, len(next(iter(sample.rows.values())))
    for name, values in sample.rows.items():
        logits = raw[name][:, 0].double()
        if name == folder.spec.ending:      # no sequence is empty
            logits[0, folder.spec.inputs[name].end - 1] = -torch.inf
        nats = logits.log_softmax(-1)
        total += nats[torch.arange(count), torch.from_numpy(values.reshape(-1) - 1)].sum().item()
        if name == folder.spec.ending and count < length:
            total += nats[count, folder.spec.inputs[name].end - 1].item()
    return total / (count + (folder.spec.ending is not None and count < length))


@pytest.mark.parametrize("variant", ["one", "symbols"])
def test_beams_are_the_most_probable_sequences(made: Any, variant: str) -> None:
    """Wide enough, the search finds whatever many draws find, and scores it as the network does."""
    folder, generator = made(variant)
    length = 3
    best = drawn(generator, 1, length=length, beams=60)
    assert len(best) == 60
    scores = [log_probability(folder, sample, length) for sample in best]
    np.testing.assert_allclose(scores, sorted(scores, reverse=True), rtol=1e-5)
    keys = {str([values.tolist() for values in sample.rows.values()]) for sample in best}
    assert len(keys) == 60
    for sample in drawn(generator, 300, length=length):
        score = log_probability(folder, sample, length)
        assert score < scores[-1] + 1e-6 or str([values.tolist() for values in sample.rows.values()]) in keys
    (greedy,) = drawn(generator, 1, length=length, beams=2, no_repeat_ngram=1, min_length=length)[:1]
    assert all(len({*values.ravel().tolist()}) == length for values in greedy.rows.values())


def test_a_text_among_the_fields_matches_a_pattern(made: Any) -> None:
    folder, generator = made("text")
    tokenizer = folder.tokenizers["letter"]
    texts = [tokenizer.decode(sample.rows["letter"]) for sample in drawn(generator, 40, pattern="a+b")]
    assert all(text.rstrip("b").strip("a") == "" and text.endswith("b") and len(text) > 1 for text in texts)
    assert len({*texts}) > 1
    assert all(len(sample.rows["letter"]) == len(sample.rows["x"]) for sample in drawn(generator, 40, pattern="a+b"))
    allowed = [tokenizer.decode(sample.rows["letter"]) for sample in drawn(generator, 20, allow="a")]
    assert {*"".join(allowed)} == {"a"}
    assert refusal(lambda: drawn(generator, pattern="(")) == ("unsupported", "pattern")


@pytest.mark.parametrize("variant", ["text", "numbers", "one", "mixture", "symbols"])
def test_the_exported_example_draws_the_same_without_chance(made: Any, variant: str, tmp_path: Path) -> None:
    folder, generator = made(variant)
    main(["export", "--model", str(folder.folder), "-o", str(tmp_path / "out")])
    code = (tmp_path / "out" / "example.py").read_text()
    code = code.replace("TEMPERATURE, SEED, LENGTH = 1.0, 1, 200", "TEMPERATURE, SEED, LENGTH = 0, 1, 9")
    (tmp_path / "out" / "own.py").write_text(code)
    printed = subprocess.run([sys.executable, "-I", str(tmp_path / "out" / "own.py")], capture_output=True, text=True, check=True)
    (sample,) = drawn(generator, 1, length=9, greedy=True)
    expected = rows_table([sample], new([{}]), folder.spec, folder.tokenizers).drop(columns="series")
    found = pd.read_csv(io.StringIO(printed.stdout), dtype={name: str for name in expected.select_dtypes(exclude="number")})
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3, atol=1e-4, check_dtype=False)


def test_a_prompt_of_names_is_read_as_predict_reads_it(made: Any) -> None:
    folder, _ = made("one")
    reads = SequenceReader(folder.spec, folder.tokenizers, None)
    prompt = prompt_of("1", {"letter": ["a", "b"]}, folder.spec, reads, {}, "prompt")
    assert prompt.rows["letter"].tolist() == [[1], [2]]
