"""How a run begins: the tempo and the pattern that are wanted, and the first bar as soon as it is there. Once in a run.

A control process that was started again in the middle of a run finds everything begun and leaves it alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hitloopd.app import adopt
from hitloopd.app.desk import ControlDesk
from hitloopd.app.facts import Facts
from hitloopd.app.options import RunOptions
from hitloopd.app.settings import Settings
from hitloopd.core.commands import Play, SetTempo
from hitloopd.core.time import NS_PER_S
from hitloopd.core.transport import Source
from hitloopd.ports.surface import Outcome

SOUND_NS: Final = 10 * NS_PER_S
"""How long a capture waits for the audio process, which may have sounds to make at its first start."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a run begins with.

    Args:
        settings: as loaded.
        options: as asked for on the command line.
        memo: what was remembered of the run before.
        sound: there is an audio process.
    """

    settings: Settings
    options: RunOptions
    memo: Mapping[str, Any]
    sound: bool


class Beginning:
    """Begins, and knows whether that was done.

    Args:
        given: what is wanted.
        desk: carries it out.
        facts: what there is by now.
        complain: gets every outcome.
        started: called with two lines for people once the first bar is asked to play.

    Attributes:
        started: the first bar plays, or waits for who starts it.
        waits_for_sound: a capture must not miss the first bar.
    """

    def __init__(
        self,
        given: Given,
        desk: ControlDesk,
        facts: Facts,
        *,
        complain: Callable[[Outcome], None],
        started: Callable[[tuple[str, str]], None],
    ) -> None:
        self._given = given
        self._desk = desk
        self._facts = facts
        self._complain = complain
        self._tell = started
        self._begun = self.started = given.memo.get("run") == given.options.run
        self.waits_for_sound = False
        self._sound_until_ns = time.monotonic_ns() + SOUND_NS
        self._expect_tempo(given.memo["bpm"] if self.started and "bpm" in given.memo else given.settings.transport.bpm)

    def begin(self) -> None:
        """A player is there: give it tempo and pattern, and play where that is wanted."""
        if self._begun:
            return
        self._begun = True
        given, history = self._given, self._desk.history
        names = adopt.wishes(given.settings, given.memo.get("config", {}), given.options.named_keys)
        bpm = given.memo.get("bpm")
        if bpm is not None and "transport.bpm" not in names:
            self._expect_tempo(float(bpm))
            self._desk.to_player(SetTempo(float(bpm)), "", lambda _: None)
        if not history.present.current.notes:
            names = (*names, "gen.seed")
        history.present = adopt.with_key(history.present, given.settings)
        todo = adopt.commands_for([n for n in names if n != "sync.source"], given.settings)
        for address, command in todo:
            self._desk.submit(address, command, self._complain)
        if not any(address.endswith("regenerate") for address, _ in todo):
            self.first_bar()

    def first_bar(self) -> None:
        """The first bar is there: play it, if nobody else starts us. A capture that waits for it must not miss it."""
        if self.started:
            return
        settings = self._given.settings
        waits = settings.paths.capture is not None and not self._facts.audio_text
        self.waits_for_sound = waits and self._given.sound and time.monotonic_ns() < self._sound_until_ns
        if self.waits_for_sound:
            return
        self.started = True
        if settings.transport.autostart and settings.sync.source != Source.MIDI.value:
            self._desk.submit("/hitloop/transport/play", Play(), self._complain)
        self._tell(self._plays())

    def _expect_tempo(self, bpm: float) -> None:
        """What the player will say, for whoever asks before it has."""
        self._facts.transport = replace(self._facts.transport, bpm=bpm)

    def _plays(self) -> tuple[str, str]:
        """What plays and by whose clock, for the person who started us."""
        state, sync = self._desk.history.present, self._given.settings.sync
        bpm = self._facts.transport.bpm
        clock = f"internal, {bpm:g} BPM" if sync.source == Source.INTERNAL.value else "waiting for MIDI clock"
        who = state.current.provenance.generator if state.current.notes else state.model  # a refused model does not
        what = f"{who} {state.style}, seed {state.seed}, energy {state.energy:.2f}, kit {state.kit}"
        return f"clock: {clock}", f"plays: {what}"
