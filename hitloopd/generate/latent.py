"""Draws with the paper's models: a point of a latent space becomes a roll, the roll a bar with candidates.

A model of kind ``latent`` takes ``latent`` float32 [any, 128] and gives ``roll`` float32 [any, 128, 20] with 0..1 where
a note is held. What it holds above the roll's threshold is the bar with the energy knob in the middle, as the network
drew it; below it lie the candidates for the energetic end.

It can't listen to other lanes and knows neither style nor scale: ``lanes`` are cut out of a whole bar.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.energy import default_length_ticks, measure
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, IN_ORDER, LANES, Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR, TICKS_PER_STEP
from hitloopd.generate.chance import stream
from hitloopd.generate.learned import Session, require_shapes
from hitloopd.generate.rank import ON_THE_BEAT, RESERVE, with_priorities
from hitloopd.generate.roll import BASS_ROW, MIN_DRUM_STEPS, ROWS, SHAPE, Roll, pattern_from_roll

WIDTH: Final = 128  # of the latent space
BATCH: Final = 64
MOST_TRIES: Final = 4  # points among which the far ends of the energy choose
GRAIN: Final = 4096  # latents are whole multiples of 1/4096: the last bit of a logarithm never decides a bar
MOST_CANDIDATES: Final = 24
CANDIDATE_VELOCITY: Final = 0.75  # of the usual velocity of its lane: what joins later is played softer
STEPS_PER_CELL: Final = STEPS_PER_BAR // CELLS_PER_BAR
NORMAL: Final = NormalDist()
LEAST: Final = 2.0**-53
STRAIGHT: Final = 1e-6  # two points at nearly the same angle: the straight line between them is the arc

Latent = npt.NDArray[np.int16]

_SAME_IN_BATCHES: Final[dict[str, bool]] = {}
"""By the hash of a model: it is found out once in a process, for it takes as long as forty bars."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A point that was drawn: its roll, what sounds of it with the knob in the middle, and the energy of that."""

    latent: Latent
    roll: Roll
    sounding: tuple[Note, ...]
    energy: float


class LatentDrawer:
    """Drawer of kind ``latent``.

    The seed gives the point, by normals of our own; temperature scales it (0 is the middle of the space, the most
    typical bar). Away from the middle of the energy range two to four points are drawn and the calmest, or the most
    energetic, of them is taken; the energy knob then chooses among the notes of that bar. Between two bars of the same
    model it morphs along the arc from the one's point to the other's.
    """

    def __init__(self, session: Session, card: Mapping[str, object]) -> None:
        require_shapes(session, {"latent": (None, WIDTH)}, {"roll": (None, *SHAPE)})
        self._session = session
        self._hash = str(card["sha256"])[:12]

    def draw(self, request: Request) -> Pattern:
        """The bar. Thread: generator process. Real-time: no.

        Raises:
            UnavailableError: a point to morph from is not a bar of this model as the model drew it.
        """
        return self.draw_many([request])[0]

    def draw_many(self, requests: Sequence[Request]) -> list[Pattern]:
        """The same bars as one by one, in batches where this machine's arithmetic is the same in a batch."""
        tries = [self._latents(request) for request in requests]
        rolls = iter(self._rolls([latent for latents in tries for latent in latents]))
        return [
            _pattern(request, _chosen(request, [_drawn(latent, next(rolls)) for latent in latents]))
            for request, latents in zip(requests, tries, strict=True)
        ]

    def _latents(self, request: Request) -> list[Latent]:
        if request.points:
            first, second = (self._point(point) for point in request.points)
            return [between(first, second, request.morph)]
        count = 1 + round(2 * abs(request.energy - 0.5) * (MOST_TRIES - 1))
        return [normals(request.seed, index, request.temperature) for index in range(count)]

    def _point(self, pattern: Pattern) -> Latent:
        """The point that a bar was drawn from, if it is still that bar."""
        text = pattern.provenance.parameters.get("latent", "")
        if pattern.provenance.model != self._hash or not isinstance(text, str):
            raise UnavailableError(f"The bar {pattern.id} was not drawn by this model: it has no place in its space.")
        latent = _from_text(text)
        (roll,) = self._rolls([latent])
        if _notes(roll, _sounding(roll)) != pattern.notes:
            raise UnavailableError(f"The bar {pattern.id} is not any more as this model drew it.")
        return latent

    def _rolls(self, latents: Sequence[Latent]) -> list[Roll]:
        size = BATCH if len(latents) > 1 and self._same_in_batches() else 1
        out: list[Roll] = []
        for start in range(0, len(latents), size):
            out.extend(self._run(latents[start : start + size]))
        return out

    def _run(self, latents: Sequence[Latent]) -> Roll:
        feed = np.stack(latents).astype(np.float32) / np.float32(GRAIN)
        (rolls,) = self._session.run(["roll"], {"latent": feed})
        return np.clip(np.nan_to_num(np.asarray(rolls, dtype=np.float32)), 0.0, 1.0)

    def _same_in_batches(self) -> bool:
        """Whether a bar in a batch is bit for bit the bar alone: not every arithmetic library is so."""
        if self._hash not in _SAME_IN_BATCHES:
            probe = [normals(seed, 0, 1.0) for seed in range(BATCH)]
            alone = np.concatenate([self._run([latent]) for latent in probe[:8]])
            _SAME_IN_BATCHES[self._hash] = bool(
                np.array_equal(self._run(probe)[:8], alone) and np.array_equal(self._run(probe[:3]), alone[:3])
            )
        return _SAME_IN_BATCHES[self._hash]


def normals(seed: int, index: int, scale: float) -> Latent:
    """The point of a seed: 128 normal numbers times ``scale``, in grains. ``index``: which of the seed's points."""
    draw = stream("latent", seed, index)
    values = [NORMAL.inv_cdf(max(draw(), LEAST)) * scale * GRAIN for _ in range(WIDTH)]
    return np.clip(np.rint(values), -32767, 32767).astype(np.int16)


def between(first: Latent, second: Latent, position: float) -> Latent:
    """The point at ``position`` 0..1 on the arc between two points; its length goes from the one's to the other's."""
    if position in {0.0, 1.0}:
        return second if position else first
    a, b = first.astype(np.float64), second.astype(np.float64)
    long_a, long_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    angle = float(np.arccos(np.clip(a @ b / (long_a * long_b), -1.0, 1.0))) if long_a and long_b else 0.0
    if angle < STRAIGHT or np.pi - angle < STRAIGHT:
        mixed = a * (1 - position) + b * position
    else:
        arc = np.sin((1 - position) * angle) * a / long_a + np.sin(position * angle) * b / long_b
        mixed = arc / np.sin(angle) * (long_a * (1 - position) + long_b * position)
    return np.clip(np.rint(mixed), -32767, 32767).astype(np.int16)


def _text(latent: Latent) -> str:
    return base64.b64encode(latent.astype("<i2").tobytes()).decode("ascii")


def _from_text(text: str) -> Latent:
    try:
        latent = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i2").astype(np.int16)
    except (binascii.Error, ValueError) as error:
        raise UnavailableError("A bar to morph from names no point of this model's space.") from error
    if latent.shape != (WIDTH,):
        raise UnavailableError("A bar to morph from names no point of this model's space.")
    return latent


def _drawn(latent: Latent, roll: Roll) -> _Drawn:
    sounding = _sounding(roll)
    return _Drawn(latent, roll, sounding, measure(sounding).value)


def _sounding(roll: Roll) -> tuple[Note, ...]:
    return pattern_from_roll(roll, 0).notes


def _chosen(request: Request, drawn: Sequence[_Drawn]) -> _Drawn:
    """The first of the most energetic, or of the calmest."""
    return max(drawn, key=lambda one: one.energy) if request.energy >= 0.5 else min(drawn, key=lambda one: one.energy)


def _pattern(request: Request, drawn: _Drawn) -> Pattern:
    parameters: dict[str, str | float | int | bool] = {"latent": _text(drawn.latent)}
    parent = ""
    if request.points:
        parent = request.points[0].id
        parameters |= {"morph": float(request.morph), "toward": request.points[1].id}
    return Pattern(
        _notes(drawn.roll, drawn.sounding), request.root, Provenance("latent", parameters=parameters, parent=parent)
    )


# ── from a roll to notes that know their importance ─────────────────────────────────────────────────────────────────


def _notes(roll: Roll, drawn: Sequence[Note]) -> tuple[Note, ...]:
    """What the network drew and its faint candidates, with priorities, in time order."""
    return with_priorities(drawn, _candidates(roll, drawn))


def _candidates(roll: Roll, drawn: Sequence[Note]) -> list[Note]:
    """The faint hits of cells in which nothing sounds: where the network was least sure of silence."""
    taken = {(note.lane, note.cell) for note in drawn}
    rows: list[tuple[float, Note]] = []
    for lane, (held, starts, pitches) in zip(LANES, _strongest(roll), strict=True):
        velocity = _usual_velocity(drawn, lane)
        length = MIN_DRUM_STEPS * TICKS_PER_STEP if lane in DRUM_LANES else default_length_ticks(lane)
        for cell in range(CELLS_PER_BAR):
            if (lane, cell) not in taken:
                start = starts[cell] if held[cell] > 0 else cell * STEPS_PER_CELL
                rows.append((held[cell], Note(start * TICKS_PER_STEP, lane, pitches[cell], length, velocity)))
    rows.sort(key=lambda row: (-row[0], -ON_THE_BEAT[row[1].cell % 4], IN_ORDER(row[1])))
    likely = sum(strength > 0 for strength, _ in rows)
    return [note for _, note in rows[: max(min(likely, MOST_CANDIDATES), RESERVE)]]


def _strongest(roll: Roll) -> Iterator[tuple[list[float], list[int], list[int]]]:
    """For each lane and cell: how strongly its strongest step is held, which step that is, and at which pitch."""
    half = STEPS_PER_CELL // 2
    early = np.concatenate([np.full((half, ROWS), -1.0, dtype=np.float32), roll[:-half]])  # a cell's line in its middle
    cells = early.reshape(CELLS_PER_BAR, STEPS_PER_CELL, ROWS)
    firsts = np.arange(CELLS_PER_BAR) * STEPS_PER_CELL - half
    for index, lane in enumerate(LANES):
        rows: Any = cells[:, :, BASS_ROW:] if lane is Lane.BASS else cells[:, :, index : index + 1]
        flat = rows.reshape(CELLS_PER_BAR, -1)
        best = flat.argmax(axis=1)
        step, pitch = np.divmod(best, rows.shape[2])
        yield flat.max(axis=1).tolist(), (firsts + step).tolist(), pitch.tolist()


def _usual_velocity(notes: Sequence[Note], lane: Lane) -> float:
    own = [note.velocity for note in notes if note.lane is lane] or [0.8]
    return min(max(round(CANDIDATE_VELOCITY * sum(own) / len(own), 6), 0.1), 1.0)
