"""From a place in a recording to a sample a producer can use.

The cut begins at a zero crossing just before the attack, ends where the sound has sunk into its background or the next
begins, has no offset, no rumble below its lane's range, and edges that don't click. Level comes last, lane by lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import librosa
import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from offline.audio import RATE, Wave

PREROLL: Final = round(0.15 * RATE)
"""Frames before the cut that come along: the filter settles in them, and the background is measured there."""
CROSSING: Final = round(0.002 * RATE)
FADE_IN: Final = round(0.0005 * RATE)
RUMBLE_HZ: Final[Mapping[str, float]] = {"kick": 22.0, "snare": 70.0, "hihat": 250.0, "cymbal": 180.0, "bass": 22.0}
SHORTEST_S: Final = 0.03
STEP: Final = round(0.005 * RATE)
SUNK_DB: Final = -40.0
OVER_BACKGROUND_DB: Final = 2.0
TARGET_LUFS: Final[Mapping[str, float]] = {
    "kick": -11.0,
    "snare": -13.0,
    "hihat": -19.0,
    "cymbal": -18.0,
    "bass": -13.0,
}
"""Loudness of the loudest tenth of a second, as lanes of a mix stand to each other."""
CEILING: Final = 10 ** (-1.0 / 20)
LOWEST_BELOW_TARGET: Final = 12.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A sample before its level is set.

    Args:
        sound: from its first frame to its last.
        offset: frames by which its start differs from the place that was asked for.
    """

    sound: Wave
    offset: int


def around(sound: Wave, start: int, length: int) -> Wave:
    """What ``cut`` wants of a place in a sound that is in memory."""
    first = max(start - PREROLL, 0)
    return np.pad(sound[first : start + length], (PREROLL - (start - first), 0))


def cut(sound: Wave, lane: str, *, next_onset: int | None = None, keep_length: bool = False) -> Cut:
    """Cut a sample.

    Args:
        sound: ``PREROLL`` frames before the place, then what follows.
        lane: decides which rumble is taken away.
        next_onset: frames from the place to the next onset, where there is one.
        keep_length: cut no tail: for the paper's windows.
    """
    clean = _without_rumble(sound - sound.mean(), lane)
    start = PREROLL - _back_to_crossing(clean)
    body = clean[start:]
    length = len(body) if keep_length else _audible(clean[:start], body)
    if next_onset is not None and not keep_length:
        length = min(length, max(next_onset - FADE_IN, round(SHORTEST_S * RATE)))
    return Cut(_faded(body[:length] - _offset(body[:length])), start - PREROLL)


def _without_rumble(sound: Wave, lane: str) -> Wave:
    sections = scipy.signal.butter(2, RUMBLE_HZ[lane], "highpass", fs=RATE, output="sos")
    return scipy.signal.sosfilt(sections, sound.astype(np.float64)).astype(np.float32)


def _back_to_crossing(sound: Wave) -> int:
    """Frames from the attack back to the nearest change of sign; none where there is none within 2 ms."""
    before = sound[max(PREROLL - CROSSING, 0) : PREROLL + 1]
    signs = np.signbit(before)
    changes = np.flatnonzero(signs[1:] != signs[:-1])
    return len(before) - 1 - int(changes[-1]) - 1 if len(changes) else 0


def _audible(before: Wave, body: Wave) -> int:
    """Frames until the sound stays below its top by 40 dB, or below what was there before it."""
    count = len(body) // STEP
    if count < 2:
        return len(body)
    power = (body[: count * STEP].astype(np.float64) ** 2).reshape(count, STEP).mean(axis=1)
    power = np.maximum.accumulate(power[::-1])[::-1]  # what comes after still counts
    settled = before[len(before) // 2 :].astype(np.float64)
    background = float(np.mean(settled**2)) * 10 ** (OVER_BACKGROUND_DB / 10)
    level = max(float(power.max()) * 10 ** (SUNK_DB / 10), min(background, float(power.max()) / 4))
    smooth = scipy.ndimage.median_filter(
        (body[: count * STEP] ** 2).reshape(count, STEP).mean(axis=1), 5, mode="nearest"
    )
    over = np.flatnonzero(smooth > level)
    last = int(over[-1]) + 1 if len(over) else count
    # where nothing is above for 60 ms the sound is over: what comes later is another one
    gaps = np.flatnonzero(np.diff(over) > 12)
    last = int(over[gaps[0]]) + 1 if len(gaps) else last
    return int(np.clip((last + 4) * STEP, round(SHORTEST_S * RATE), len(body)))


def _offset(sound: Wave) -> np.float32:
    return np.float32(sound.mean()) if len(sound) else np.float32(0.0)


def _faded(sound: Wave) -> Wave:
    out = sound.copy()
    rise = min(FADE_IN, len(out) // 4)
    fall = min(max(len(out) // 4, round(0.004 * RATE)), len(out) // 2)
    out[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False, dtype=np.float32)
    out[len(out) - fall :] *= 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fall, dtype=np.float32))
    return out


# ── level ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def loudness(sound: Wave) -> float:
    """LUFS of the loudest tenth of a second, weighted as ITU-R BS.1770 hears it."""
    if not len(sound):
        return -120.0
    weighted = scipy.signal.sosfilt(_k_weighting(), sound.astype(np.float64))
    window = min(round(0.1 * RATE), len(weighted))
    sums = np.concatenate([[0.0], np.cumsum(weighted**2)])
    return -0.691 + 10 * float(np.log10(max((sums[window:] - sums[:-window]).max() / round(0.1 * RATE), 1e-12)))


def matched_gains(sounds: Sequence[Wave], lane: str) -> list[float]:
    """Decibels that make the samples of a lane equally loud, as near to the lane's target as their peaks allow."""
    levels = [loudness(sound) for sound in sounds]
    room = [20 * float(np.log10(CEILING / max(float(np.abs(sound).max()), 1e-9))) for sound in sounds]
    target = TARGET_LUFS[lane]
    reachable = min((level + space for level, space in zip(levels, room, strict=True)), default=target)
    common = min(target, max(reachable, target - LOWEST_BELOW_TARGET))
    return [min(common - level, space) for level, space in zip(levels, room, strict=True)]


def _k_weighting() -> NDArray[np.float64]:
    """The two filters of BS.1770, designed for ``RATE`` from their analogue forms: a shelf and a high-pass."""
    shelf = _biquad(1681.974, 0.7071752, 3.999844, high=False)
    high = _biquad(38.13547, 0.5003270, 0.0, high=True)
    return np.stack([shelf, high])


def _biquad(hz: float, quality: float, gain_db: float, *, high: bool) -> NDArray[np.float64]:
    k = np.tan(np.pi * hz / RATE)
    if high:
        zeros = np.array([1.0, -2.0, 1.0])
    else:
        strong = 10 ** (gain_db / 20)
        middle = strong**0.4996667741545416
        zeros = np.array(
            [
                strong + middle * k / quality + k * k,
                2.0 * (k * k - strong),
                strong - middle * k / quality + k * k,
            ]
        )
    poles = np.array([1.0 + k / quality + k * k, 2.0 * (k * k - 1.0), 1.0 - k / quality + k * k])
    scale = poles[0]
    return np.concatenate([zeros if high else zeros / scale, poles / scale])


def fundamental(sound: Wave) -> float | None:
    """The pitch of a bass sample in Hz by pYIN, or None where most of it has none."""
    if len(sound) < round(0.08 * RATE):
        return None
    hz, voiced, probability = librosa.pyin(
        librosa.resample(sound, orig_sr=RATE, target_sr=11_025), fmin=30.0, fmax=400.0, sr=11_025, frame_length=1024
    )
    sure = voiced & (probability > 0.3)
    if np.count_nonzero(sure) < max(0.3 * len(hz), 3):
        return None
    return float(np.median(hz[sure]))
