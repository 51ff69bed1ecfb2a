"""Sounds are got ready on a thread of their own (and made in a process of their own), then offered to the renderer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from hitloopd.core.errors import ConfigError, HitloopError
from hitloopd.core.kit import Kit
from hitloopd.core.notices import Warned
from hitloopd.io import realtime
from hitloopd.io.audio_messages import AudioSpec, MakeSound, SoundReady, SoundRefused
from hitloopd.io.audio_render import Offer
from hitloopd.io.bank import make_bank
from hitloopd.io.bank_maker import BankMaker, Request
from hitloopd.io.kit_sounds import BankResult, bass_pitches, build_bank
from hitloopd.io.kits import load_kit
from hitloopd.io.sampler import Sampler
from hitloopd.io.synth.cache import SoundCache

IDLE_S: Final = 20.0
"""The process that makes banks stays for so long after a request: presses of "another one" come in rows."""
KEPT: Final = 4
END_S: Final = 2.0


class KitLoader:
    """Turns kits into samplers.

    Args:
        spec: kit folders, cache, voices and the first kit.
        rate: the device's, which may differ from what the spec asks for.
        tell: gets ``SoundReady``, ``SoundRefused`` and ``Warned``.
        maker: makes the banks.
    """

    def __init__(
        self, spec: AudioSpec, rate: int, tell: Callable[[object], None], maker: BankMaker | None = None
    ) -> None:
        self._spec = spec
        self._rate = rate
        self._tell = tell
        self._maker = maker or BankMaker()
        self._pitches = set(bass_pitches(spec.bass_root))
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._latest: tuple[int, Kit, str] = (0, Kit(""), "")
        self._ready: dict[int, tuple[MakeSound, Sampler]] = {}
        self._give: Callable[[Offer], object] = lambda offer: offer
        self._thread: threading.Thread | None = None

    @property
    def pitches(self) -> frozenset[int]:
        """Bass notes that are ready or asked for. Thread: messages. Real-time: yes."""
        return frozenset(self._pitches)

    @property
    def kit(self) -> str:
        """Name of the newest kit; empty when none could be loaded. Thread: any. Real-time: yes."""
        return self._latest[1].name

    def first(self) -> Sampler:
        """Load the spec's kit here and now; a silent sampler and a ``Warned`` when that fails."""
        cache = SoundCache(Path(self._spec.cache_dir) if self._spec.cache_dir else None)
        try:
            loaded = load_kit(self._spec.kit, [Path(folder) for folder in self._spec.kit_dirs])
            result = build_bank(loaded.kit, loaded.folder, self._rate, self._pitches, cache)
        except HitloopError as error:
            self._tell(Warned("kit", str(error)))
            return self._sampler(BankResult(make_bank(Kit("none"), self._rate, {}, {}), ()))
        self._latest = (0, result.bank.kit, str(loaded.folder))
        return self._sampler(result)

    def start(self, give: Callable[[Offer], object]) -> None:
        """Load what is asked for from now on, and hand it to ``give``. Thread: main. Real-time: no."""
        self._give = give
        self._thread = threading.Thread(target=self._work, name="kits", daemon=True)
        self._thread.start()

    def make(self, wanted: MakeSound) -> None:
        """Get a sound ready; a broken one changes nothing. Thread: messages. Real-time: yes."""
        self._jobs.put(lambda: self._make(wanted))

    def prepare(self, pitches: Iterable[int]) -> None:
        """Make bass notes that are missing. Thread: messages. Real-time: yes."""
        missing = {p for p in pitches if 0 <= p < 128} - self._pitches
        if missing:
            self._pitches |= missing
            self._jobs.put(self._more)

    def close(self) -> None:
        """End the thread, and the process behind it. Thread: main. Real-time: no."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(END_S)
            if self._thread.is_alive():  # in the middle of a kit that nobody will hear
                self._maker.kill()
                self._thread.join(END_S)
        self._maker.close()

    def _work(self) -> None:
        realtime.relax_thread()
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S if self._maker.running else None)
            except queue.Empty:
                self._maker.close()
                continue
            if job is None:
                return
            job()

    def _make(self, wanted: MakeSound) -> None:
        kept = self._ready.get(wanted.number)
        if kept is None or kept[0] != wanted:
            try:
                result = self._bank(wanted.kit, wanted.folder, whole=True)
            except HitloopError as error:
                problems = error.problems if isinstance(error, ConfigError) else (str(error),)
                self._tell(SoundRefused(wanted.number, problems))
                return
            kept = (wanted, self._sampler(result))
        self._ready.pop(wanted.number, None)
        self._ready[wanted.number] = kept
        while len(self._ready) > KEPT:
            self._ready.pop(next(iter(self._ready)))
        self._latest = (wanted.number, wanted.kit, wanted.folder)
        self._give(Offer(wanted.number, kept[1]))
        self._tell(SoundReady(wanted.number))

    def _more(self) -> None:
        """The newest sound with the bass notes that were asked for since."""
        number, kit, folder = self._latest
        try:
            sampler = self._sampler(self._bank(kit, folder, whole=False))
        except HitloopError as error:
            self._tell(Warned("kit", f"{error} The bass plays its nearest octave."))
            return
        if number in self._ready:
            self._ready[number] = (self._ready[number][0], sampler)
        self._give(Offer(number, sampler, more=True))

    def _bank(self, kit: Kit, folder: str, *, whole: bool) -> BankResult:
        bare = replace(kit, samples={})
        pitches = tuple(sorted(self._pitches))
        return self._maker.make(Request(bare, folder, self._rate, pitches, self._spec.cache_dir, whole))

    def _sampler(self, result: BankResult) -> Sampler:
        for problem in result.problems:
            self._tell(Warned("sample", problem))
        return Sampler(result.bank, self._spec.piece, voices=self._spec.voices)
