"""Smaller weights: the same model within a named error, in a file of the expected size."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hitloopd.core.errors import ArgumentError
from offline.export.shrink import shrink


def model():
    """latent [b, 64] -> Gemm -> [b, 8, 4, 4] -> ConvTranspose -> MatMul; uneven channels, one of them silent."""
    dice = np.random.default_rng(1)
    dense = dice.normal(size=(128, 64)).astype(np.float32) * dice.uniform(0.01, 3, (128, 1)).astype(np.float32)
    kernel = (
        dice.normal(size=(8, 16, 3, 3)).astype(np.float32) * np.linspace(0.01, 2, 16, dtype=np.float32)[:, None, None]
    )
    kernel[:, 5] = 0
    mix = dice.normal(size=(96, 16)).astype(np.float32)
    tensors = {
        "dense": dense,
        "bias": np.zeros(128, np.float32),
        "kernel": kernel,
        "mix": mix,
        "shape": np.array([-1, 8, 4, 4], np.int64),
        "flat": np.array([-1, 96], np.int64),
    }
    nodes = [
        helper.make_node("Gemm", ["latent", "dense", "bias"], ["a"], transB=1),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("ConvTranspose", ["b", "kernel"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Reshape", ["c", "flat"], ["d"]),
        helper.make_node("MatMul", ["d", "mix"], ["roll"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["b", 64])],
        [helper.make_tensor_value_info("roll", TensorProto.FLOAT, ["n", 16])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def play(proto, latent):
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"latent": latent})[0]


LATENT = np.random.default_rng(2).normal(size=(3, 64)).astype(np.float32)


@pytest.mark.parametrize(("weights", "error", "share"), [("float16", 1e-3, 0.55), ("int8", 1.5e-2, 0.4)])
def test_a_smaller_model_plays_nearly_the_same(weights, error, share):
    before = model()
    after = shrink(before, weights)
    full, less = play(before, LATENT), play(after.model, LATENT)
    assert np.abs(less - full).max() / np.abs(full).max() < error
    assert np.abs(less - full).max() > 0, "nothing was shrunk"
    assert after.model.ByteSize() < before.ByteSize() * share
    assert (after.shrunk, after.kept) == (128 * 64 + 8 * 16 * 9 + 96 * 16, 128)
    assert 0 < after.worst_weight < error


def test_every_output_channel_has_its_own_scale():
    after = {tensor.name: numpy_helper.to_array(tensor) for tensor in shrink(model(), "int8").model.graph.initializer}
    assert after["dense.scale"].shape == (128, 1)
    assert after["kernel.scale"].shape == (1, 16, 1, 1)
    assert after["mix.scale"].shape == (1, 16)
    assert (after["kernel.int8"][:, 5] == 0).all()
    assert np.abs(after["dense.int8"]).max(axis=1).tolist() == [127] * 128


def test_float32_is_left_alone_and_the_original_always_is():
    before = model()
    stored = before.SerializeToString(deterministic=True)
    assert shrink(before, "float32").model.SerializeToString(deterministic=True) == stored
    shrink(before, "int8")
    assert before.SerializeToString(deterministic=True) == stored


def test_another_way_is_refused():
    with pytest.raises(ArgumentError, match="Did you mean 'float16'"):
        shrink(onnx.ModelProto(), "float17")
