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
from itertools import compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from hitloopd.core.errors import HitloopError
from hitloopd.generate.learned import open_session
from hitloopd.generate.roll import THRESHOLD
from offline.export.shrink import shrink
from offline.training.latent import LATENT
from offline.training.recipe import ExportPlan

OPSET: Final = 17
PROBES: Final = 64
CLOSE: Final = 1e-3  # of the output's spread, at least of 1: the same number, rounded on another way
APART_FLOAT32: Final = 1e-4  # share of numbers that may lie further apart (where a threshold is met by a hair)
NEAR: Final = 0.1
APART_SHRUNK: Final = 0.02
OTHERWISE: Final = 0.005  # share of a roll's steps that may sound in the one and not in the other
SAFER: Final = ("float16", "float32")
"""How weights are kept where the way that the recipe proposes changes too much; the last one changes nothing."""
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
    probes = _probes(plan)
    with torch.no_grad():
        wanted = [_arrays(plan.module(*inputs)) for inputs in probes]
    model = _with_shapes(onnx.load_from_string(_exported(plan)), plan, wanted[0])
    exact = _worst(wanted, _run(model.SerializeToString(deterministic=True), plan, probes), CLOSE, least_unit=1.0)
    if exact > APART_FLOAT32:
        raise ParityError(
            f"ONNX with float32 weights is off: {exact:.4%} of the numbers differ by more than {CLOSE:g} of the "
            f"output's spread (at least of 1), allowed are {APART_FLOAT32:.2%}. Nothing was exported."
        )
    tried: list[str] = []
    for way in dict.fromkeys((plan.weights, *SAFER)):
        shrunk = shrink(model, way)
        data = shrunk.model.SerializeToString(deterministic=True)
        given = _run(data, plan, probes)
        small = _worst(wanted, given, NEAR, choices=False)
        other = _sounding_otherwise(plan, wanted, given)
        if small <= APART_SHRUNK and other <= OTHERWISE:
            break
        tried.append(way)
    facts: dict[str, Any] = {
        "compared": f"{_counted(plan)}, torch against onnxruntime",
        "float32_share_apart": round(exact, 6),
        "float32_tolerance": f"{CLOSE:g} of the spread (at least of 1) but for {APART_FLOAT32:g} of the numbers",
        "weights": way,
        "shipped_share_apart": round(small, 6),
        "shipped_tolerance": f"{NEAR:g} of the spread but for {APART_SHRUNK:g} of the numbers",
        "worst_weight": round(shrunk.worst_weight, 6),
    }
    if plan.kind == "latent":
        facts |= {"steps_sounding_otherwise": round(other, 6), "of_those_allowed": OTHERWISE}
    if tried:
        facts["too_coarse"] = ", ".join(tried)
    return Exported(data, facts)


def apart(wanted: Sequence[Array], given: Sequence[Array], close: float, least_unit: float = 1e-6) -> float:
    """The largest share, over the outputs, of numbers further apart than ``close`` times the output's spread.

    Args:
        wanted: outputs.
        given: the same ones otherwise come by.
        close: in units of the spread.
        least_unit: the unit where the spread is less.
    """
    shares: list[float] = []
    for one, other in zip(wanted, given, strict=True):
        if not one.size and not other.size:
            continue  # a branch that had no turn
        spread = max(float(np.std(one)), least_unit)
        far = np.abs(one.astype(np.float64) - other) > close * spread
        shares.append(float(far.mean()) if far.size else 0.0)
    return max(shares, default=0.0)


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
    """Name the sizes of outputs that torch left open: the daemon refuses a model that could draw anything.

    Not where a model has branches: there what an output holds depends on whose turn it is.
    """
    if plan.turns:
        return model
    for value, array in zip(model.graph.output, outputs, strict=True):
        free = plan.dynamic_axes.get(value.name, {})
        for axis, (dim, size) in enumerate(zip(value.type.tensor_type.shape.dim, array.shape, strict=True)):
            if axis in free:
                dim.dim_param = free[axis]
            else:
                dim.dim_value = size
    return model


def _probes(plan: ExportPlan) -> list[tuple[Tensor, ...]]:
    """Many points for a latent model; for others the recipe's examples with noise for numbers, every branch once."""
    dice = np.random.default_rng(_SEED)
    if plan.kind == "latent":
        return [(torch.from_numpy(dice.standard_normal((PROBES, LATENT)).astype(np.float32)),)]
    return [
        tuple(
            torch.from_numpy(dice.standard_normal(value.shape).astype(np.float32))
            if value.is_floating_point()
            else value
            for value in inputs
        )
        for inputs in plan.turns or (plan.inputs,)
    ]


def _counted(plan: ExportPlan) -> str:
    if plan.kind == "latent":
        return f"{PROBES} draws"
    return f"{len(plan.turns)} branches, on noise" if plan.turns else "the recipe's examples, on noise"


def _run(data: bytes, plan: ExportPlan, probes: Sequence[Sequence[Tensor]]) -> list[list[Array]]:
    session = open_session(data)
    feeds = [{name: value.numpy() for name, value in zip(plan.input_names, part, strict=True)} for part in probes]
    return [[np.asarray(out) for out in session.run(list(plan.output_names), feed)] for feed in feeds]


def _worst(
    wanted: Sequence[Sequence[Array]],
    given: Sequence[Sequence[Array]],
    close: float,
    *,
    choices: bool = True,
    least_unit: float = 1e-6,
) -> float:
    """The worst of all probes; without ``choices`` only real numbers: other weights may well choose otherwise."""
    real = [[choices or np.issubdtype(part.dtype, np.floating) for part in parts] for parts in wanted]
    return max(
        apart(list(compress(one, which)), list(compress(other, which)), close, least_unit)
        for one, other, which in zip(wanted, given, real, strict=True)
    )


def _sounding_otherwise(plan: ExportPlan, wanted: Sequence[Sequence[Array]], given: Sequence[Sequence[Array]]) -> float:
    """Of a model that draws rolls: the share of steps that sound in the one and not in the other."""
    if plan.kind != "latent":
        return 0.0
    return float(((wanted[0][0] >= THRESHOLD) != (given[0][0] >= THRESHOLD)).mean())


def _arrays(outputs: Any) -> list[Array]:  # noqa: ANN401 - a tensor or several
    return [part.numpy() for part in ((outputs,) if isinstance(outputs, Tensor) else outputs)]
