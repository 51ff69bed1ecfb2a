"""The value in force of every address about sounds: the kit, and the slot of each lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hitloopd.app.wardrobe import Wardrobe
from hitloopd.core.kit import SYNTH, Sample, Slot
from hitloopd.core.pattern import LANES, Lane
from hitloopd.ports.surface import Value
from hitloopd.session.state import SessionState

Values = tuple[Value, ...]
OURS: Final = ("hitloopd", "MIT")
"""Author and licence of the built-in sounds."""
SILENT: Final = Slot("")


def _slot(wardrobe: Wardrobe, state: SessionState, lane: Lane | None) -> Slot:
    assert lane is not None
    return wardrobe.slot(state, lane) or SILENT


def _sample(wardrobe: Wardrobe, state: SessionState, lane: Lane | None) -> Values:
    assert lane is not None
    sample = wardrobe.sample(state, lane) or Sample("")
    author, licence = OURS if sample.name.startswith(SYNTH) else (sample.author, sample.licence)
    return (
        sample.name,
        sample.recording,
        round(sample.start_s, 3),
        sample.reference,
        round(sample.distance, 4),
        author,
        licence,
    )


def _names(wardrobe: Wardrobe, state: SessionState, _: Lane | None) -> Values:
    return tuple(
        word for lane in LANES if (sample := wardrobe.sample(state, lane)) for word in (lane.value, sample.name)
    )


SOUND_LOOKS: Final[Mapping[str, Callable[[Wardrobe, SessionState, Lane | None], Values]]] = {
    "/kit/list": lambda w, _s, _l: w.names(),
    "/kit/next": _names,
    "/slot/<lane>/sample": _sample,
    "/slot/<lane>/gain": lambda w, s, lane: (_slot(w, s, lane).gain_db,),
    "/slot/<lane>/pan": lambda w, s, lane: (_slot(w, s, lane).pan,),
    "/slot/<lane>/choke": lambda w, s, lane: (_slot(w, s, lane).choke,),
    "/slot/<lane>/tune": lambda w, s, lane: (_slot(w, s, lane).tuning,),
}
