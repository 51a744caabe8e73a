"""What predictions cost: against sums over log-softmax, symbol by symbol."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import tiny
from tests.models.conftest import SIZE, random_network, small
from tests.specs import make_spec
from unroll.data.batches import ItemLayout, Layout
from unroll.data.codecs import TextCodec
from unroll.data.source import Origin, Source
from unroll.data.store import Prepared, open_prepared
from unroll.data.tokenizers import Tokenizer, byte, char
from unroll.data.writer import write_prepared
from unroll.evaluation.measure import Text, losses, read_split
from unroll.evaluation.reports import next_token
from unroll.evaluation.scored import layout_of
from unroll.models.network import Network
from unroll.models.outputs import outputs

TOKENS = np.random.default_rng(0).integers(0, SIZE, 700).astype(np.uint8)
ITEMS = ["anna", "ben", "çelik", "d", "emilia"]


class Pieces(Source):
    def __init__(self, layout: str, *pieces: str) -> None:
        self.layout, self._pieces = layout, pieces

    def pieces(self, split):
        return ({"text": piece} for piece in self._pieces)


DATA, DEFAULT = tiny().data, tiny().evaluate


def write(folder: Path, unit: str, tokenizer: Tokenizer, *pieces: str) -> Prepared:
    data = DATA.model_copy(update={"unit": unit})
    source = Pieces("stream" if unit == "stream" else "items", *pieces)
    write_prepared(folder, data, source, Origin("a", "b", "c"), {"text": TextCodec(tokenizer)})
    return open_prepared(folder)


def layout(text: Text, lanes: int, warmup: int) -> Layout:
    """Read from symbol 3 on."""
    spec = make_spec({"text": {"kind": "tokens", "size": SIZE, "begin": 3}},
                     {"text": {"kind": "classes", "per": "step", "of": "text", "size": SIZE}},
                     layout="stream" if text.offsets is None else "items")
    return layout_of(text.sequences(spec, "text"), DEFAULT.model_copy(update={"lanes": lanes, "warmup": warmup}), False)


def total_nats(network: Network, read: Layout) -> float:
    return sum(each.losses["text"] for each in outputs(network, read))


def direct(network: Network, tokens: np.ndarray, begin: int) -> float:
    """One lane, one symbol at a time."""
    state, nats = network.start(1), 0.0
    for before, symbol in zip([begin, *tokens], tokens, strict=False):
        outputs, state = network.step({"text": torch.tensor([int(before)])}, state)
        nats -= float(outputs["text"].detach().log_softmax(dim=-1)[0, int(symbol)])
    return nats


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(small("lstm", layers=2))


def test_one_lane_is_one_stateful_pass(network):
    read = layout(Text(TOKENS, None, 700, 700), lanes=1, warmup=0)
    assert len(read) > 2
    assert total_nats(network, read) == pytest.approx(direct(network, TOKENS, 3), abs=1e-9)


@pytest.mark.parametrize("warmup", [0, 1, 100, 1000])
@pytest.mark.parametrize("lanes", [1, 3, 8, 5000])
def test_each_symbol_is_scored_once(lanes, warmup):
    """Where every prediction is even, a symbol costs log V."""
    network = random_network(small("gru"))
    with torch.no_grad():
        for each in network.parameters():
            each.zero_()
    read = layout(Text(TOKENS, None, 700, 700), lanes, warmup)
    assert total_nats(network, read) == pytest.approx(700 * math.log(SIZE), abs=1e-9)


def test_warm_lanes_cost_what_one_lane_costs(network):
    # what lies before the stream is `begin`: the first lane reads it for its warm-up
    text = Text(TOKENS, None, 700, 700)
    one, warm, cold = (
        total_nats(network, layout(text, lanes, warmup)) for lanes, warmup in ((1, 64), (7, 64), (7, 0))
    )
    assert warm == pytest.approx(one, rel=1e-7)
    assert cold != pytest.approx(one, rel=1e-5)


def test_items_start_afresh(network):
    offsets = np.array([0, 3, 4, 10, 300, 700])
    read = layout(Text(TOKENS, offsets, 700, 700), lanes=2, warmup=50)
    alone = sum(direct(network, TOKENS[a:b], 3) for a, b in pairwise(offsets))
    assert isinstance(read, ItemLayout)
    assert total_nats(network, read) == pytest.approx(alone, abs=1e-9)


def test_measuring_leaves_the_weights_as_they_are(network):
    before = {name: each.clone() for name, each in network.state_dict().items()}
    total_nats(network, layout(Text(TOKENS, None, 700, 700), 7, 0))
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())


def test_units_are_related_by_how_many_there_are():
    text = Text(TOKENS[:100], None, characters=200, bytes=250)
    found = losses(150.0, text, "test/")
    assert found == pytest.approx({
        "test/loss": 1.5,
        "test/perplexity": math.exp(1.5),
        "test/bpc": 150 / math.log(2) / 200,
        "test/bpb": 150 / math.log(2) / 250,
    })


def test_a_perplexity_beyond_all_numbers_stays_one():
    assert math.isfinite(losses(1e9, Text(TOKENS[:1], None, 1, 1), "test/")["test/perplexity"])


def test_a_whole_split_has_the_sources_counts(tmp_path):
    tokenizer = byte.Fitted(items=False)
    text = read_split(write(tmp_path / "p", "stream", tokenizer, "für", " Élise"), "text", tokenizer, "test")
    assert (len(text.tokens), text.characters, text.bytes, text.offsets) == (11, 9, 11, None)


@pytest.mark.parametrize(("limit", "part"), [(None, "für Élise"), (100, "für Élise"), (9, "für Élise"), (4, "frÉi"), (1, "f")])
def test_a_part_of_a_stream_is_spread_over_it(tmp_path, limit, part):
    tokenizer = char.Fitted(" efilrsÉü", items=False)
    text = read_split(write(tmp_path / "p", "stream", tokenizer, "für Élise"), "text", tokenizer, "train", limit)
    assert (tokenizer.decode(text.tokens), text.characters, text.bytes) == (part, len(part), len(part.encode()))


@pytest.mark.parametrize(("limit", "items"), [
    (None, [0, 1, 2, 3, 4]), (100, [0, 1, 2, 3, 4]), (24, [0, 1, 2, 3, 4]), (23, [0, 1, 2, 3]), (10, [0, 2]), (1, [0]),
])
def test_a_part_of_items_is_whole_items(tmp_path, limit, items):
    """Each item and its end; one at least."""
    tokenizer = char.Fitted("".join(sorted(set("".join(ITEMS)))), items=True)
    text = read_split(write(tmp_path / "p", "line", tokenizer, *ITEMS), "text", tokenizer, "train", limit)
    lines = "".join(f"{ITEMS[at]}\n" for at in items)
    assert text.offsets.tolist() == np.cumsum([0, *(len(ITEMS[at]) + 1 for at in items)]).tolist()
    assert (len(text.tokens), text.characters, text.bytes) == (len(lines), len(lines), len(lines.encode()))


def test_an_unlimited_split_is_not_decoded(tmp_path, monkeypatch):
    """Whatever its size, its counts stand in spec.json."""
    tokenizer = byte.Fitted(items=False)
    prepared = write(tmp_path / "p", "stream", tokenizer, "abc")
    monkeypatch.setattr(tokenizer, "decode", None)
    assert read_split(prepared, "text", tokenizer, "test").characters == prepared.spec.splits["test"].characters == 3


@pytest.mark.parametrize("unit", ["stream", "line"])
def test_the_part_of_a_long_training_text_that_is_scored_is_the_one_that_is_counted(tmp_path, unit):
    """A part of a text that changes on its way: every kind of it is among what is scored."""
    tokenizer = char.Fitted("abc", items=unit == "line")
    prepared = write(tmp_path / "p", unit, tokenizer, *(["a" * 400 + "b" * 400 + "c" * 400] if unit == "stream" else
                                                       ["a" * 9] * 40 + ["b" * 9] * 40 + ["c" * 9] * 40))
    settings = DEFAULT.model_copy(update={"train_tokens": 120, "lanes": 6, "warmup": 5})
    text, read = next_token.part(prepared, "text", tokenizer, settings, False)
    assert len(text.tokens) == 120 == sum(sum(read.counts(at).values()) for at in range(len(read)))
    assert len({*np.bincount(text.tokens, minlength=tokenizer.size)[tokenizer.encode("abc")[:3]]}) == 1
    scored = [batch.targets["text"] for batch in (read.batch(at) for at in range(len(read)))]
    counts = np.bincount(np.concatenate([part[part >= 0] for part in scored]), minlength=tokenizer.size)
    assert counts.tolist() == np.bincount(text.tokens, minlength=tokenizer.size).tolist()
