"""The engine for a model folder or a network: ONNX Runtime where there is a step graph, PyTorch elsewhere."""

from typing import TYPE_CHECKING, Any

from unroll.generation.engine import Engine, OnnxEngine
from unroll.models.manifest import START, STEP, STEP_INT8, ModelFolder

if TYPE_CHECKING:       # PyTorch is imported only where it is needed
    from unroll.models.network import Network


def open_engine(model: ModelFolder, threads: int = 1, int8: bool = False) -> Engine[Any]:
    """ONNX Runtime on the folder's step file; PyTorch where the model's cell has no step in ONNX."""
    if (model.folder / STEP).is_file():
        start = model.folder / START
        return OnnxEngine(model.folder / (STEP_INT8 if int8 else STEP), threads, start if start.is_file() else None)
    from unroll.generation.torch_engine import load_engine

    return load_engine(model.folder, threads)


def engine_of(network: "Network", threads: int = 1) -> Engine[Any]:
    """ONNX Runtime where the whole network has a step in ONNX, and the network itself elsewhere."""
    if not network.has_onnx:
        from unroll.generation.torch_engine import TorchEngine

        return TorchEngine(network)
    from unroll.models.onnx.start import start_graph
    from unroll.models.onnx.step import step_graph

    return OnnxEngine(step_graph(network), threads, start_graph(network) if network.static else None)
