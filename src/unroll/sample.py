"""`unroll sample`: how a language model goes on after a prompt."""

from collections.abc import Sequence

import torch

from unroll.chosen import model_folder
from unroll.prediction.predictor import load


def sample(prompts: Sequence[str], model: str, count: int, length: int, temperature: float, top_k: int | None,
           top_p: float | None, seed: int) -> None:
    """Print `count` texts for each prompt, prompt included; the n-th text depends on (seed, n) alone."""
    torch.set_num_threads(1)    # a step is so little that threads would only wait for each other
    with model_folder(model) as folder:
        predictor = load(folder)
    wanted = [prompt for prompt in prompts or [""] for _ in range(count)]
    texts = predictor.generate(wanted, length, temperature, top_k, top_p, seed)
    print(f"\n{'─' * 72}\n".join(texts))
