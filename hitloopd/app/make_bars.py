"""Bars without playing them: what ``hitloopd generate`` makes and writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from hitloopd.app.resources import places
from hitloopd.app.settings import Settings
from hitloopd.core.errors import DeviceError, RangeError
from hitloopd.core.pattern import Pattern
from hitloopd.core.request import Request, next_seed
from hitloopd.core.routes import preset
from hitloopd.engine.render import render
from hitloopd.generate.midifile import write_midi
from hitloopd.generate.registry import load

SUFFIXES = (".mid", ".npz")


def make_bars(settings: Settings, count: int) -> list[Pattern]:
    """``count`` bars as they sound at the configured energy, from the configured seed on."""
    gen = settings.gen
    generator = load(gen.model, places(settings.paths.library, gen.dataset))
    request = Request(gen.model, gen.seed, gen.style, gen.energy, gen.temperature, root=gen.root, scale=gen.scale)
    requests: list[Request] = []
    for _ in range(count):
        requests.append(request)
        request = replace(request, seed=next_seed(request.seed))
    many: Callable[[Sequence[Request]], list[Pattern]] | None = getattr(generator, "generate_many", None)
    bars = many(requests) if many is not None else [generator.generate(request) for request in requests]
    return [bar.at(gen.energy) for bar in bars]


def write_bars(path: Path, bars: Sequence[Pattern], settings: Settings) -> None:
    """Write a .mid (with the configured swing and map) or an .npz (``rolls`` float32 [n,128,20] and ``provenance``).

    Raises:
        RangeError: the file's name ends in neither.
        DeviceError: it can't be written.
    """
    if path.suffix == ".mid":
        feel = settings.feel.feel(settings.gen.seed)
        scores = [render(bar, feel) for bar in bars]
        write_midi(path, scores, bpm=settings.transport.bpm, routes=preset(settings.midi.map))
    elif path.suffix == ".npz":
        _write_npz(path, bars)
    else:
        raise RangeError(f"'{path}' must end in {' or '.join(SUFFIXES)}; nothing was written.")


def _write_npz(path: Path, bars: Sequence[Pattern]) -> None:
    import numpy as np  # noqa: PLC0415 - only here

    from hitloopd.generate.roll import roll_from_pattern  # noqa: PLC0415

    rolls = np.stack([roll_from_pattern(bar) for bar in bars]).astype(np.float32)
    provenance = np.array([json.dumps({"id": bar.id, **_provenance(bar)}) for bar in bars])
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, rolls=rolls, provenance=provenance)
        part.replace(path)
    except OSError as error:
        raise DeviceError(f"{path} can't be written: {error.strerror}. Choose another --out.") from error


def _provenance(bar: Pattern) -> dict[str, object]:
    return cast("dict[str, object]", bar.as_json()["provenance"])
