"""The capture files: whole at every moment, silent about nothing, in nobody's way."""

from __future__ import annotations

import errno
import io
import shutil
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from hitloopd.core.notices import Warned
from hitloopd.io import capture_midi, capture_wav
from hitloopd.io.capture_midi import MidiCapture, variable_length
from hitloopd.io.capture_wav import WavCapture
from tests.io.audio_helpers import RATE, note_off, note_on

S = 1_000_000_000


class Spy(io.FileIO):
    """A file that is copied after every single write, as if the program had been killed there."""

    copies: list[Path]

    def write(self, data) -> int:
        done = super().write(data)
        copy = Path(f"{self.name}.{len(self.copies)}")
        shutil.copy(self.name, copy)
        self.copies.append(copy)
        return done


@pytest.fixture
def spied(monkeypatch):
    """The copies made while a capture writes."""
    copies: list[Path] = []

    def opened(path: Path, mode: str = "r", buffering: int = -1, *rest: object, **more: object):
        if buffering:
            return io.open(path, mode, buffering, *rest, **more)  # noqa: UP020 - Path.open is what is replaced
        spy = Spy(path, mode.replace("b", ""))
        spy.copies = copies
        return spy

    for module in (capture_midi, capture_wav):
        monkeypatch.setattr(module.Path, "open", opened)
    return copies


def ramp(frames: int) -> np.ndarray:
    return np.stack([np.linspace(-0.5, 0.5, frames), np.linspace(0.9, -0.9, frames)], 1).astype(np.float32)


@pytest.mark.parametrize(("bits", "step"), [(16, 2**-15), (24, 2**-23)])
def test_wav_holds_what_was_heard(tmp_path, bits, step):
    told: list[Warned] = []
    wav = WavCapture(tmp_path / "new" / "a.wav", RATE, bits=bits, tell=told.append)
    sound = ramp(10_000)
    for at in range(0, len(sound), 128):
        wav.feed(sound[at : at + 128])
        if at % 1280 == 0:
            wav.pump()
    wav.close()
    read, rate = soundfile.read(tmp_path / "new" / "a.wav", dtype="float64")
    assert rate == RATE
    assert soundfile.info(tmp_path / "new" / "a.wav").subtype == f"PCM_{bits}"
    np.testing.assert_allclose(read, sound, atol=1.6 * step)
    assert not told


def test_wav_can_be_played_after_every_single_write(tmp_path, spied):
    wav = WavCapture(tmp_path / "a.wav", RATE, tell=lambda _: None)
    sound = ramp(3000)
    for at in range(0, 3000, 100):
        wav.feed(sound[at : at + 100])
        wav.pump()
    wav.close()
    lengths = [len(soundfile.read(copy)[0]) for copy in spied]
    assert len(lengths) > 60
    assert lengths == sorted(lengths)
    assert lengths[-1] == 3000
    np.testing.assert_allclose(soundfile.read(spied[-7])[0], sound[: lengths[-7]], atol=1e-6)


def test_wav_with_a_full_ring_counts_and_does_not_block(tmp_path):
    wav = WavCapture(tmp_path / "a.wav", 1000, tell=lambda _: None)
    for _ in range(100):
        wav.feed(ramp(128))
    assert wav.dropped_frames == 100 * 128 - 46 * 128
    wav.close()
    assert soundfile.info(tmp_path / "a.wav").frames == 46 * 128


@pytest.mark.parametrize(
    "make",
    [
        lambda path, tell: WavCapture(path, RATE, tell=tell),
        lambda path, tell: MidiCapture(path, tell=tell),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_once_and_nothing_is_raised(tmp_path, make):
    (tmp_path / "file").write_text("in the way")
    told: list[Warned] = []
    capture = make(tmp_path / "file" / "x", told.append)
    for _ in range(5):
        if isinstance(capture, WavCapture):
            capture.feed(ramp(128))
            capture.pump()
        else:
            capture.take([note_on(0, 9)])
            capture.pump(10 * S)
    capture.close()
    assert len(told) == 1
    assert str(tmp_path / "file" / "x") in told[0].text
    assert "Not a directory" in told[0].text or "exists" in told[0].text
    assert (capture.dropped_frames if isinstance(capture, WavCapture) else capture.dropped) > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_once():
    told: list[Warned] = []
    wav = WavCapture(Path("/dev/full"), RATE, tell=told.append)
    midi = MidiCapture(Path("/dev/full"), tell=told.append)
    for number in range(3):
        wav.feed(ramp(128))
        wav.pump()
        midi.take([note_on(number, 9)])
        midi.pump(S)
    wav.close()
    midi.close()
    assert [w.code for w in told] == ["capture", "capture"]
    assert all("No space left" in w.text for w in told)


def test_a_disk_that_is_full_at_the_end_leaves_the_streamed_file_and_nothing_beside_it(tmp_path, monkeypatch):
    told: list[Warned] = []
    midi = MidiCapture(tmp_path / "a.mid", tell=told.append)
    song(midi, pump=True)

    def no_space(path: Path, _data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    midi.pump(1 << 62)
    streamed = (tmp_path / "a.mid").read_bytes()
    midi.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]
    assert (tmp_path / "a.mid").read_bytes() == streamed
    assert sum(message.type == "note_on" for message in mido.MidiFile(tmp_path / "a.mid").tracks[0]) >= 64


def song(capture: MidiCapture, *, pump: bool) -> None:
    """Two bars from tick 5000 on, tempo change in between, handed over out of order."""
    capture.start(5000, 125.0, 0)
    for i in range(32):
        tick, at_ns = 5000 + 120 * i, i * S // 8
        if i == 16:
            capture.tempo(tick, 140.0, at_ns)
        off, on = note_off(at_ns, 9, 42, tick), note_on(at_ns, 9, 100, 42, tick)
        early = note_on(at_ns - 1000, 0, 90, 36, tick - 10 if i else tick)
        capture.take([on, off, early, note_off(at_ns, 0, 36, tick + 5)])
        if pump:
            capture.pump(at_ns)
            capture.pump(at_ns)


def absolute(path) -> list[tuple[int, str]]:
    out, tick = [], 0
    for message in mido.MidiFile(path).tracks[0]:
        tick += message.time
        if message.type != "text":
            out.append((tick, str(message.copy(time=0))))
    return out


def test_midi_file_has_ticks_from_the_songs_start_and_the_tempo_map(tmp_path):
    capture = MidiCapture(tmp_path / "a.mid", tell=lambda _: None)
    song(capture, pump=True)
    capture.close()
    file = mido.MidiFile(tmp_path / "a.mid")
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (0, 480, 1)
    rows = absolute(tmp_path / "a.mid")
    assert [tick for tick, text in rows if "set_tempo" in text] == [0, 16 * 120]
    hats = [tick for tick, text in rows if text.startswith("note_on channel=9")]
    assert hats == [120 * i for i in range(32)]
    basses = [tick for tick, text in rows if text.startswith("note_on channel=0")]
    assert basses == [0, *(120 * i - 10 for i in range(1, 32))]
    third = [text.split()[0] for tick, text in rows if tick == 240 and "channel=9" in text]
    assert third == ["note_off", "note_on"]
    assert not any(m.type == "text" for m in file.tracks[0])


def test_midi_file_can_be_read_after_every_single_write(tmp_path, spied):
    capture = MidiCapture(tmp_path / "a.mid", tell=lambda _: None)
    song(capture, pump=True)
    capture.pump(1 << 62)
    counts = []
    for copy in spied:
        rows = absolute(copy)
        counts.append(sum("note_on" in text for _, text in rows))
        assert rows[-1][1].startswith("MetaMessage('end_of_track'")
    assert len(counts) > 60
    assert counts == sorted(counts)
    assert counts[-1] == 64
    streamed = absolute(spied[len(counts) - 1])
    capture.close()
    assert absolute(tmp_path / "a.mid") == streamed


def test_without_a_song_start_the_first_event_is_the_origin(tmp_path):
    capture = MidiCapture(tmp_path / "a.mid", tell=lambda _: None)
    capture.take([(0, 7777, b"\xf8"), note_on(0, 9, 100, 42, 8000), note_off(0, 9, 42, 8100)])
    capture.close()
    assert [tick for tick, text in absolute(tmp_path / "a.mid") if text.startswith("note_")] == [0, 100]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 8192, 16383, 2097151, 0x0FFFFFFF])
def test_variable_length_is_what_mido_writes(value):
    assert list(variable_length(value)) == mido.midifiles.meta.encode_variable_int(value)
