"""Generator ``rules``: bars of a style, drawn from its table. Needs no data and no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hitloopd.core.energy import prioritise
from hitloopd.core.pattern import DRUM_LANES, LANES, Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.generate import bass, drums
from hitloopd.generate.chance import stream
from hitloopd.generate.drums import ALWAYS, Hit
from hitloopd.generate.scales import SCALES, ladder
from hitloopd.generate.styles import STYLES, find, tables_hash
from hitloopd.generate.styles.table import Row, Style

VERSION: Final = 1  # of the rules that play the tables: a change that gives other bars raises it
RESERVE: Final = 4  # notes that are kept for the energetic half of the knob in even the busiest bar


class Rules:
    """A bar of the style asked for: its backbone, and candidates above it by how usual they are.

    With the energy knob in the middle it is the bar that the table's chances give; at 0 the bare backbone is left, at 1
    everything that was drawn sounds. The energy asked for changes no note, for the knob chooses among them at once.

    Every lane has a stream of chance of its own: a lane made alone is the same as in the whole bar of that seed. The
    one exception is a bass made without its kick, with a ``condition``: it listens to the kick of that bar.
    """

    name = "rules"
    styles: tuple[str, ...] = tuple(STYLES)

    @property
    def model_hash(self) -> str:
        """Hash over the tables: another table, another hash."""
        return tables_hash(f"rules {VERSION} {sorted(SCALES.items())}")

    def generate(self, request: Request) -> Pattern:
        """The bar.

        Raises:
            UnknownNameError: there is no such style or scale.

        Thread: generator process. Real-time: no.
        """
        style = find(request.style)
        scale = ladder(request.scale)
        lanes: dict[Lane, Sequence[Hit]] = {lane: _drums(style, lane, request) for lane in DRUM_LANES}
        borrowed = _borrowed_kick(request)
        kick = drums.heard(lanes[Lane.KICK]) if borrowed is None else borrowed
        draw = _stream(style, request, Lane.BASS)
        lanes[Lane.BASS] = bass.play(style.bass, style.swing, request.temperature, draw, scale=scale, kick=kick)
        notes = tuple(note for note in _ranked(lanes) if note.lane in request.lanes)
        parent = request.condition.id if borrowed is not None and request.condition is not None else ""
        return Pattern(notes, request.root, self._provenance(request, style, parent))

    def _provenance(self, request: Request, style: Style, parent: str) -> Provenance:
        return Provenance(
            generator=self.name,
            model=self.model_hash,
            seed=request.seed,
            parameters={
                "style": style.name,
                "energy": float(request.energy),
                "temperature": float(request.temperature),
                "scale": request.scale,
                "lanes": ",".join(lane.value for lane in LANES if lane in request.lanes),
            },
            parent=parent,
            sources=(f"hitloopd style table {style.name}",),
        )


def _stream(style: Style, request: Request, what: str) -> drums.Draw:
    return stream("rules", style.name, request.seed, what)


def _drums(style: Style, lane: Lane, request: Request) -> list[Hit]:
    rows: Mapping[Lane, tuple[Row, ...]] = {
        Lane.KICK: style.kick,
        Lane.SNARE: style.snare,
        Lane.HIHAT: style.hihat,
        Lane.CYMBAL: style.cymbal,
    }
    together = style.broken and lane in (Lane.KICK, Lane.SNARE)
    chooser = _stream(style, request, "break" if together else f"{lane.value} way")
    row = drums.choose(rows[lane], request.temperature, chooser)
    return drums.play(row, style.swing, request.temperature, _stream(style, request, lane))


def _borrowed_kick(request: Request) -> frozenset[int] | None:
    """The cells of the kick in the bar that plays, where the bass is to fit that one."""
    if request.condition is None or Lane.KICK in request.lanes or Lane.BASS not in request.lanes:
        return None
    return frozenset(note.cell for note in request.condition.at(0.5).lane(Lane.KICK))


def _ranked(lanes: Mapping[Lane, Sequence[Hit]]) -> tuple[Note, ...]:
    """All notes with their priorities: by score, then by time and lane, so that nothing is left to chance."""
    order = sorted(
        ((hit, index) for index, lane in enumerate(LANES) for hit in lanes[lane]),
        key=lambda entry: (-entry[0].score, entry[0].tick, entry[1]),
    )
    return prioritise(
        [Note(hit.tick, LANES[index], hit.pitch, hit.length, hit.velocity) for hit, index in order],
        skeleton=sum(hit.score >= ALWAYS for hit, _ in order),
        typical=min(sum(hit.score > 0 for hit, _ in order), len(order) - RESERVE),
    )
