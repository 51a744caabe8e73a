"""A bare PyTorch loop: the same network, batches, optimiser, clipping and dropout as `unroll train`, and nothing else.

    python benchmarks/bare.py               a hundred steps on data/prepared, with params.yaml as it stands
"""

import argparse
import time
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_

from unroll.config.load import load
from unroll.config.model import ModelConfig
from unroll.config.train import TrainConfig
from unroll.data.batches import StreamLayout
from unroll.data.store import Prepared, open_prepared
from unroll.models.cell import State
from unroll.models.dropout import Masks
from unroll.models.network import Network, build
from unroll.training.optimizers import groups, make_optimizer, make_schedule

PROJECT = Path(__file__).parent.parent


def train(
    prepared: Prepared, model: ModelConfig, config: TrainConfig, times: list[float], device: str = "cpu"
) -> Network:
    """Train for `config.max_steps` steps; `times` gets the moment at which each ended."""
    torch.set_num_threads(config.threads)
    network = build(model, prepared.spec, config.seed).to(device)
    layout = StreamLayout(prepared.sequences("train"), config.batch_size, config.bptt)
    optimizer = make_optimizer(config, groups(network, config.learning_rate, {}))
    schedule = make_schedule(config.schedule, optimizer, config.max_steps or len(layout))
    state: list[State] | None = None
    network.train()
    for index in range(config.max_steps or len(layout)):
        batch = layout.batch(index % len(layout))
        inputs, targets = ({name: torch.from_numpy(each).to(device) for name, each in arrays.items()}
                           for arrays in (batch.inputs, batch.targets))
        masks = Masks(config.seed, index, batch.lanes)
        outputs, state = network(inputs, state, masks, torch.from_numpy(batch.lengths).to(device))
        state = [tuple(each.detach() for each in layer) for layer in state]
        (total,) = network.losses(outputs, targets).values()
        loss = total / batch.valid
        optimizer.zero_grad()
        loss.backward()     # type: ignore[no-untyped-call]
        clip_grad_norm_(network.parameters(), config.clip_norm or float("inf"))
        optimizer.step()
        schedule.step()
        if device != "cpu" and index % 10 == 9:
            torch.cuda.synchronize()        # a look at the clock, as often as the pipeline writes a row of its curve
        times.append(time.perf_counter())
    return network


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, default=100)
    steps = options.parse_args().steps
    config = load(PROJECT / "params.yaml")
    times: list[float] = []
    train(open_prepared(PROJECT / "data" / "prepared"), config.model,
          config.train.model_copy(update={"max_steps": steps}), times)
    milliseconds = 1000 * (times[-1] - times[0]) / (steps - 1)
    print(f"{milliseconds:.1f} ms a step of {config.train.batch_size} × {config.train.bptt}")


if __name__ == "__main__":
    main()
