"""The loop, over an engine that counts and over a network."""

import numpy as np
import pytest

from tests.models.conftest import random_network, small
from unroll.data.tokenizers import Bytes, Chars, Words
from unroll.errors import UserError
from unroll.sampling.engine import TorchEngine
from unroll.sampling.loop import encode_prompt, generate, special
from unroll.sampling.rules import compose

SYMBOLS = 11


class Counter:
    """After symbol s comes s + 1, for certain; it remembers what each lane has read."""

    def __init__(self) -> None:
        self.steps = 0

    def start(self, lanes):
        return [()] * lanes

    def step(self, symbols, state):
        self.steps += 1
        logits = np.full((len(symbols), SYMBOLS), -np.inf)
        logits[np.arange(len(symbols)), (symbols + 1) % SYMBOLS] = 0
        return logits, [(*read, int(symbol)) for read, symbol in zip(state, symbols, strict=True)]


def arrays(*prompts):
    return [np.array(prompt) for prompt in prompts]


def counted(*prompts, length=3, end=None, engine=None):
    seeds = [(0, number) for number in range(len(prompts))]
    made = generate(engine or Counter(), arrays(*prompts), length, compose([], 1.0), seeds, end)
    return [each.tolist() for each in made]


def sampled(prompts, seeds, length=20, end=None, heat=1.0):
    engine = TorchEngine(random_network(small("lstm", layers=2)).float(), "text")
    made = generate(engine, arrays(*prompts), length, compose([], heat), seeds, end)
    return [each.tolist() for each in made]


def test_a_lane_goes_on_with_what_it_drew():
    assert counted([0], [4]) == [[1, 2, 3], [5, 6, 7]]


def test_prompts_of_unequal_length_are_kept_and_every_lane_gets_its_length():
    assert counted([0], [0, 7], [0, 9, 2, 5]) == [[1, 2, 3], [7, 8, 9, 10], [9, 2, 5, 6, 7, 8]]


def test_one_symbol_costs_one_step_beyond_the_prompt():
    engine = Counter()
    assert counted([0, 7], length=1, engine=engine) == [[7, 8]]
    assert engine.steps == 2


def test_the_end_symbol_stops_its_own_lane_and_is_left_out():
    assert counted([0], [6], [2, 8], length=5, end=8) == [[1, 2, 3, 4, 5], [7], [8, 9, 10, 0, 1, 2]]


def test_an_end_symbol_drawn_at_once_leaves_the_prompt():
    assert counted([0, 3], [7], length=4, end=4) == [[3], [8, 9, 10, 0]]


def test_no_step_is_made_when_all_lanes_have_ended():
    engine = Counter()
    counted([0], [2], length=1000, end=4, engine=engine)
    assert engine.steps == 4


def test_eight_lanes_are_eight_lanes_alone():
    prompts = [[0], [0, 3], [0, 5, 2, 9], [0], [0, 1, 1], [0, 4], [0], [0, 8, 8, 8, 8, 8]]
    seeds = [(7, number) for number in range(8)]
    together = sampled(prompts, seeds)
    assert together == [sampled([prompt], [seed])[0] for prompt, seed in zip(prompts, seeds, strict=True)]
    assert all(made[: len(prompt) - 1] == prompt[1:] for made, prompt in zip(together, prompts, strict=True))
    assert all(len(made) == len(prompt) - 1 + 20 for made, prompt in zip(together, prompts, strict=True))


def test_lanes_that_end_early_do_not_disturb_the_others():
    prompts, seeds = [[0], [0, 3], [0], [0]], [(1, number) for number in range(4)]
    together = sampled(prompts, seeds, end=6)
    assert len({len(made) for made in together}) > 1
    assert together == [sampled([prompt], [seed], end=6)[0] for prompt, seed in zip(prompts, seeds, strict=True)]


def test_a_lanes_draws_follow_from_its_seed():
    first, again, *others = sampled([[0]] * 5, [(1, 2), (1, 2), (1, 3), (2, 2), (-1, 2)])
    assert first == again
    assert all(each != first for each in others)


def test_a_longer_sample_begins_with_the_shorter_one_at_the_most_probable():
    short, long = (sampled([[0, 3]], [(1, 0)], length, heat=0.0)[0] for length in (5, 30))
    assert long[:6] == short


def test_a_longer_sample_begins_with_the_shorter_one():
    short, long = (sampled([[0, 3]], [(1, 0)], length)[0] for length in (5, 30))
    assert long[:6] == short


def test_a_prompt_starts_with_the_begin_symbol():
    tokenizer = Chars("\nabc", items=False)
    assert encode_prompt(tokenizer, "cab").tolist() == [1, 4, 2, 3]
    assert encode_prompt(tokenizer, "").tolist() == [1]
    assert encode_prompt(Bytes(items=True), "A").tolist() == [256, 65]


def test_an_unknown_symbol_of_a_prompt_is_named_with_its_place():
    with pytest.raises(UserError, match=r"prompt 'abäc€': the model never saw 'ä' \(symbol 3\)") as caught:
        encode_prompt(Chars("\nabc", items=False), "abäc€")
    assert "\n" not in str(caught.value)


def test_an_unknown_word_of_a_prompt_is_named_whole():
    with pytest.raises(UserError, match=r"prompt 'The cat flew': the model never saw 'flew' \(symbol 3\)"):
        encode_prompt(Words(["cat", "the"], lowercase=True, items=False), "The cat flew")


def test_a_tokenizer_without_an_unknown_symbol_takes_any_prompt():
    assert encode_prompt(Bytes(items=False), "ä").tolist() == [10, 195, 164]


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        (Chars("\nabc", items=False), [0]),
        (Chars("abc", items=True), [0, 4]),
        (Bytes(items=False), []),
        (Bytes(items=True), [256]),
    ],
)
def test_no_sample_may_contain_the_unknown_symbol_or_the_begin_of_an_item(tokenizer, expected):
    assert sorted(special(tokenizer)) == expected
