"""Banks made in a process of their own: the same ones, and nothing that goes wrong there goes wrong here."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest

from hitloopd.core.errors import ConfigError, DeviceError
from hitloopd.core.kit import Kit, Slot
from hitloopd.core.pattern import Lane
from hitloopd.io import bank_server
from hitloopd.io.bank_maker import BankMaker, Head, Request, put, take
from hitloopd.io.kit_sounds import bass_pitches, build_bank
from hitloopd.io.kits import load_kit
from hitloopd.io.samples import FileSounds
from hitloopd.io.synth.cache import SoundCache
from tests.io.audio_helpers import RATE
from tests.kits import write_pack


def request_for(folder, **changes) -> Request:
    kit = replace(load_kit(str(folder), []).kit, samples={})
    return replace(Request(kit, str(folder), RATE, tuple(bass_pitches(36)), "", whole=True), **changes)


def served(*requests: Request) -> list:
    """What the process would answer, without one."""
    asked, answers = io.BytesIO(), io.BytesIO()
    for request in requests:
        put(asked, request)
    asked.seek(0)
    bank_server.serve(asked, answers)
    answers.seek(0)
    found = []
    while (head := take(answers)) is not None:
        data = np.frombuffer(answers.read(4 * head.frames), np.float32) if head.frames else None
        found.append((head, data))
    return found


@pytest.fixture
def maker():
    made = BankMaker()
    yield made
    made.close()


def test_the_bank_is_the_one_that_would_be_made_here(tmp_path, maker):
    folder = write_pack(tmp_path / "tram")
    wanted = request_for(folder)
    here = build_bank(wanted.kit, folder, RATE, wanted.pitches, SoundCache(None)).bank
    there = maker.make(wanted).bank
    np.testing.assert_array_equal(there.data, here.data)
    np.testing.assert_array_equal(there.starts, here.starts)
    np.testing.assert_array_equal(there.lengths, here.lengths)
    assert there.data.flags.writeable
    assert there.kit == wanted.kit
    (folder / "snare-1.wav").write_bytes(b"RIFFjunk")
    with pytest.raises(ConfigError, match=r"lane snare: .*snare-1\.wav can't be read"):
        maker.make(wanted)
    maker._process.kill()
    maker._process.wait()
    assert maker.make(request_for(folder, whole=False)).bank.has(0), "another process takes over"


def test_a_process_that_dies_is_a_device_error(tmp_path, maker):
    folder = write_pack(tmp_path / "tram")
    process = maker._started()
    process.kill()
    process.wait()
    with pytest.raises(DeviceError, match="before its time"):
        maker._ask_or_close(process, request_for(folder))
    assert not maker.running


def test_whole_or_not_at_all(tmp_path):
    folder = write_pack(tmp_path / "tram")
    good = request_for(folder)
    (folder / "kick-1.wav").unlink()
    (folder / "bass-1.wav").write_bytes(b"")
    (whole, _), (part, data) = served(good, replace(good, whole=False))
    assert [problem.split(":")[0] for problem in whole.refused] == ["Kit 'tram', lane kick", "Kit 'tram', lane bass"]
    assert part.refused == ()
    assert len(part.problems) == 2
    assert part.starts[0, 60] == -1
    assert part.starts[1, 60] > 0
    assert np.abs(data).max() > 0


def test_a_sample_of_hours_is_read_no_farther_than_it_is_heard(tmp_path):
    folder = write_pack(tmp_path / "tram", {"kick": (100.0,)}, seconds=50.0)
    ((head, _),) = served(request_for(folder))
    assert head.lengths[0, 60] == 12 * RATE


def test_a_swap_of_one_lane_reads_one_file(tmp_path, monkeypatch):
    folder = write_pack(tmp_path / "tram", {"kick": (100.0, 120.0), "snare": (300.0,)})
    first = request_for(folder)
    second = replace(first, kit=replace(first.kit, slots={**first.kit.slots, Lane.KICK: Slot("kick-2.wav")}))
    read = []
    monkeypatch.setattr("hitloopd.io.samples.read_sample", lambda path: read.append(path.name) or (np.ones(500), RATE))
    served(first, second, first)
    assert read == ["kick-1.wav", "snare-1.wav", "kick-2.wav"]


def test_a_file_that_changed_is_read_again_and_memory_is_bounded(tmp_path):
    folder = write_pack(tmp_path / "tram", {"kick": (100.0,)})
    files = FileSounds(room=1_000_000)
    before = files.made(folder / "kick-1.wav", RATE, 0.0)
    shutil.copy(write_pack(tmp_path / "other", {"kick": (200.0,)}, seconds=0.5) / "kick-1.wav", folder / "kick-1.wav")
    assert len(files.made(folder / "kick-1.wav", RATE, 0.0)) > len(before)
    for semitones in range(24):
        files.made(folder / "kick-1.wav", RATE, float(-semitones))
        assert sum(sound.nbytes for sound in files._made.values()) <= 1_000_000


def test_a_pitched_bass_is_tuned_and_an_unpitched_one_is_left_alone(tmp_path):
    (pitched, data), (flat, _) = served(
        request_for(write_pack(tmp_path / "a", {"bass": (110.0,)}, seconds=1.0)),
        request_for(write_pack(tmp_path / "b", {"bass": (110.0,)}, seconds=1.0, fundamental_hz=None)),
    )
    for pitch in (36, 45, 51):
        start, length = pitched.starts[4, pitch], pitched.lengths[4, pitch]
        spectrum = np.abs(np.fft.rfft(data[start : start + length] * np.hanning(length), 1 << 19))
        hz = float(np.argmax(spectrum)) * RATE / (1 << 19)
        assert 12 * np.log2(hz / 440) + 69 == pytest.approx(pitch, abs=0.1)
    assert len({int(n) for n in pitched.lengths[4, 36:52]}) == 16
    assert len({int(n) for n in flat.lengths[4, 36:52]}) == 1


def test_a_users_own_bass_is_listened_to(tmp_path):
    folder = write_pack(tmp_path / "tram", {"bass": (110.0,)}, seconds=1.0)
    request = request_for(folder)
    own = replace(request, kit=Kit("own", {Lane.BASS: Slot("bass-1.wav")}))
    (packed, _), (heard, _) = served(request, own)
    np.testing.assert_allclose(packed.lengths[4], heard.lengths[4], atol=200)


def test_what_no_reader_foresaw_is_told_and_the_next_is_served(tmp_path, monkeypatch):
    folder = write_pack(tmp_path / "tram", {"kick": (100.0,)})
    good = request_for(folder)
    real = bank_server.build_bank
    monkeypatch.setattr(
        bank_server,
        "build_bank",
        lambda *a, **k: (_ for _ in ()).throw(ValueError("odd")) if k["whole"] else real(*a, **k),
    )
    (odd, _), (fine, _) = served(good, replace(good, whole=False))
    assert odd == Head(refused=("Kit 'tram': odd",))
    assert fine.frames > 0
