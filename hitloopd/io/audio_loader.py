"""Kits are loaded on a thread of their own, and given to the renderer ready to play."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from hitloopd.core.errors import HitloopError
from hitloopd.core.kit import Kit
from hitloopd.core.notices import Warned
from hitloopd.io import realtime
from hitloopd.io.audio_messages import AudioSpec, KitLoaded
from hitloopd.io.audio_render import Swap
from hitloopd.io.bank import make_bank
from hitloopd.io.kits import LoadedKit, bass_pitches, build_bank, load_kit
from hitloopd.io.sampler import Sampler
from hitloopd.io.synth.cache import SoundCache


class KitLoader:
    """Turns kit names into samplers.

    Args:
        spec: kit folders, cache, voices and the first kit.
        rate: the device's, which may differ from what the spec asks for.
        tell: gets ``KitLoaded`` and ``Warned``.
    """

    def __init__(self, spec: AudioSpec, rate: int, tell: Callable[[object], None]) -> None:
        self._spec = spec
        self._rate = rate
        self._tell = tell
        self._cache = SoundCache(Path(spec.cache_dir) if spec.cache_dir else None)
        self._loaded: LoadedKit | None = None
        self._pitches = set(bass_pitches(spec.bass_root))
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._made: frozenset[int] = frozenset()
        self._swap: Callable[[Swap], object] = lambda swap: swap
        self._thread: threading.Thread | None = None

    @property
    def pitches(self) -> frozenset[int]:
        """Bass notes that are ready or asked for. Thread: messages. Real-time: yes."""
        return frozenset(self._pitches)

    @property
    def kit(self) -> str:
        """Name of the kit in use; empty when it could not be loaded. Thread: any. Real-time: yes."""
        return self._loaded.kit.name if self._loaded else ""

    def first(self) -> Sampler:
        """Load the spec's kit here and now; a silent sampler and a ``Warned`` when that fails."""
        try:
            return self._load(self._spec.kit)
        except HitloopError as error:
            self._tell(Warned("kit", str(error)))
            return Sampler(make_bank(Kit("none"), self._rate, {}, {}), self._spec.piece, voices=self._spec.voices)

    def start(self, swap: Callable[[Swap], object]) -> None:
        """Load what is asked for from now on, and give it to ``swap``. Thread: main. Real-time: no."""
        self._swap = swap
        self._thread = threading.Thread(target=self._work, name="kits", daemon=True)
        self._thread.start()

    def use(self, kit: str, at_ns: int) -> None:
        """Load a kit and play it from ``at_ns`` on; a broken one changes nothing. Thread: messages. Real-time: yes."""
        self._jobs.put(lambda: self._replace(kit, at_ns))

    def prepare(self, pitches: Iterable[int]) -> None:
        """Make bass notes that are missing. Thread: messages. Real-time: yes."""
        missing = {p for p in pitches if 0 <= p < 128} - self._pitches
        if missing:
            self._pitches |= missing
            self._jobs.put(self._more)

    def close(self) -> None:
        """End the thread. Thread: main. Real-time: no."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(2.0)

    def _work(self) -> None:
        realtime.relax_thread()
        while job := self._jobs.get():
            try:
                job()
            except HitloopError as error:
                self._tell(Warned("kit", f"{error} The kit in use stays."))

    def _replace(self, kit: str, at_ns: int) -> None:
        sampler = self._load(kit)
        self._swap(Swap(sampler, at_ns, keep=False))
        self._tell(KitLoaded(self.kit))

    def _more(self) -> None:
        if self._loaded is not None and not self._made >= self._pitches:
            self._swap(Swap(self._build(self._loaded), 0, keep=True))

    def _load(self, kit: str) -> Sampler:
        loaded = load_kit(kit, [Path(folder) for folder in self._spec.kit_dirs])
        sampler = self._build(loaded)
        self._loaded = loaded
        return sampler

    def _build(self, loaded: LoadedKit) -> Sampler:
        result = build_bank(loaded, self._rate, set(self._pitches), self._cache)
        self._made = result.bank.pitches
        for problem in result.problems:
            self._tell(Warned("sample", problem))
        return Sampler(result.bank, self._spec.piece, voices=self._spec.voices)
