"""Several processes of one training, its ranks: how they start, wait for each other, and end together."""

import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.utils.data import dataloader

from unroll.base.errors import UserError
from unroll.base.processes import launcher, rank, started
from unroll.config.train import TrainConfig

GRACE_SECONDS = 10       # so that PyTorch's own errors, which say more, come first
REACH = "On several machines, name the network interface of each in GLOO_SOCKET_IFNAME (NCCL_SOCKET_IFNAME with GPUs)."


def check_devices(config: TrainConfig) -> None:
    """Raise `UserError` when train.devices or num_nodes do not fit this machine or the processes that were started."""
    asked = (config.devices, config.num_nodes)
    devices, nodes = started() or asked
    if (devices, nodes) != asked:
        raise UserError("conflict", "train.devices", f"{asked[0]} × train.num_nodes {asked[1]} processes are asked "
                        f"for, {launcher()} has started {devices} × {nodes}. Set train.devices={devices} "
                        f"train.num_nodes={nodes}.")
    found = torch.cuda.device_count() if config.accelerator != "cpu" and torch.cuda.is_available() else 0
    if config.accelerator == "gpu" and not found:
        raise UserError("no-device", "train.accelerator", f"gpu with train.devices {config.devices}, but PyTorch finds "
                        "0 GPUs here. Set it to cpu or auto.")
    if found and config.devices > found:
        raise UserError("no-device", "train.devices", f"{config.devices} GPUs are asked for, this machine has {found}. "
                        f"Set it to {found}, or train.accelerator to cpu.")
    if config.precision == "16-mixed" and not found:
        raise UserError("no-device", "train.precision", "16-mixed needs a GPU. Set bf16-mixed or 32-true.")
    cores = os.cpu_count() or 1
    if not found and config.devices > cores and "LOCAL_RANK" not in os.environ:
        print(f"train: {config.devices} processes share {cores} processors; expect them to wait for each other")


def make_strategy(config: TrainConfig, wait_minutes: float) -> Strategy | str:
    """Data-parallel replicas with averaged gradients where there is more than one process."""
    if config.devices * config.num_nodes == 1 and config.strategy == "auto":
        return "auto"
    # the averaged gradient is not copied back; no buffer of a network changes while it trains
    return DDPStrategy(timeout=timedelta(minutes=wait_minutes), gradient_as_bucket_view=True, broadcast_buffers=False)


def cluster_environment() -> ClusterEnvironment:
    """The environment of what started the processes; Lightning takes every Slurm job for one of `srun`."""
    match launcher():
        case "torchrun":
            return TorchElasticEnvironment()
        case "srun":
            # Lightning requires it, though it follows from the number of tasks
            os.environ["SLURM_NTASKS_PER_NODE"] = str((started() or (1, 1))[0])
            # or Slurm would requeue a stopped job without DVC's knowledge
            return SLURMEnvironment(auto_requeue=False)
    return LightningEnvironment()


class Meeting(Callback):
    """Ends this process when not all ranks connect in time; Gloo itself would wait for ever."""

    def __init__(self, ranks: int, wait_minutes: float) -> None:
        self._ranks, self._minutes = ranks, wait_minutes
        self._limit = threading.Timer(60 * wait_minutes + GRACE_SECONDS, self._end)
        self._limit.daemon = True

    def start(self) -> None:
        if self._ranks > 1:
            self._limit.start()

    def setup(self, trainer: Trainer, learner: LightningModule, stage: str) -> None:
        self.over()

    def over(self) -> None:
        """Stop the timer: all ranks have connected, or have failed."""
        self._limit.cancel()

    def _end(self) -> None:
        who = f"unroll, process {rank()}" if rank() else "unroll"
        print(f"{who}: train: {self._ranks} processes did not all meet within {self._minutes:g} minutes. {REACH} "
              "[network]", file=sys.stderr, flush=True)
        os._exit(2)     # the main thread does not come back


class Termination(Callback):
    """Ends a rank at once on SIGTERM, with exit code 143.

    Lightning's own handler synchronises with the other ranks, which may be inside another collective call: then all of
    them wait for ever. It also exits with code 0, which DVC would take for success. There is nothing to clean up, since
    a training may be killed at any moment.
    """

    def on_train_start(self, trainer: Trainer, learner: LightningModule) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))      # Lightning restores the old one


@contextmanager
def explained(config: TrainConfig, wait_minutes: float) -> Iterator[None]:
    """Turn the loss of a rank or of a loader's process into one line."""
    ranks = config.devices * config.num_nodes
    place = f"{os.environ.get('MASTER_ADDR', '127.0.0.1')}:{os.environ.get('MASTER_PORT', '')}"
    try:
        yield
    except torch.distributed.DistStoreError as error:
        raise UserError("process", "train", f"not all of {ranks} processes connected to {place} within "
                        f"{wait_minutes:g} minutes ({_brief(error)}). Start the others, or raise runtime.wait_minutes."
                        ) from None
    except torch.distributed.DistNetworkError as error:
        raise UserError("network", "train", f"the first of {ranks} processes cannot be reached at {place} "
                        f"({_brief(error)}). Check MASTER_ADDR, MASTER_PORT and the network between the machines."
                        ) from None
    except (RuntimeError, ConnectionError, EOFError) as error:
        if "DataLoader worker" in str(error) or _in_loader(error):
            raise UserError("process", "train", f"a process that reads batches has died ({_brief(error)}), most often "
                            "for lack of memory. Start again to resume from the last checkpoint, with "
                            "runtime.workers=0 if it dies again.") from None
        if "connectFullMesh" in str(error):
            raise UserError("network", "train", f"{ranks} processes cannot reach each other ({_brief(error)}). {REACH}"
                            ) from None
        if ranks == 1 or not any(name in str(error) for name in ("gloo", "NCCL")):
            raise
        raise UserError("process", "train", f"another of {ranks} processes has ended ({_brief(error)}). The "
                        "reason is printed above or in its own output; start again to resume from the last checkpoint."
                        ) from None


def _in_loader(error: Exception) -> bool:
    """Whether the connection was to a process that reads batches, which may die while it sends one."""
    frames = traceback.extract_tb(error.__traceback__)
    return not isinstance(error, RuntimeError) and any(frame.filename == dataloader.__file__ for frame in frames)


def _brief(error: Exception) -> str:
    """The message without PyTorch's source locations."""
    return re.sub(r"\[\S+\.cc:\d+\] ", "", " ".join(str(error).split()))[:120]
