"""The work folder of a training, named by a key of everything that decides its bytes."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from unroll.base.deps import digest
from unroll.base.errors import UserError
from unroll.base.files import to_json
from unroll.base.workspace import Workspace
from unroll.config.data import DataConfig
from unroll.config.model import ModelConfig
from unroll.config.pretrained import PretrainedConfig
from unroll.config.runtime import CheckpointConfig
from unroll.config.train import TrainConfig
from unroll.data.store import Prepared


def key(data: DataConfig, model: ModelConfig, train: TrainConfig, pretrained: PretrainedConfig, prepared: Prepared,
        workspace: Workspace) -> str:
    """Twenty hexadecimal digits that change with configuration, prepared data, code and libraries."""
    parts = {
        "data": data.model_dump(mode="json"),
        "model": model.model_dump(mode="json"),
        # an interrupted training may resume on another number of devices
        "train": train.model_dump(mode="json", exclude={"devices", "num_nodes", "strategy"}),
        "pretrained": pretrained.model_dump(mode="json"),
        "prepared": prepared.digest,
        "deps": digest(workspace, ["train"]),
    }
    return hashlib.sha256(to_json(parts).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Work:
    """The work folder of a running training, and when it is saved there."""

    folder: Path
    key: str
    saving: CheckpointConfig
    wait_minutes: float     # for other processes of this training


@contextmanager
def work_folder(parent: Path, key: str, rank: int) -> Iterator[Path]:
    """The folder `parent/key`, locked by one training at a time and removed when it succeeds."""
    folder = parent / key
    folder.mkdir(parents=True, exist_ok=True)
    if rank > 0:        # the first rank holds the lock for all
        yield folder
        return
    lock = FileLock(parent / f"{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError("in-use", folder, "another training of this configuration is running. Wait for it to end."
                        ) from None
    try:
        yield folder
        shutil.rmtree(folder)
        (parent / f"{key}.lock").unlink(missing_ok=True)
    finally:
        lock.release()
