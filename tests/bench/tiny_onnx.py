"""A small ONNX model written out byte by byte, so that no model builder is needed to keep onnxruntime busy.

The format is protocol buffers: every field is a key (field number times 8 plus wire type: 0 a varint, 2 bytes with
their length before them) and a value. The field numbers are those of the public ONNX schema.
"""

from __future__ import annotations

FLOAT = 1
IR_VERSION = 8
OPSET = 13


def model(weights: list[bytes], width: int, rows: int) -> bytes:
    """A chain of ``x = tanh(x @ w)``.

    Args:
        weights: float32 [width, width] each, row by row.
        width: of the square weights.
        rows: of the input ``x``, float32 [rows, width].
    """
    nodes, initialisers, last = b"", b"", "x"
    for index, weight in enumerate(weights):
        nodes += _bytes(1, _node("MatMul", [last, f"w{index}"], f"m{index}"))
        nodes += _bytes(1, _node("Tanh", [f"m{index}"], f"t{index}"))
        initialisers += _bytes(5, _tensor(f"w{index}", [width, width], weight))
        last = f"t{index}"
    shape = [rows, width]
    graph = nodes + _text(2, "chain") + initialisers + _bytes(11, _value("x", shape)) + _bytes(12, _value(last, shape))
    return _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, OPSET))


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    return b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)


def _tensor(name: str, shape: list[int], raw: bytes) -> bytes:
    return b"".join(_number(1, size) for size in shape) + _number(2, FLOAT) + _text(8, name) + _bytes(9, raw)


def _value(name: str, shape: list[int]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, dims)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
