"""How fast generation is: beside the ways that others step a network, and beside reading its weights once.

    python -m benchmarks.generate                       everything, a quarter of an hour on two cores
    python -m benchmarks.generate speed int8 --cells lstm --sizes 2x512
    python -m benchmarks.generate start agree           of the model in artifacts/model
    python -m benchmarks.generate memory                ten million symbols

speed: symbols a second, temperature sampling included. `library` calls `nn.LSTM` (`nn.GRU`, `nn.RNN`) once a symbol,
`cell` `nn.LSTMCell`, each with PyTorch's own softmax and multinomial draw; `ours` and `int8` are the loop of `unroll
sample` on step files. All have random weights, 100 symbols, and take turns; figures are medians over turns, ratios
medians of the ratios within a turn. `weights` is how often the weights could be read once a second, by a sum over as
many bytes in the same number of threads. int8: bits per character on the test split. start: seconds from the start of
the process.
agree: how many of 1,000 samples are the same one by one as 64 at a time. memory: resident megabytes of a stream.
Results go to benchmarks/results/generate.json.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.config.model import ModelConfig
from unroll.config.sampling import sampling
from unroll.data.spec import Counts, InputSpec, Reading, SourceSpec, Spec, TargetSpec
from unroll.data.store import open_prepared
from unroll.data.tokenizers import char
from unroll.generation.engine import Engine, OnnxEngine
from unroll.generation.loop import Drawing, walk
from unroll.generation.one_field import OneField
from unroll.generation.text import Generator, open_generator
from unroll.models.manifest import STEP, STEP_INT8, open_folder
from unroll.models.network import Network, build
from unroll.models.onnx.step import step_graph

PROJECT = Path(__file__).parent.parent
SIZE = 100          # symbols of the vocabulary
HEAT = 0.8
SIZES = ("1x256", "2x512", "2x1024")
TURN_SECONDS = 0.4
Run = Callable[[int], None]     # a number of symbols a lane


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", metavar="PART", help="speed, int8, start, agree, memory")
    options.add_argument("--cells", nargs="+", default=["lstm", "gru", "rnn"])
    options.add_argument("--sizes", nargs="+", default=list(SIZES))
    options.add_argument("--turns", type=int, default=7)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--symbols", type=int, default=10_000_000, help="of the part memory")
    options.add_argument("--model", type=Path, default=PROJECT / "artifacts" / "model")
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "generate.json")
    chosen = options.parse_args()
    more = f", {chosen.threads} threads" if chosen.threads > 1 else ""
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "speed": lambda: {f"{cell} {size}{more}": speed(cell, size, chosen.turns, chosen.threads)
                          for cell in chosen.cells for size in chosen.sizes},
        "int8": lambda: int8_bits(chosen.model), "start": lambda: start(chosen.model),
        "agree": lambda: agree(chosen.model), "memory": lambda: memory(chosen.symbols),
    }
    found = json.loads(chosen.out.read_text()) if chosen.out.is_file() else {}
    for name in chosen.parts or parts:
        new = parts[name]()
        found[name] = found.get(name, {}) | new if name == "speed" else new
        print(f"{name}: {json.dumps(found[name], indent=2)}", flush=True)
        write_json(chosen.out, found | {"machine": environment("cpu") | {"cores": os.cpu_count()}})


def speed(cell: str, size: str, turns: int, threads: int) -> dict[str, Any]:
    """Symbols a second at batch 1 and 64, and ratios to the others."""
    torch.set_num_threads(threads)
    layers, hidden = map(int, size.split("x"))
    network = random_network(cell, layers, hidden)
    result: dict[str, Any] = {}
    for lanes in (1, 64):
        ways: dict[str, Run] = {
            "library": by_library(network, cell, lanes), "cell": by_cell(network, cell, lanes),
            "ours": by_engine(OnnxEngine(step_graph(network), threads), lanes),
        }
        if cell == "lstm":
            ways["int8"] = by_engine(OnnxEngine(step_graph(network, int8=True), threads), lanes)
        if lanes == 1:
            ways["weights"] = reading(sum(each.numel() for each in network.core.parameters()))
        rates = in_turns(ways, turns, lanes)
        print(f"{cell} {size} batch {lanes}: {rates}", file=sys.stderr, flush=True)
        result[f"batch {lanes}"] = {name: round(median(each)) for name, each in rates.items()}
        result[f"batch {lanes}"] |= {
            f"{above} to {below}": round(median(a / b for a, b in zip(rates[above], rates[below], strict=True)), 2)
            for above, below in (("ours", "library"), ("ours", "cell"), ("int8", "ours"), ("weights", "ours"))
            if above in rates
        }
    return result


def in_turns(ways: dict[str, Run], turns: int, lanes: int) -> dict[str, list[float]]:
    """Symbols a second of each way, all lanes together, turn by turn."""
    counts = {}
    for name, run in ways.items():
        run(3)
        started = time.perf_counter()
        run(10)
        counts[name] = max(10, round(10 * TURN_SECONDS / (time.perf_counter() - started)))
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, run in ways.items():
            started = time.perf_counter()
            run(counts[name])
            rates[name].append(counts[name] * (1 if name == "weights" else lanes) / (time.perf_counter() - started))
    return rates


def random_network(cell: str, layers: int, hidden: int) -> Network:
    own: dict[str, dict[str, Any]] = {"lstm": {"forget_bias": 1.0}, "gru": {}, "rnn": {"nonlinearity": "tanh"}}
    config = ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": hidden, "dropout": 0.0}},
        "core": {"kind": cell, "hidden_size": hidden, "num_layers": layers, "dropout": 0.0, "bidirectional": False,
                 "recurrent_init": "orthogonal", **own[cell]},
        "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}},
    })
    counts = Counts(sequences=1, steps=1)
    spec = Spec(layout="stream", longest=1, inputs={"text": InputSpec(kind="tokens", size=SIZE, width=1)},
                targets={"text": TargetSpec(kind="classes", per="step", of="text", size=SIZE)}, forecast=None,
                splits={"train": counts, "validation": counts, "test": counts},
                source=SourceSpec(kind="none", name="none", licence="none", sha256=""), reading=Reading())
    return build(config, spec, seed=1).eval()


def by_engine(engine: Engine[Any], lanes: int) -> Run:
    prompts, seeds = [np.array([1])] * lanes, [(1, lane) for lane in range(lanes)]

    def run(count: int) -> None:
        drawing = Drawing(sampling(length=count, temperature=HEAT), prompts, seeds, [0], None, None, with_nats=False)
        for _ in walk(OneField(engine), prompts, drawing, np.zeros(lanes, dtype=bool)):
            pass

    return run


def by_library(network: Network, cell: str, lanes: int) -> Run:
    """The kernel for whole sequences, a symbol at a time."""
    sizes = (network.core.size, network.core.size, len(network.core.layers))
    kernel: nn.RNNBase = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](*sizes)

    def step(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        y, state = kernel(x[None], state)
        return y[0], state

    return by_torch(network, step, lanes)


def by_cell(network: Network, cell: str, lanes: int) -> Run:
    kind = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}[cell]
    cells = [kind(network.core.size, network.core.size) for _ in network.core.layers]

    def step(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        after = []
        for each, before in zip(cells, state or [None] * len(cells), strict=True):
            after.append(each(x, before))
            x = after[-1][0] if cell == "lstm" else after[-1]
        return x, after

    return by_torch(network, step, lanes)


def by_torch(network: Network, step: Callable[[Tensor, Any], tuple[Tensor, Any]], lanes: int) -> Run:
    embedding, output = nn.Embedding(SIZE, network.core.size), nn.Linear(network.core.size, SIZE)

    @torch.inference_mode()
    def run(count: int) -> None:
        symbols, state = torch.ones(lanes, dtype=torch.int64), None
        for _ in range(count):
            hidden, state = step(embedding(symbols), state)
            symbols = torch.multinomial((output(hidden) / HEAT).softmax(dim=-1), 1)[:, 0]

    return run


def reading(numbers: int) -> Run:
    weights = torch.ones(numbers)

    def run(count: int) -> None:
        for _ in range(count):
            weights.sum()

    return run


def int8_bits(model: Path) -> dict[str, float]:
    """Bits per character of the test split, both step files, 64 stretches side by side."""
    opened = open_folder(model)
    (field,) = opened.tokenizers
    prepared = open_prepared(PROJECT / "data" / "prepared")
    tokens = np.asarray(prepared.tokens(field, "test"), np.int64)
    lanes = tokens[: len(tokens) // 64 * 64].reshape(64, -1).T
    split = prepared.spec.splits["test"]
    bits = split.steps / split.characters / math.log(2)
    found = {}
    for name, file in (("float32", STEP), ("int8", STEP_INT8)):
        engine, nats = OneField(OnnxEngine(model / file)), []
        state = engine.start(64)
        for now, following in pairwise(lanes):
            logits, state = engine.read(now[None], np.ones(64, np.int32), state)
            logits = logits - logits.max(axis=1, keepdims=True)
            nats.append(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(64), following])
        found[name] = round(float(np.mean(nats)) * bits, 5)
    return found | {"worse by": round(found["int8"] - found["float32"], 5)}


def start(model: Path) -> dict[str, float]:
    """Seconds from the start of the process to the first character, and to the end of 500."""
    first, whole, bare = [], [], []
    command = [sys.executable, "-m", "unroll", "sample", "--stream", "--length", "500", "--model", str(model)]
    for _ in range(9):
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            first.append(time.perf_counter() - started)
            process.stdout.read()
        whole.append(time.perf_counter() - started)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import numpy, onnxruntime"], check=True)
        bare.append(time.perf_counter() - started)
    return {"first character": round(median(first), 3), "500 characters": round(median(whole), 3),
            "Python, NumPy and ONNX Runtime alone": round(median(bare), 3)}


def agree(model: Path) -> dict[str, int]:
    generator, settings = open_generator(model), sampling(length=100, temperature=HEAT)
    one, many = ([each.text for each in generator.samples([""] * 1000, settings, 1, lanes=lanes)] for lanes in (1, 64))
    return {"samples": 1000, "the same": sum(a == b for a, b in zip(one, many, strict=True))}


def memory(symbols: int) -> dict[str, int]:
    """Resident megabytes of a stream of a small network, at every tenth of the way."""
    engine = OnnxEngine(step_graph(random_network("lstm", 1, 32)))
    tokenizer = char.Fitted("\n" + "".join(map(chr, range(33, 33 + SIZE - 2))), items=False)
    found, done, settings = {}, 0, sampling(length=symbols, temperature=HEAT)
    for part in Generator(engine, tokenizer).stream("", settings, seed=1):
        if done * 10 // symbols < (done + len(part)) * 10 // symbols:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            found[f"after {done + len(part):,} symbols"] = pages * os.sysconf("SC_PAGE_SIZE") // 2**20
        done += len(part)
    return found


if __name__ == "__main__":
    main()
