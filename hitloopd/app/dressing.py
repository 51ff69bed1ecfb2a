"""Changes of sound: the new one is made ready first, then the session changes, then the bar with it is cued.

So a kit that can't be played changes nothing, and the answer to who asked names the bar in which it is really heard.
One sound is made at a time; what would undo a sound waits its turn behind those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hitloopd.app.wardrobe import Outfit, Wardrobe
from hitloopd.core.commands import Command, LoadKit, NextSample, Redo, SetSample, SetTune, Undo
from hitloopd.core.errors import ConfigError, HitloopError
from hitloopd.core.notices import Notice, Warned
from hitloopd.core.time import NS_PER_S
from hitloopd.io.audio_messages import AudioReady, MakeSound, SoundReady, SoundRefused
from hitloopd.ports.surface import Outcome, Rejected
from hitloopd.session.history import History
from hitloopd.session.state import SessionState

SOUND_PATIENCE_NS = 70 * NS_PER_S
"""More than the loader's own patience with the process that makes banks."""
MAX_WAITING = 256

DRESSES = LoadKit | SetSample | NextSample | SetTune | Undo | Redo
"""Commands that may change what the lanes sound like."""


@dataclass(frozen=True, slots=True)
class Reread:
    """The kit's file is another than it was."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was asked and may need other sounds. ``now``: not only from the next bar line on."""

    command: Command | Reread
    address: str
    reply: Callable[[Outcome], None]

    @property
    def now(self) -> bool:
        """It is wanted before the bar line."""
        return bool(getattr(self.command, "now", False))


@dataclass(frozen=True, slots=True)
class Making:
    """A change whose sounds are being made."""

    change: Change
    outfit: Outfit
    sent_ns: int


class Dressing:
    """Keeps changes of sound in order.

    Args:
        history: the session.
        wardrobe: knows the kits.
        audio: hands a message to the audio process; ``None``: there is none, and nothing has to be made.
        commit: carries a change out; its sounds are ready.
        publish: tells everybody.
        now_ns: the clock.

    Attributes:
        number: of the sound in force.
    """

    def __init__(
        self,
        history: History,
        wardrobe: Wardrobe,
        *,
        audio: Callable[[object], object] | None,
        commit: Callable[[Change], None],
        publish: Callable[[Notice], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._history = history
        self._wardrobe = wardrobe
        self._audio = audio
        self._commit = commit
        self._publish = publish
        self._now_ns = now_ns
        self._waiting: deque[Change] = deque()
        self._making: Making | None = None
        self.number = self._number_now()

    @property
    def busy(self) -> bool:
        """A sound is being made."""
        return self._making is not None

    def want(self, change: Change) -> None:
        """Carry a change out as soon as its sounds are ready."""
        if len(self._waiting) >= MAX_WAITING:
            change.reply(Rejected("full", f"{MAX_WAITING} changes of sound wait already; this one was not taken."))
            return
        self._waiting.append(change)
        self._next()

    def _next(self) -> None:
        while self._making is None and self._waiting:
            change = self._waiting.popleft()
            try:
                self._begin(self._settled(change))
            except HitloopError as error:
                change.reply(Rejected(error.code, str(error)))

    def _settled(self, change: Change) -> Change:
        """Names as the session keeps them; "another one" becomes a name."""
        present = self._history.present
        match change.command:
            case LoadKit() as command:
                return Change(self._wardrobe.checked(command), change.address, change.reply)
            case SetSample() as command:
                return Change(self._wardrobe.checked_samples(present, command), change.address, change.reply)
            case NextSample() as command:
                return Change(self._wardrobe.another(present, command), change.address, change.reply)
            case Reread():
                self._wardrobe.refresh(present.kit)
                return change
            case _:
                return change

    def _after(self, change: Change) -> SessionState:
        if isinstance(change.command, Reread):
            return self._history.present
        return self._history.after(change.command)  # type: ignore[arg-type] - DRESSES, settled

    def _begin(self, change: Change) -> None:
        after = self._after(change)
        try:
            outfit = self._wardrobe.outfit(after)
        except HitloopError as error:
            if not isinstance(change.command, Undo | Redo):
                raise
            self._publish(Warned("kit", f"{error} The sounds stay; the rest is as it was."))
            self._commit(change)
            return
        if outfit.number == self.number or self._audio is None:
            self._dressed(change, outfit)
            return
        self._making = Making(change, outfit, self._now_ns())
        self._audio(_wanted(outfit))

    def _dressed(self, change: Change, outfit: Outfit) -> None:
        before, self.number = self.number, outfit.number
        try:
            self._commit(change)
        except HitloopError:
            self.number = before
            raise

    # ── the audio process ───────────────────────────────────────────────────────────────────────────────────────────

    def on_ready(self, ready: SoundReady) -> None:
        """A sound is ready."""
        making = self._making
        if making is None or making.outfit.number != ready.number:
            return
        self._making = None
        change = making.change
        try:
            moved = self._wardrobe.outfit(self._after(change)).number != ready.number
        except HitloopError:
            moved = True
        if moved:  # an undo that now means something else, or a file that changed meanwhile: look again
            self._waiting.appendleft(change)
        else:
            try:
                self._dressed(change, making.outfit)
            except HitloopError as error:
                change.reply(Rejected(error.code, str(error)))
        self._next()

    def on_refused(self, refused: SoundRefused) -> None:
        """A sound can't be made."""
        making = self._making
        if making is None or making.outfit.number != refused.number:
            for problem in refused.problems:
                self._publish(Warned("kit", problem))
            return
        self._give_up(making, ConfigError.code, "\n".join((*refused.problems, "The sounds stay as they are.")))

    def on_audio(self, ready: AudioReady) -> None:
        """An audio process sounds, perhaps a new one: it has the config's kit, and is told what else it needs."""
        assert self._audio is not None
        state = self._history.present
        if state.samples or state.tunings or self._wardrobe.kit_or_nothing(state.kit).kit.name != ready.kit:
            try:
                self._audio(_wanted(self._wardrobe.outfit(state)))
            except HitloopError as error:
                self._publish(Warned("kit", f"{error} Kit '{ready.kit}' plays."))
        if self._making is not None:
            self._audio(_wanted(self._making.outfit))

    def look_after(self) -> None:
        """Now and then: give up on an audio process that does not answer."""
        making = self._making
        if making is not None and self._now_ns() - making.sent_ns > SOUND_PATIENCE_NS:
            self._give_up(making, "audio", "The sounds were not ready in time; they stay as they are.")

    def _give_up(self, making: Making, code: str, text: str) -> None:
        self._making = None
        if isinstance(making.change.command, Undo | Redo):
            self._publish(Warned("kit", text))
            self._commit(making.change)
        else:
            making.change.reply(Rejected(code, text))
        self._next()

    def _number_now(self) -> int:
        try:
            return self._wardrobe.outfit(self._history.present).number
        except HitloopError:
            return 0  # whatever plays


def _wanted(outfit: Outfit) -> MakeSound:
    return MakeSound(outfit.number, outfit.kit, outfit.folder)
