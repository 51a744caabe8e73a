"""The engine that the options ask for."""

from typing import Any

from unroll.base.errors import UserError
from unroll.generation.engine import Engine
from unroll.generation.engines import open_engine
from unroll.models.manifest import STEP_INT8, ModelFolder


def engine_for(opened: ModelFolder, threads: int, int8: bool, gpu: bool) -> Engine[Any]:
    """Raises `UserError` where options contradict each other, or the model or the machine lacks what they need."""
    if gpu and int8:
        raise UserError("conflict", "--int8", "runs on a processor. Leave it or --gpu out.")
    if gpu:
        return _on_gpu(opened)
    if int8 and not (opened.folder / STEP_INT8).is_file():
        raise UserError("unsupported", "--int8", f"{opened.folder} has no {STEP_INT8}, which only LSTMs have. Leave it "
                        "out.")
    return open_engine(opened, threads, int8)


def _on_gpu(opened: ModelFolder) -> Engine[Any]:
    import torch

    from unroll.generation.torch_engine import load_engine

    if not torch.cuda.is_available():
        raise UserError("no-device", "--gpu", "PyTorch finds no GPU here. Leave it out.")
    return load_engine(opened.folder, device="cuda")
