"""Muon for the matrices, AdamW for the rest: fewer steps for the same loss than AdamW alone.

Muon's step is the momentum of the gradient with all its singular values made about one, by five Newton-Schulz steps; it
is scaled so that its size is that of an AdamW step of the same rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

_POLYNOMIAL: Final = (3.4445, -4.7750, 2.0315)  # of the Newton-Schulz step, as its authors chose it
_ROUNDS: Final = 5
_MOMENTUM: Final = 0.95
_SMALLEST: Final = 64  # a matrix with fewer rows or columns is a table or a last layer
_LIKE_ADAM: Final = 0.2


class Muon:
    """Both optimisers over a module's parameters.

    Args:
        net: the module; embeddings and the layers named ``logits`` are AdamW's.
        rate: AdamW's learning rate.
        share: Muon's is so many times that.
        decay: weight decay of both.
    """

    def __init__(self, net: nn.Module, rate: float, share: float, decay: float) -> None:
        self._rate, self._share, self._decay = rate, share, decay
        tables = {id(module.weight) for module in net.modules() if isinstance(module, nn.Embedding)}
        named = list(net.named_parameters())
        self._matrices = [
            p
            for name, p in named
            if p.ndim == 2 and min(p.shape) >= _SMALLEST and id(p) not in tables and "logits" not in name
        ]
        mine = {id(p) for p in self._matrices}
        self._adam = torch.optim.AdamW(
            [p for _, p in named if id(p) not in mine], rate, weight_decay=decay, betas=(0.9, 0.98)
        )
        self._momenta = [torch.zeros_like(p) for p in self._matrices]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self._matrices:
            p.grad = None
        self._adam.zero_grad(set_to_none=True)

    @torch.no_grad()
    def step(self, share: float) -> None:
        """One step at this share of the full rates."""
        for group in self._adam.param_groups:
            group["lr"] = self._rate * share
        self._adam.step()
        rate = self._rate * self._share * share
        for p, momentum in zip(self._matrices, self._momenta, strict=True):
            if p.grad is None:
                continue
            momentum.lerp_(p.grad, 1 - _MOMENTUM)
            turned = orthogonal(p.grad.lerp(momentum, _MOMENTUM))
            p.mul_(1 - rate * self._decay).add_(turned, alpha=-rate * _LIKE_ADAM * max(p.shape) ** 0.5)

    def state_dict(self) -> dict[str, Any]:
        """Momenta and AdamW's state."""
        return {"momenta": [m.clone() for m in self._momenta], "adam": self._adam.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As ``state_dict``."""
        for momentum, stored in zip(self._momenta, state["momenta"], strict=True):
            momentum.copy_(stored)
        self._adam.load_state_dict(dict(state["adam"]))


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose singular values are all one."""
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    a, b, c = _POLYNOMIAL
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
