"""How fast: against the paper's way and against one plain spectrum of the same sound; and the memory of two hours."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, References
from offline.extraction.distances import Grid, Template, cosine, template
from offline.extraction.found import Finder
from offline.extraction.spectral import HOP, WINDOW, spectra
from offline.extraction.trials import looked_through

REFERENCES: Final = 30
ROUNDS: Final = 3
SAMPLED: Final = 400
"""Windows the paper's way is timed and compared on; all of them would take minutes."""


def thirty(references: References) -> References:
    """Thirty references of all lanes and lengths."""
    items = [item for item in references.items if item.lane != NONE]
    step = max(len(items) // REFERENCES, 1)
    return References(references.folder, tuple(items[::step][:REFERENCES]))


def speeds(sound: Wave, references: References, makers: dict[str, Callable[[], Finder]]) -> dict[str, Any]:
    """Processor seconds for ``sound``, least of some rounds, all in one run.

    The paper's way is timed on evenly drawn windows and scaled to all of them; the very same windows are compared with
    what the shared spectrum gives. One thread each: several would count the time they spend waiting for each other.
    """
    with threadpool_limits(1):
        return _speeds(sound, references, makers)


def _speeds(sound: Wave, references: References, makers: dict[str, Callable[[], Finder]]) -> dict[str, Any]:
    plain = _least(lambda: librosa.stft(sound))
    templates = [template(item.sound) for item in references.items]
    every = [number for number, one in enumerate(templates) for _ in range(_windows(sound, one))]
    anew_s, worst = _anew(sound, references, templates, len(every))
    ours = _least(lambda: Grid(spectra(sound)).distances(templates))
    out: dict[str, Any] = {
        "audio_s": round(len(sound) / RATE, 1),
        "references": len(templates),
        "windows": len(every),
        "stft_s": plain,
        "anew_s": anew_s,
        "shared_s": ours,
        "times_faster_than_anew": anew_s / ours,
        "largest_difference": worst,
    }
    for name, make in makers.items():
        taken = _prepared(make, sound)
        out[name] = {"s": taken, "times_stft": taken / plain, "audio_s_per_s": len(sound) / RATE / taken}
    return out


def _least(work: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def _prepared(make: Callable[[], Finder], sound: Wave) -> float:
    """Time to look through the sound; making the references ready is done once for all recordings and not counted."""
    times: list[float] = []
    for _ in range(ROUNDS):
        finder = make()
        began = time.process_time()
        looked_through(finder, sound)
        times.append(time.process_time() - began)
    return min(times)


def _windows(sound: Wave, one: Template) -> int:
    frames = 1 + (len(sound) - WINDOW) // HOP
    return max((frames - one.frames) // one.stride + 1, 0)


def _anew(
    sound: Wave, references: References, templates: Sequence[Template], windows: int
) -> tuple[float, NDArray[np.float64] | list[float]]:
    """Seconds for all windows with librosa's features computed for each, and the largest difference per feature."""
    shared = Grid(spectra(sound)).distances(templates)
    own = [_librosa(np.pad(i.sound[:RATE], (0, max(WINDOW - len(i.sound), 0)))) for i in references.items]
    draw = np.random.default_rng(0)
    worst = np.zeros(3)
    taken, done = 0.0, 0
    weights = np.array([len(one) for one in shared], float)
    for number in draw.choice(len(templates), SAMPLED, p=weights / weights.sum()):
        window = int(draw.integers(len(shared[number])))
        first = window * templates[number].stride * HOP
        began = time.process_time()
        found = _librosa(sound[first : first + templates[number].length])
        distances = [cosine(a.ravel(), b.ravel()) for a, b in zip(found, own[number], strict=True)]
        taken += time.process_time() - began
        done += 1
        worst = np.maximum(worst, np.abs(np.array(distances) - shared[number][window]))
    return taken / done * windows, worst.tolist()


def _librosa(window: Wave) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return (
        librosa.power_to_db(librosa.feature.melspectrogram(y=window, sr=RATE, center=False)),
        librosa.feature.spectral_contrast(y=window, sr=RATE, center=False),
        librosa.feature.spectral_bandwidth(y=window, sr=RATE, center=False),
    )


def memory(field: Wave, references: Path, hours: float, method: str = "onset") -> dict[str, Any]:
    """Greatest memory of ``extract`` over a recording of so many hours, made of the field sound again and again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        with soundfile.SoundFile(str(path), "w", RATE, 1, "PCM_16") as file:
            for _ in range(round(hours * 3600 * RATE / len(field))):
                file.write(field)
        words = ["-m", "offline", "extract", str(path), "--references", str(references), "--method", method]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            [sys.executable, *words, "--out", str(Path(folder, "pack")), "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    samples = len(json.loads(done.stdout)["samples"])
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"hours": hours, "megabytes": after.ru_maxrss / 1024, "cpu_s": used, "samples": samples}
