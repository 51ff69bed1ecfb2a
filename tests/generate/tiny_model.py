"""A small model of kind ``latent``, built with the onnx package, and a small data set: real files for the tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from hitloopd.generate.novelty import Index, fingerprints, index_bytes

KEY = "test"


def onnx_bytes(*, inputs="latent", width=128, rows=20, seed=1) -> bytes:
    """``latent`` [b, 128] -> ``roll`` [b, 128, rows]: 32 blocks of four steps, about one in eight sounds."""
    dice = np.random.default_rng(seed)
    narrow = (dice.normal(0, 1, (width, 16)) / np.sqrt(width)).astype(np.float32)
    wide = dice.normal(0, 1, (16, 32 * rows)).astype(np.float32)
    constants = {
        "narrow": narrow,
        "wide": wide,
        "low": np.array([-6.0], dtype=np.float32),
        "blocks": np.array([0, 32, 1, rows], dtype=np.int64),
        "held": np.array([1, 1, 4, 1], dtype=np.int64),
        "flat": np.array([0, 128, rows], dtype=np.int64),
    }
    nodes = [
        helper.make_node("MatMul", [inputs, "narrow"], ["a"]),
        helper.make_node("MatMul", ["a", "wide"], ["b"]),
        helper.make_node("Add", ["b", "low"], ["c"]),
        helper.make_node("Sigmoid", ["c"], ["d"]),
        helper.make_node("Reshape", ["d", "blocks"], ["e"]),
        helper.make_node("Tile", ["e", "held"], ["f"]),
        helper.make_node("Reshape", ["f", "flat"], ["roll"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(inputs, TensorProto.FLOAT, ["b", width])],
        [helper.make_tensor_value_info("roll", TensorProto.FLOAT, ["b", 128, rows])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def index_file(n=50, seed=2) -> bytes:
    """Fingerprints of n bars of chance, of two songs."""
    dice = np.random.default_rng(seed)
    prints, hits = fingerprints(dice.random((n, 16, 5)) < 0.25, KEY)
    songs = [
        {"title": "One", "author": "Ada", "licence": "CC0 1.0", "origin": "here", "bars": str(n // 2)},
        {"title": "Two", "author": "Bo", "licence": "CC BY 4.0", "origin": "there", "bars": str(n - n // 2)},
    ]
    place = np.arange(n)
    song, bar = (place % 2).astype(np.uint16), (place // 2).astype(np.uint16)
    return index_bytes(Index(KEY, np.ascontiguousarray(prints.T), hits, song, bar, songs))


def write_model(folder: Path, data: bytes | None = None, *, index: bytes | None = None, **changes: object) -> Path:
    """A model folder; ``changes`` replace fields of its card, ``None`` takes one out."""
    folder.mkdir(parents=True, exist_ok=True)
    data = onnx_bytes() if data is None else data
    (folder / "model.onnx").write_bytes(data)
    card: dict[str, object] = {"kind": "latent", "encoding": 1, "sha256": hashlib.sha256(data).hexdigest()}
    card |= {"licence": "MIT", "styles": []}
    if index is not None:
        (folder / "index.zip").write_bytes(index)
        card["index_sha256"] = hashlib.sha256(index).hexdigest()
    card |= changes
    text = yaml.safe_dump({name: value for name, value in card.items() if value is not None})
    (folder / "card.yaml").write_text(text)
    return folder


def write_dataset(folder: Path, n=12, seed=4) -> dict[str, np.ndarray]:
    """``bars.npz`` as ``offline dataset build`` writes it, as far as rowmix reads it; what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    rows, starts, owners = [], [], []
    for bar in range(n):
        for lane in (0, 1, 2, 3, int(dice.integers(4, 20))):
            for cell in sorted(dice.choice(16, 4, replace=False)):
                owners.append(bar)
                rows.append(lane)
                starts.append(int(cell) * 120 + int(dice.integers(-20, 20)))
    hits = len(rows)
    arrays = {
        "encoding": np.array(2),
        "bars/title": np.array([f"Song {bar % 3}" for bar in range(n)]),
        "bars/author": np.array([["Ada", "Bo", "Cy"][bar % 3] for bar in range(n)]),
        "bars/licence": np.array(["CC BY 4.0"] * n),
        "bars/bar": np.arange(n) // 3,
        "bars/split": np.array(["train"] * (n - 3) + ["test"] * 3),
        "bars/has_bass": np.arange(n) % 4 != 3,
        "events/bar": np.array(owners, dtype=np.int32),
        "events/row": np.array(rows, dtype=np.uint8),
        "events/start_ticks": np.array(starts, dtype=np.int16),
        "events/length_ticks": dice.integers(20, 300, hits).astype(np.int16),
        "events/velocity": dice.integers(20, 127, hits).astype(np.uint8),
    }
    np.savez_compressed(folder / "bars.npz", **arrays)
    return arrays
