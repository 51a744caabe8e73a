"""Model folder → samples."""

import torch

from unroll.config.generate import GenerateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.store import decode, open_prepared
from unroll.files import replacing, write_json
from unroll.models.folder import load_model
from unroll.sampling.engine import TorchEngine
from unroll.sampling.loop import encode_prompt, special
from unroll.sampling.loop import generate as sample
from unroll.sampling.rules import compose
from unroll.sampling.worth import longest_copy, words_in_corpus
from unroll.stages.evaluate import check_data
from unroll.tracking import Tracker
from unroll.workspace import Workspace


def generate(workspace: Workspace, runtime: RuntimeConfig, generate: GenerateConfig) -> None:
    """Sample after every prompt and say what the samples are worth; each sample is a text file, prompt included."""
    torch.set_num_threads(generate.threads)
    model = load_model(workspace.model)
    prepared = open_prepared(workspace.prepared)
    check_data(workspace, model, prepared)
    (field,) = model.config.inputs
    tokenizer = model.tokenizers[field]
    prompts = [prompt for prompt in generate.prompts for _ in range(generate.count)]
    rule = compose(special(tokenizer), generate.temperature, generate.top_k, generate.top_p)
    sampled = sample(
        TorchEngine(model.network, field),
        [encode_prompt(tokenizer, prompt) for prompt in prompts],
        generate.length,
        rule,
        [(generate.seed, number) for number in range(len(prompts))],
        tokenizer.end,
    )
    texts = [tokenizer.decode(ids) for ids in sampled]
    corpus = decode(tokenizer, prepared.tokens(field, "train"), prepared.offsets(field, "train"))
    new = [text.removeprefix(prompt) for text, prompt in zip(texts, prompts, strict=True)]
    copied = longest_copy(new, corpus)
    metrics = {
        "samples/words_in_corpus": words_in_corpus(new, corpus),
        "samples/longest_copy": len(copied),
        "samples/characters": sum(map(len, new)),
    }
    with replacing(workspace.samples) as folder:
        folder.mkdir()
        for number, text in enumerate(texts, 1):
            (folder / f"{number:03d}.txt").write_text(text + "\n", encoding="utf-8", newline="")
    write_json(workspace.metrics / "generate.json", metrics)

    tracker = Tracker(runtime.tracking, workspace)
    tracker.attach(model.digest)
    tracker.metrics(metrics)
    tracker.files(workspace.samples, folder="samples/final")
    tracker.files(workspace.params)
    tracker.finish()
    for text in texts[:: generate.count]:       # the first sample of each prompt
        print(f"{'─' * 72}\n{text}")
    print("─" * 72)
    print(f"generate: {len(texts)} samples, {metrics['samples/words_in_corpus']:.1%} of their words occur in the "
          f"corpus, longest copy {len(copied)} characters → {workspace.samples} ({tracker.where()})")
