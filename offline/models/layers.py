"""The pieces that the paper's networks are made of, with the conventions of the library they were printed by.

Conventions: tensors are ``float32 [batch, channels, steps, rows]``; kernels and strides are (steps, rows). Padding is
"same" as in the paper's tables: a strided convolution gives ceil(size / stride), a transposed one size x stride, and
where the padding is odd its larger half is at the end. Batch normalisation has epsilon 0.001, leaky ReLU slope 0.3 and
weights begin Glorot-uniform, the defaults of that library; the momentum is ours (0.1 a step: runs can be short).
"""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

Pair = tuple[int, int]

SLOPE: Final = 0.3
EPSILON: Final = 1e-3
MOMENTUM: Final = 0.1


class Convolution(nn.Module):
    """A convolution with "same" padding."""

    def __init__(self, channels: Pair, kernel: Pair, stride: Pair = (1, 1)) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(*channels, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """[b, in, steps, rows] -> [b, out, ceil(steps / stride), ceil(rows / stride)]."""
        pads = [
            pad
            for size, kernel, stride in zip(x.shape[:1:-1], self.kernel[::-1], self.stride[::-1], strict=True)
            for pad in _halves(max((-(-size // stride) - 1) * stride + kernel - size, 0))
        ]
        top, bottom, left, right = pads[2], pads[3], pads[0], pads[1]
        if top == bottom and left == right:
            return functional.conv2d(x, self.conv.weight, self.conv.bias, self.stride, (top, left))
        return self.conv(functional.pad(x, pads))

    @property
    def turns(self) -> bool:
        """There is a transposed convolution that does the same, and is quicker where one bar is drawn."""
        return self.conv.out_channels == 1 and self.stride == (1, 1) and all(size % 2 for size in self.kernel)

    def turned(self) -> Transposed:
        """The transposed convolution that does the same: its kernel is this one's upside down."""
        same = Transposed((self.conv.in_channels, 1), self.kernel)
        same.conv.weight = nn.Parameter(self.conv.weight.detach().transpose(0, 1).flip(2, 3).contiguous())
        same.conv.bias = self.conv.bias
        return same


class Transposed(nn.Module):
    """A transposed convolution with "same" padding: size x stride comes out."""

    def __init__(self, channels: Pair, kernel: Pair, stride: Pair = (1, 1)) -> None:
        super().__init__()
        spare = [max(k - s, 0) for k, s in zip(kernel, stride, strict=True)]
        missing = [max(s - k, 0) for k, s in zip(kernel, stride, strict=True)]
        self.surplus = (spare[0] % 2, spare[1] % 2)
        self.conv = nn.ConvTranspose2d(
            *channels, kernel, stride, padding=(spare[0] // 2, spare[1] // 2), output_padding=(missing[0], missing[1])
        )

    def forward(self, x: Tensor) -> Tensor:
        """[b, in, steps, rows] -> [b, out, steps x stride, rows x stride]."""
        out = self.conv(x)
        return out[:, :, : out.shape[2] - self.surplus[0], : out.shape[3] - self.surplus[1]]


def quickened(module: nn.Module) -> nn.Module:
    """The same network, drawn from with fewer sums: in place.

    A convolution to one channel that keeps the size becomes a transposed one: onnxruntime pads the channels of a
    convolution to sixteen, which took three quarters of a GAN's bar.
    """
    for parent in list(module.modules()):
        for name, part in parent.named_children():
            if isinstance(part, Convolution) and part.turns:
                setattr(parent, name, part.turned())
    return module


def bend(channels: int, *, flat: bool = False) -> list[nn.Module]:
    """Batch normalisation and leaky ReLU."""
    norm = nn.BatchNorm1d if flat else nn.BatchNorm2d
    return [norm(channels, eps=EPSILON, momentum=MOMENTUM), nn.LeakyReLU(SLOPE)]


def begin(module: nn.Module) -> None:
    """Glorot-uniform weights and zero biases everywhere."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def count(module: nn.Module) -> int:
    """How many numbers a network has, counted as in the paper: with the running means and variances."""
    running = (buffer.numel() for name, buffer in module.named_buffers() if "running" in name)
    return sum(weight.numel() for weight in module.parameters()) + sum(running)


def _halves(padding: int) -> Pair:
    return padding // 2, padding - padding // 2
