"""From torch to ONNX bytes, and the proof that both draw the same.

Two files are compared with the network: the one with float32 weights must give the same numbers but for rounding; the
smaller one that ships must give nearly the same bars. An output's own spread is the unit, so that rolls of 0..1 and
logits are judged alike.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from hitloopd.core.errors import HitloopError
from hitloopd.generate.learned import open_session
from offline.export.shrink import shrink
from offline.training.latent import LATENT
from offline.training.recipe import ExportPlan

OPSET: Final = 17
PROBES: Final = 64
CLOSE: Final = 1e-3  # of the output's spread: the same number, rounded on another way
APART_FLOAT32: Final = 1e-4  # share of numbers that may lie further apart (where a threshold is met by a hair)
NEAR: Final = 0.1
APART_SHRUNK: Final = 0.02
_SEED: Final = 5

Array = npt.NDArray[Any]


class ParityError(HitloopError):
    """Torch and ONNX do not draw the same; nothing is exported."""

    code = "parity"


@dataclass(frozen=True, slots=True)
class Exported:
    """The bytes of model.onnx and what the card says of their parity."""

    data: bytes
    parity: Mapping[str, Any]


def to_onnx(plan: ExportPlan) -> Exported:
    """The file that ships, proved against the network.

    Raises:
        ParityError: they do not agree.
    """
    inputs = _probes(plan)
    with torch.no_grad():
        wanted = _arrays(plan.module(*inputs))
    model = _with_shapes(onnx.load_from_string(_exported(plan)), plan, wanted)
    whole = model.SerializeToString(deterministic=True)
    shrunk = shrink(model, plan.weights)
    data = shrunk.model.SerializeToString(deterministic=True)
    exact = apart(wanted, _run(whole, plan, inputs), CLOSE)
    small = apart(wanted, _run(data, plan, inputs), NEAR)
    for what, share, limit, close in (
        ("float32", exact, APART_FLOAT32, CLOSE),
        (plan.weights, small, APART_SHRUNK, NEAR),
    ):
        if share > limit:
            raise ParityError(
                f"ONNX with {what} weights is off: {share:.4%} of the numbers differ by more than {close:g} of the "
                f"output's spread, allowed are {limit:.2%}. Nothing was exported."
            )
    return Exported(
        data,
        {
            "compared": f"{len(inputs[0])} draws, torch against onnxruntime",
            "float32_share_apart": round(exact, 6),
            "float32_tolerance": f"{CLOSE:g} of the spread but for {APART_FLOAT32:g} of the numbers",
            "weights": plan.weights,
            "shipped_share_apart": round(small, 6),
            "shipped_tolerance": f"{NEAR:g} of the spread but for {APART_SHRUNK:g} of the numbers",
            "worst_weight": round(shrunk.worst_weight, 6),
        },
    )


def apart(wanted: Sequence[Array], given: Sequence[Array], close: float) -> float:
    """The largest share, over the outputs, of numbers further apart than ``close`` times the output's spread."""
    shares: list[float] = []
    for one, other in zip(wanted, given, strict=True):
        spread = max(float(np.std(one)), 1e-6)
        shares.append(float((np.abs(one.astype(np.float64) - other) > close * spread).mean()))
    return max(shares)


def _exported(plan: ExportPlan) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces its next exporter, which needs another package
        torch.onnx.export(
            plan.module,
            plan.inputs,
            out,  # type: ignore[arg-type] - a file object does, the annotation knows paths only
            input_names=list(plan.input_names),
            output_names=list(plan.output_names),
            dynamic_axes={name: dict(axes) for name, axes in plan.dynamic_axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
    return out.getvalue()


def _with_shapes(model: onnx.ModelProto, plan: ExportPlan, outputs: Sequence[Array]) -> onnx.ModelProto:
    """Name the sizes of outputs that torch left open: the daemon refuses a model that could draw anything."""
    for value, array in zip(model.graph.output, outputs, strict=True):
        free = plan.dynamic_axes.get(value.name, {})
        for axis, (dim, size) in enumerate(zip(value.type.tensor_type.shape.dim, array.shape, strict=True)):
            if axis in free:
                dim.dim_param = free[axis]
            else:
                dim.dim_value = size
    return model


def _probes(plan: ExportPlan) -> tuple[Tensor, ...]:
    """Many points for a latent model; what the recipe gives as examples for others."""
    if plan.kind != "latent":
        return plan.inputs
    points = np.random.default_rng(_SEED).standard_normal((PROBES, LATENT)).astype(np.float32)
    return (torch.from_numpy(points),)


def _run(data: bytes, plan: ExportPlan, inputs: Sequence[Tensor]) -> list[Array]:
    feeds = {name: value.numpy() for name, value in zip(plan.input_names, inputs, strict=True)}
    return [np.asarray(part) for part in open_session(data).run(list(plan.output_names), feeds)]


def _arrays(outputs: Any) -> list[Array]:  # noqa: ANN401 - a tensor or several
    return [part.numpy() for part in ((outputs,) if isinstance(outputs, Tensor) else outputs)]
