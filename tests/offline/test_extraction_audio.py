"""Any file in, mono at one rate out, in pieces; what can't be used is told in one line."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import DeviceError
from offline.audio import RATE, blocks, open_recording, read_sound, read_spans, stretches
from tests.offline.extraction_sounds import noise


def _tone(rate: int, channels: int, length_s: float = 1.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * length_s)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "channels", "suffix"),
    [(44_100, 1, "wav"), (48_000, 2, "flac"), (22_050, 6, "ogg"), (96_000, 1, "wav"), (44_100, 2, "mp3")],
)
def test_rates_channels_and_formats(tmp_path, rate, channels, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, _tone(rate, channels), rate)
    sound = np.concatenate(list(blocks(open_recording(path))))
    assert len(sound) == pytest.approx(RATE, rel=0.06)  # MP3 pads
    spectrum = np.abs(np.fft.rfft(sound[: RATE // 2] * np.hanning(RATE // 2)))
    assert spectrum.argmax() * 2 == pytest.approx(440, abs=3)
    assert np.abs(sound[5000:-5000]).max() == pytest.approx(0.5, rel=0.1)


def test_stretches_cover_everything_once_and_overlap(tmp_path):
    path = tmp_path / "a.wav"
    whole = noise(9.0, 0.1)
    soundfile.write(path, whole, RATE, subtype="FLOAT")
    seen = list(stretches(open_recording(path), 100_000, 20_000))
    for start, sound, _ in seen:
        assert np.array_equal(sound, whole[start : start + len(sound)])
    assert [last for *_, last in seen] == [False] * (len(seen) - 1) + [True]
    assert [start for start, *_ in seen] == [80_000 * n for n in range(len(seen))]
    assert seen[-1][0] + len(seen[-1][1]) == len(whole)


def test_spans_are_read_in_one_pass_with_silence_outside(tmp_path):
    path = tmp_path / "a.wav"
    whole = noise(8.0, 0.1)
    soundfile.write(path, whole, RATE, subtype="FLOAT")
    spans = [(300_000, 5000), (-100, 300), (120_000, 200_000), (len(whole) - 50, 100)]
    found = read_spans(open_recording(path), spans)
    padded = np.pad(whole, (100, 100))
    for (first, length), sound in zip(spans, found, strict=True):
        assert np.array_equal(sound, padded[first + 100 : first + 100 + length])


def test_not_numbers_and_clipping_are_told(tmp_path):
    path = tmp_path / "a.wav"
    wave = noise(1.0, 0.1)
    wave[100:200] = np.nan
    wave[5000:9000] = 1.0
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    recording = open_recording(path)
    assert np.isfinite(np.concatenate(list(blocks(recording)))).all()
    first, second = recording.health.warnings()
    assert "100 values are not numbers" in first
    assert "clipped" in second


@pytest.mark.parametrize(
    ("content", "words"), [(b"just a text", "no sound file"), (b"", "no sound file"), (None, "no such file")]
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError, match=words) as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)


def test_too_short_and_silent_are_refused(tmp_path):
    soundfile.write(tmp_path / "short.wav", noise(0.1), RATE)
    with pytest.raises(DeviceError, match="too short"):
        open_recording(tmp_path / "short.wav")
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(DeviceError, match="silent"):
        read_sound(tmp_path / "silent.wav")
