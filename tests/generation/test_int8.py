"""LSTMs whose weights are bytes: close to float32, and the same integers on every processor."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from tests.models.conftest import random_network, random_tokens, small
from unroll.generation.engine import OnnxEngine
from unroll.generation.one_field import OneField
from unroll.models.onnx.step import step_graph

INT16 = np.iinfo(np.int16)


def lstm(tied=False):
    return random_network(small("lstm", 24, hidden=24, layers=2, tied=tied), scale=0.2).float().eval()


def logits_of(engine):
    state, found = engine.start(4), []
    for symbols in random_tokens(50, 4)["text"].numpy():
        logits, state = engine.read(symbols[None], np.ones(4, np.int32), state)
        found.append(logits)
    return np.array(found)


def test_the_weights_are_those_of_the_librarys_quantizer(tmp_path):
    """ONNX Runtime's own, which writes files only and takes no tied weights."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    network = lstm()
    (tmp_path / "float").write_bytes(step_graph(network))
    quantize_dynamic(tmp_path / "float", tmp_path / "library", op_types_to_quantize=["LSTM", "MatMul"], per_channel=True,
                     weight_type=QuantType.QInt8, reduce_range=True)
    float32, library, own = (logits_of(OneField(OnnxEngine(model))) for model in (
        tmp_path / "float", tmp_path / "library", step_graph(network, int8=True)))
    np.testing.assert_allclose(own, library, rtol=0, atol=1e-5)
    assert 1e-4 < np.abs(own - float32).max() < 0.05


def test_with_tied_weights_the_logits_are_nearly_the_same():
    network = lstm(tied=True)
    float32, int8 = (logits_of(OneField(OnnxEngine(step_graph(network, int8=int8)))) for int8 in (False, True))
    assert 1e-4 < np.abs(float32 - int8).max() < 0.05


def matrices(network):
    """The quantised matrices (in, out) of a step file."""
    weights = onnx.load_from_string(step_graph(network, int8=True)).graph.initializer
    return [numpy_helper.to_array(each).reshape(each.dims[-2:]) for each in weights if each.name.endswith(".int8")]


def activations(matrix):
    """Unsigned bytes (rows, in): random ones, all at the top, and for each column those that add up to the most."""
    draw = np.random.default_rng(0)
    return np.concatenate([draw.integers(0, 256, (64, len(matrix))), np.full((1, len(matrix)), 255),
                           np.where(matrix > 0, 255, 0).T, np.where(matrix < 0, 255, 0).T]).astype(np.uint8)


def vpmaddubsw(left, right):
    """The product as AVX2 computes it: sums of two neighbouring products saturate at 16 bits, sums of those do not."""
    products = left.astype(np.int64)[:, :, None] * right.astype(np.int64)           # (rows, in, out)
    pairs = np.pad(products, ((0, 0), (0, len(right) % 2), (0, 0))).reshape(len(left), -1, 2, right.shape[1]).sum(axis=2)
    return pairs.clip(INT16.min, INT16.max).sum(axis=1)


@pytest.mark.parametrize("tied", [False, True])
def test_16_bits_hold_every_sum_of_two_products(tied):
    for matrix in matrices(lstm(tied)):
        assert 2 * 255 * np.abs(matrix.astype(int)).max() <= INT16.max      # whatever is multiplied by it
        left = activations(matrix)
        assert (vpmaddubsw(left, matrix) == left.astype(int) @ matrix.astype(int)).all()
        eight_bits = np.round(matrix * (127 / 64)).astype(np.int8)
        assert (vpmaddubsw(left, eight_bits) != left.astype(int) @ eight_bits.astype(int)).any(), "this is what it guards from"


@pytest.mark.parametrize("rows", [1, 3, 64])       # a vector, and other kernels
def test_onnx_runtime_computes_the_exact_integers_on_this_processor(rows):
    node = helper.make_node("MatMulInteger", ["left", "right"], ["product"])
    for matrix in matrices(lstm()):
        graph = helper.make_graph(
            [node], "product", [helper.make_tensor_value_info("left", TensorProto.UINT8, ["rows", len(matrix)])],
            [helper.make_tensor_value_info("product", TensorProto.INT32, ["rows", matrix.shape[1]])],
            [numpy_helper.from_array(np.ascontiguousarray(matrix), "right")])
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        left = activations(matrix)
        for first in range(0, len(left), rows):
            part = left[first : first + rows]
            np.testing.assert_array_equal(session.run(None, {"left": part})[0], part.astype(int) @ matrix.astype(int))
