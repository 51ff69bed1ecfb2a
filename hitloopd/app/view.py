"""The live view as text: a pure function from what is known to lines. ``app.terminal`` puts them on a screen.

A cell is one shade for velocity and one mark: ``'`` edited by hand, ``=`` locked. Bars and beats count from 1 here, as
on every sequencer; in OSC they count from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.app.keys import Situation, help_lines
from hitloopd.core.energy import measured
from hitloopd.core.pattern import LANES, Lane, Note, Origin, Pattern
from hitloopd.core.time import CELLS_PER_BAR
from hitloopd.core.transport import ClockState, State, Transport

SHADES: Final = "·░▒▓█"
ASCII_SHADES: Final = ".-+*#"
_MARKS: Final = {Origin.EDITED: "'", Origin.LOCKED: "="}
_BAR_WIDTH: Final = 20
_INDENT: Final = 10
_BOLD, _DIM, _REVERSE, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[7m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything the view shows.

    Args:
        transport: state, tempo, position, source and clock.
        pattern: what plays, candidates included; ``None`` before the first bar.
        knob: the energy knob 0..1.
        energy: what is measured; ``None`` measures the pattern at the knob.
        densities: lanes with a knob of their own.
        locked: lanes that keep through regeneration.
        muted: lanes that are silent.
        model: name of the generator.
        style: name of the style.
        seed: of the pattern that plays.
        kit: name of the sounds.
        log: what was told last, oldest first.
        help: show the keys.
        prefix: a key that waits for its lane.
    """

    transport: Transport = field(default_factory=Transport)
    pattern: Pattern | None = None
    knob: float = 0.5
    energy: float | None = None
    densities: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    locked: frozenset[Lane] = frozenset()
    muted: frozenset[Lane] = frozenset()
    model: str = ""
    style: str = ""
    seed: int = 0
    kit: str = ""
    log: tuple[str, ...] = ()
    help: bool = False
    prefix: str = ""

    @property
    def situation(self) -> Situation:
        """What keys depend on."""
        return Situation(self.transport.state, self.transport.bpm, self.locked, self.muted)


def frame(state: ViewState, width: int = 80, *, colour: bool = False, ascii_only: bool = False) -> list[str]:
    """The whole view, log lines above, each line at most ``width`` columns."""
    lines = list(state.log)
    lines.append(status_line(state))
    lines.append(energy_line(state, ascii_only=ascii_only))
    lines += grid(state, ascii_only=ascii_only)
    lines.append(_playhead(state, ascii_only=ascii_only))
    lines += help_lines() if state.help else [_hint(state)]
    clipped = [line[:width].rstrip() for line in lines]
    return _coloured(clipped, len(state.log)) if colour else clipped


def status_line(state: ViewState) -> str:
    """One line: playing or not, bar.beat, tempo, who gives the clock, what is played."""
    transport, position = state.transport, state.transport.position
    place = f"{position.bar + 1}.{position.beat + 1}"
    source = transport.source.value
    if transport.clock is not ClockState.NONE:
        source += f" ({transport.clock.value})"
    parts = (f"{transport.state.value:<7} {place:>6}", f"{transport.bpm:6.2f} BPM", source, _what(state))
    return "  ".join(part for part in parts if part)


def energy_line(state: ViewState, *, ascii_only: bool = False) -> str:
    """The energy knob as a bar, and what is measured on the notes that sound."""
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    filled = round(state.knob * _BAR_WIDTH)
    energy = state.energy
    if energy is None and state.pattern is not None:
        energy = measured(state.pattern, state.knob)
    now = "" if energy is None else f"  measured {energy:.2f}"
    return f"energy    {full * filled}{empty * (_BAR_WIDTH - filled)} {state.knob:.2f}{now}"


def grid(state: ViewState, *, ascii_only: bool = False) -> list[str]:
    """Five rows of sixteen cells, a line between the beats."""
    return [_row(state, number, lane, ascii_only=ascii_only) for number, lane in enumerate(LANES, 1)]


def bar_grid(pattern: Pattern, knob: float = 1.0, *, title: str = "", ascii_only: bool = False) -> str:
    """One bar as printed text: a title line and the grid. What ``demo`` and a piped view print at every bar."""
    state = ViewState(pattern=pattern, knob=knob)
    provenance = pattern.provenance
    head = f"{title}  {provenance.generator} seed {provenance.seed}  energy {measured(pattern, knob):.2f}".strip()
    return "\n".join([head, *grid(state, ascii_only=ascii_only)])


def _what(state: ViewState) -> str:
    words = [word for word in (state.model, state.style) if word]
    if state.model:
        words.append(f"seed {state.seed}")
    if state.kit:
        words.append(f"kit {state.kit}")
    return " ".join(words)


def _row(state: ViewState, number: int, lane: Lane, *, ascii_only: bool) -> str:
    flags = ("L" if lane in state.locked else " ") + ("M" if lane in state.muted else " ")
    cells = [_cell(note, ascii_only=ascii_only) for note in _loudest(state, lane)]
    line = "|" if ascii_only else "│"
    beats = ("".join(cells[beat : beat + 4]) for beat in range(0, CELLS_PER_BAR, 4))
    return f"{number} {lane.value:<6}{flags}{line}{line.join(beats)}{line}"


def _loudest(state: ViewState, lane: Lane) -> list[Note | None]:
    """The loudest sounding note of each cell."""
    out: list[Note | None] = [None] * CELLS_PER_BAR
    if state.pattern is None:
        return out
    knob = state.densities.get(lane, state.knob)
    for note in state.pattern.at(knob).lane(lane):
        before = out[note.cell]
        if before is None or before.velocity < note.velocity:
            out[note.cell] = note
    return out


def _cell(note: Note | None, *, ascii_only: bool) -> str:
    shades = ASCII_SHADES if ascii_only else SHADES
    if note is None:
        return f"{shades[0]} "
    return shades[1 + min(int(note.velocity * 4), 3)] + _MARKS.get(note.origin, " ")


def _playhead(state: ViewState, *, ascii_only: bool) -> str:
    if state.transport.state is not State.PLAYING:
        return ""
    cell = state.transport.position.cell
    return " " * (_INDENT + 1 + 2 * cell + cell // 4) + ("^" if ascii_only else "▲")


def _hint(state: ViewState) -> str:
    if state.prefix:
        return f"{'lock' if state.prefix == 'l' else 'mute'}: which lane? 1-5"
    return "space play/stop  r regenerate  c calmer  e energetic  u undo  ? keys  q quit"


def _coloured(lines: list[str], logs: int) -> list[str]:
    """Log dim, status bold, playhead reversed; one colour pair only, so that it reads on every background."""
    out = [f"{_DIM}{line}{_PLAIN}" for line in lines[:logs]]
    out.append(f"{_BOLD}{lines[logs]}{_PLAIN}")
    for line in lines[logs + 1 :]:
        mark = line.strip()
        out.append(line.replace(mark, f"{_REVERSE}{mark}{_PLAIN}") if mark in ("^", "▲") else line)
    return out
