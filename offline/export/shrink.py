"""Smaller model files: big weights as float16, or as 8-bit whole numbers with a scale per output channel.

Conventions: only the file shrinks. Each weight is followed by nodes that turn it back into float32; onnxruntime does
that once, when it loads the model (its basic optimisation folds constants), so a bar costs as much as before. Weights
smaller than ``SMALL`` stay as they are, as do whole numbers and everything that isn't a matrix or a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hitloopd.core.errors import ArgumentError, nearest

SMALL: Final = 1024
LEVELS: Final = 127

Array = npt.NDArray[Any]

# Which axis of the second input an operation's output channels lie on.
_CHANNELS: Final[Mapping[str, int]] = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1, "Gather": 0}


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A model with smaller weights, and what that cost.

    Args:
        model: same inputs and outputs.
        worst_weight: largest change of a weight, as a share of the largest weight of its tensor.
        shrunk: how many weights are kept smaller.
        kept: how many stay float32.
    """

    model: ModelProto
    worst_weight: float
    shrunk: int
    kept: int


def shrink(model: ModelProto, weights: str) -> Shrunk:
    """The model with its big weights kept as ``float32`` (no change), ``float16`` or ``int8``.

    Raises:
        ArgumentError: there is no such way to keep weights.
    """
    if weights not in _WAYS:
        raise ArgumentError(
            f"Weights can't be kept as '{weights}'; there are {', '.join(_WAYS)}.{nearest(weights, _WAYS)}"
        )
    smaller = ModelProto()
    smaller.CopyFrom(model)
    way = _WAYS[weights]
    graph = smaller.graph
    axes = _channel_axes(graph)
    before: list[NodeProto] = []
    tensors: list[TensorProto] = []
    worst, shrunk, kept = 0.0, 0, 0
    for tensor in graph.initializer:
        array = _weights_of(tensor)
        if way is None or array is None:
            tensors.append(tensor)
            kept += int(np.prod(tensor.dims)) if tensor.data_type == TensorProto.FLOAT else 0
            continue
        parts, nodes, back = way(tensor.name, array, axes.get(tensor.name, 0))
        tensors += parts
        before += nodes
        worst = max(worst, float(np.abs(back - array).max() / max(float(np.abs(array).max()), 1e-30)))
        shrunk += array.size
    _replace(graph, tensors, before)
    onnx.checker.check_model(smaller)
    return Shrunk(smaller, worst, shrunk, kept)


def _weights_of(tensor: TensorProto) -> Array | None:
    """The array of a big float32 weight; None for all else."""
    big = len(tensor.dims) > 1 and int(np.prod(tensor.dims)) >= SMALL
    return numpy_helper.to_array(tensor) if big and tensor.data_type == TensorProto.FLOAT else None


def _as_halves(name: str, array: Array, _axis: int) -> tuple[list[TensorProto], list[NodeProto], Array]:
    low = np.clip(array, -65504, 65504).astype(np.float16)
    parts = [numpy_helper.from_array(low, f"{name}.float16")]
    nodes = [helper.make_node("Cast", [f"{name}.float16"], [name], name=f"{name}.wide", to=TensorProto.FLOAT)]
    return parts, nodes, low.astype(np.float32)


def _as_bytes(name: str, array: Array, axis: int) -> tuple[list[TensorProto], list[NodeProto], Array]:
    others = tuple(index for index in range(array.ndim) if index != axis % array.ndim)
    scale = (np.abs(array).max(axis=others, keepdims=True) / LEVELS).astype(np.float32)
    scale[scale == 0] = 1
    whole = np.clip(np.rint(array / scale), -LEVELS, LEVELS).astype(np.int8)
    parts = [numpy_helper.from_array(whole, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
    nodes = [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.wide"], name=f"{name}.cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name], name=f"{name}.scaled"),
    ]
    return parts, nodes, whole.astype(np.float32) * scale


_Way = Callable[[str, Array, int], tuple[list[TensorProto], list[NodeProto], Array]]
_WAYS: Final[Mapping[str, _Way | None]] = {"float32": None, "float16": _as_halves, "int8": _as_bytes}


def _channel_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Weight name -> the axis of its output channels, by the operation that uses it."""
    axes: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "Gemm":
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            axes[node.input[1]] = 0 if turned else 1
        elif node.op_type in _CHANNELS:
            axes[node.input[0 if node.op_type == "Gather" else 1]] = _CHANNELS[node.op_type]
    return axes


def _replace(graph: onnx.GraphProto, tensors: list[TensorProto], before: list[NodeProto]) -> None:
    nodes = [*before, *graph.node]
    inputs = [value for value in graph.input if value.name not in {node.output[0] for node in before}]
    for field, values in (("initializer", tensors), ("node", nodes), ("input", inputs)):
        held = [type(value).FromString(value.SerializeToString()) for value in values]
        graph.ClearField(field)
        getattr(graph, field).extend(held)
