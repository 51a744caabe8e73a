"""Several fields drawn at each step, by random networks of every core."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.generation.many_fields import VARIANTS, drawn, same
from tests.prediction.conftest import CORES
from tests.refusals import refusal
from unroll.config.heads.mixture import Settings as MIXTURE
from unroll.config.sampling import sampling
from unroll.data.batches import ItemLayout
from unroll.data.fields import IGNORED
from unroll.data.store import open_prepared
from unroll.generation.draw import Drawn, Lanes
from unroll.generation.draws.mixture import Draw as MixtureDraw
from unroll.generation.engines import open_engine
from unroll.generation.rows import RowGenerator
from unroll.generation.rules import lane_generator
from unroll.generation.torch_engine import TorchEngine
from unroll.models.folder import load_model
from unroll.models.head import Sizes
from unroll.models.heads.mixture import Head as MixtureHead


@pytest.mark.parametrize("kind", CORES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_both_engines_draw_the_same(made: Any, variant: str, kind: str) -> None:
    folder, generator = made(variant, kind)
    other = RowGenerator(TorchEngine(load_model(folder.folder).network), folder.spec, folder.config.heads, folder.tokenizers)
    assert other.needs == generator.needs
    same(drawn(generator), drawn(other))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sequence_depends_on_its_number_alone(made: Any, variant: str) -> None:
    generator = made(variant).generator
    together = drawn(generator)
    same(together, drawn(generator, lanes=1))
    same(together, drawn(generator, lanes=2))
    same(together[3:], drawn(generator, prompts=[{}] * 2, first=3))
    assert any(len(next(iter(sample.rows.values()))) for sample in together)
    first, second = (sample.rows for sample in together[:2])
    assert any(len(first[name]) != len(second[name]) or (first[name] != second[name]).any() for name in first)


def test_draws_are_those_of_the_network_and_of_each_field_s_own_numbers(made: Any) -> None:
    """By a second way: the whole sequence read at once, each distribution inverted at its uniform number."""
    folder, generator = made("all", "lstm")
    network = load_model(folder.folder).network
    count = 20
    (sample,) = drawn(generator, 1, length=count, min_length=count)
    inputs = {}
    for name, values in sample.rows.items():        # one step late
        inputs[name] = torch.from_numpy(np.concatenate([np.zeros_like(values[:1]), values])[:count, None])
    inputs["class"] = torch.from_numpy(sample.given["class"][None])
    with torch.inference_mode():
        raw, _ = network(inputs)
    for number, name in enumerate(["letter", "on", "tag", "x"]):
        outputs, values = raw[name][:, 0].double(), sample.rows[name]
        width = 1 if values.dtype.kind == "i" else 2
        uniform = lane_generator(3, 0, number).random((256, width))[:count]
        if name in ("letter", "tag"):
            if name == "letter":
                outputs[:, -1] = -torch.inf     # the end, which comes too early
            chosen = (outputs.softmax(-1).cumsum(-1) < torch.from_numpy(uniform)).sum(-1) + 1
            assert chosen.tolist() == values[:, 0].tolist()
        elif name == "on":
            assert (torch.from_numpy(uniform) < outputs.sigmoid()).tolist() == (values > 0).tolist()
        else:
            mean, spread = outputs.view(count, 2, 2).unbind(-1)
            deviation = torch.nn.functional.softplus(spread + 0.5413) + 1e-3
            np.testing.assert_allclose(mean + deviation * torch.special.ndtri(torch.from_numpy(uniform)), values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_prompt_is_kept_and_continued(made: Any, variant: str) -> None:
    """Without chance, what follows the beginning of a sequence is the rest of it."""
    generator = made(variant).generator
    whole = drawn(generator, greedy=True, min_length=12)
    beginnings = [{name: values[: 2 + number] for name, values in sample.rows.items()} for number, sample in enumerate(whole)]
    parts = [drawn(generator, prompts=beginnings, greedy=True, length=length, min_length=length) for length in (6, 8)]
    for number, (sample, six, eight) in enumerate(zip(whole, *parts, strict=True)):
        assert six.primed == eight.primed == 2 + number
        for name, values in sample.rows.items():
            np.testing.assert_allclose(six.rows[name], values[: 8 + number], rtol=1e-4, atol=1e-4)
            assert len(eight.rows[name]) == 10 + number


def test_the_first_symbols_end_a_sequence(made: Any) -> None:
    for variant, end in (("all", 6), ("text", None)):
        folder, generator = made(variant)
        assert folder.spec.ending == "letter" and end in (None, folder.spec.inputs["letter"].end)
        made_of = drawn(generator, 60, length=200)
        lengths = [len(sample.rows["letter"]) for sample in made_of]
        assert 1 <= min(lengths) < 5 and max(lengths) < 200
        assert all(sample.rows["letter"].max() < folder.spec.inputs["letter"].end for sample in made_of)
        assert min(len(sample.rows["letter"]) for sample in drawn(generator, 60, length=9, min_length=7)) >= 7
    assert made("beside").folder.spec.ending is None
    assert {len(sample.rows["tag"]) for sample in drawn(made("beside").generator)} == {12}


def test_rules_are_those_of_every_field_of_symbols(made: Any) -> None:
    generator = made("all").generator
    greedy, first = drawn(generator, greedy=True), drawn(generator, top_k=1)
    for one, other in zip(greedy, first, strict=True):
        assert one.rows["letter"][:1].tolist() == other.rows["letter"][:1].tolist()
        assert one.rows["tag"][:1].tolist() == other.rows["tag"][:1].tolist()
    for sample in drawn(generator, 20, no_repeat_ngram=1, length=3, min_length=3):
        assert all(len(set(sample.rows[name][:, 0].tolist())) == len(sample.rows[name]) for name in ("letter", "tag"))
    cold = drawn(generator, 20, temperature=1e-6)
    same(drawn(generator, 20, greedy=True), cold)


@pytest.mark.parametrize(("settings", "where"), [
    ({"beams": 3}, "beams"), ({"pattern": "a+"}, "pattern"), ({"allow": "ab"}, "allow"), ({"stop": ["a"]}, "stop"),
])
def test_what_only_a_text_has_is_refused(made: Any, settings: dict[str, Any], where: str) -> None:
    assert refusal(lambda: drawn(made("all").generator, **settings)) == ("unsupported", where)


def test_rules_of_symbols_need_a_field_of_symbols(made: Any) -> None:
    assert refusal(lambda: drawn(made("numbers").generator, top_k=3)) == ("unsupported", "top_k")


def test_more_steps_than_what_is_beside_them_are_refused(made: Any) -> None:
    generator = made("beside").generator
    assert generator.steps == ["x"]
    assert refusal(lambda: drawn(generator, length=41))[0] == "too-short"


def test_a_step_is_predicted_from_those_before_it(made: Any) -> None:
    """Rows of a batch: inputs one step late, each field's own targets, unknown in the row that ends the item."""
    folder = made("all").folder
    prepared = open_prepared(folder.folder.parent / "data" / "prepared")
    data = prepared.sequences("test")
    batch, spec = ItemLayout(data, 4, None).batch(0), prepared.spec
    lane, length = 3, int(batch.lengths[3])
    assert not batch.inputs["letter"][0].any() and not batch.inputs["x"][0].any()
    np.testing.assert_array_equal(batch.inputs["letter"][1:length, lane, 0], batch.targets["letter"][: length - 1, lane] + 1)
    np.testing.assert_array_equal(batch.inputs["x"][1:length, lane], batch.targets["x"][: length - 1, lane])
    assert batch.targets["letter"][length - 1, lane] == spec.targets["letter"].size - 1
    assert batch.targets["tag"][length - 1, lane] == IGNORED and np.isnan(batch.targets["x"][length - 1, lane]).all()
    steps = int(batch.lengths.sum())
    assert batch.counts == {"letter": steps, "tag": steps - 4, "on": steps - 4, "x": steps - 4}


def test_the_engine_names_every_head(made: Any) -> None:
    folder = made("all").folder
    assert sorted(open_engine(folder).heads) == ["letter", "on", "tag", "x"]
    assert folder.generates == "rows" and made("one").folder.generates == "rows"


def test_a_mixture_is_drawn_from(made: Any) -> None:
    """Frequencies, means and deviations of many lanes are those of the components; numbers of a lane share one."""
    settings = MIXTURE.model_validate({"kind": "mixture", "components": 2, "pooling": None, "dropout": 0.0})
    drawn_field, count = Drawn(made("numbers").folder.spec.inputs["x"], settings, None), 20_000
    logits, mean, spread = np.log([0.25, 0.75]), np.array([[-5.0, -7.0], [14.0, 16.0]]), np.array([[0.0, -2.0], [1.0, -2.0]])
    outputs = np.repeat(np.concatenate([logits, mean.ravel(), spread.ravel()])[None], count, axis=0)
    lanes = Lanes(sampling(), [np.zeros((1, 2))] * count, [(1, number, 0) for number in range(count)])
    values, kept, on = MixtureDraw(drawn_field, lanes)(np.arange(count), outputs)
    assert kept is None and on is None and values.shape == (count, 2)
    first = values[:, 0] < 0
    assert first.mean() == pytest.approx(0.25, abs=0.015) and (first == (values[:, 1] < 0)).all()
    network = MixtureHead(settings, Sizes(3, 2))
    _, _, deviation = network.split(torch.from_numpy(outputs[:1]))
    for component, rows in enumerate((values[first], values[~first])):
        np.testing.assert_allclose(rows.mean(axis=0), mean[component], atol=0.08)
        np.testing.assert_allclose(rows.std(axis=0), deviation[0, component], rtol=0.04)
    cold = Lanes(sampling(greedy=True), *lanes[1:])
    np.testing.assert_allclose(MixtureDraw(drawn_field, cold)(np.arange(count), outputs)[0], np.tile(mean[1], (count, 1)), rtol=1e-6)
