"""The engine against the network that it steps."""

import numpy as np
import pytest
import torch

from tests.models.conftest import CELLS, random_network, random_tokens, small
from unroll.sampling.engine import TorchEngine


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_engine_gives_the_networks_logits(cell, tied):
    network = random_network(small(cell, layers=2, tied=tied), scale=0.2).float()
    engine = TorchEngine(network, "text")
    tokens = random_tokens(30, 3)["text"]
    with torch.inference_mode():
        whole = network({"text": tokens})[0]["text"].numpy()
    state = engine.start(3)
    for t, symbols in enumerate(tokens.numpy()):
        logits, state = engine.step(symbols, state)
        np.testing.assert_allclose(logits, whole[t], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int64])
def test_the_engine_takes_symbols_of_any_integer_type(kind):
    engine = TorchEngine(random_network(small("gru")).float(), "text")
    logits, _ = engine.step(np.array([1, 10], kind), engine.start(2))
    assert logits.shape == (2, 11)
    assert logits.dtype == np.float32


def test_a_state_can_be_stepped_from_twice():
    """As a search that goes two ways from one place does."""
    engine = TorchEngine(random_network(small("lstm")).float(), "text")
    _, state = engine.step(np.array([1]), engine.start(1))
    first, _ = engine.step(np.array([2]), state)
    engine.step(np.array([3]), state)
    again, _ = engine.step(np.array([2]), state)
    np.testing.assert_array_equal(first, again)
