"""What a run came to, and what the terminal shows of it while it goes on: both looked up, nothing kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hitloopd.app.facts import Facts
from hitloopd.app.messages import Shown
from hitloopd.app.options import Summary
from hitloopd.app.outputs import CAPTURE
from hitloopd.core.notices import BarStarted, Beat, Notice
from hitloopd.session.heard import energy_of, heard
from hitloopd.session.state import SessionState


def summary(
    facts: Facts, state: SessionState, *, seed: int, seeds: Iterable[int], problems: Iterable[str]
) -> Mapping[str, object]:
    """The summary of a run.

    Args:
        facts: the counters.
        state: the session at the end.
        seed: the one that the config names.
        seeds: those of the bars that were made.
        problems: what went wrong.
    """
    player = facts.player
    rows = {row.name: row for row in player.outputs}
    row = rows.get(CAPTURE)
    sent, off = (row.notes_sent, row.notes_off) if row else (player.notes_sent, player.notes_off)
    lateness = {
        "p50": player.lateness_p50_us,
        "p99": player.lateness_p99_us,
        "p999": player.lateness_p999_us,
        "max": player.lateness_max_us,
    }
    provenance = state.current.provenance
    made = Summary(
        bars=player.bars,
        notes_sent=sent,
        notes_off=off,
        stuck_notes=player.sounding,
        late=player.late,
        lateness_us={name: round(value, 1) for name, value in lateness.items()},
        missed_bars=player.missed_bars,
        dropped=player.dropped + player.link_dropped,
        generator=provenance.generator,
        model=provenance.model,
        style=state.style,
        seed=seed,
        seeds=tuple(dict.fromkeys(seeds)),
        energy=energy_of(state),
        bpm=facts.transport.bpm,
        realtime=player.realtime,
        sound=facts.audio_text,
        problems=tuple(problems),
    )
    return {name: getattr(made, name) for name in Summary.__slots__}


def shown(facts: Facts, state: SessionState, notice: Notice) -> Shown:
    """What the terminal shows after ``notice``."""
    return Shown(
        transport=facts.transport,
        pattern=heard(state),
        pattern_id=facts.bar_pattern_id,
        energy=energy_of(state),
        knob=state.energy,
        model=state.current.provenance.generator,
        style=state.style,
        kit=state.kit,
        seed=state.current.provenance.seed,
        locks=state.locks,
        mutes=state.mutes,
        bar_started=notice.bar if isinstance(notice, BarStarted) else -1,
        beat=(notice.bar, notice.beat, notice.at_ns) if isinstance(notice, Beat) else None,
    )
