"""The audio process without its process: the renderer, the server around it, and its manners."""

from __future__ import annotations

from collections.abc import Callable

import mido
import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import DeviceError
from hitloopd.core.kit import Kit, Slot
from hitloopd.core.notices import PortBack, PortLost, Warned
from hitloopd.core.pattern import Lane
from hitloopd.io import audio
from hitloopd.io.audio import AudioServer, run_audio
from hitloopd.io.audio_device import DeviceInfo, latency_problem
from hitloopd.io.audio_messages import (
    AskAudioHealth,
    AudioHealth,
    AudioReady,
    AudioSpec,
    MakeSound,
    MuteSlot,
    PlayerEvents,
    PlaySound,
    SentMidi,
    SetSlotChoke,
    SetSlotGain,
    Silence,
    SongStart,
    SoundReady,
    SoundRefused,
)
from hitloopd.io.audio_render import BlockRenderer
from hitloopd.io.kits import load_kit
from hitloopd.io.sampler import Sampler
from hitloopd.ports.midi import CALL_OFF
from tests.io.audio_helpers import BASS, HIHAT, KICK, KITS, RATE, SNARE, bank_of, note_on, ones

BLOCK = 128
S = 1_000_000_000


class FakeStream:
    """Asks for blocks when told to; its clock is exact."""

    def __init__(self, spec: AudioSpec, rate: int = RATE) -> None:
        self.info = DeviceInfo("fake", rate, BLOCK, 5.0)
        self.underflows = 0
        self.alive = True
        self.lets_go = True
        self.closed = False
        self.frame = 0

    def start(self, render: Callable, interrupted: Callable) -> None:
        self.render = render

    def close(self) -> bool:
        self.closed = True
        return self.lets_go

    def run(self, seconds: float) -> np.ndarray:
        out = []
        for _ in range(round(seconds * self.info.rate / BLOCK)):
            block = np.zeros((BLOCK, 2), dtype=np.float32)
            self.render(block, S + self.frame * S // self.info.rate)
            self.frame += BLOCK
            out.append(block)
        return np.concatenate(out)


class Stage:
    """A server on a fake stream, what it told, and its clock."""

    def __init__(self, **spec) -> None:
        self.told: list[object] = []
        self.now_ns = S
        self.streams: list[FakeStream] = []
        self.spec = AudioSpec(kit_dirs=(str(KITS),), block=BLOCK, **spec)
        self.server = AudioServer(self.spec, self.told.append, open_=self._open, clock=lambda: self.now_ns)

    def _open(self, spec: AudioSpec) -> FakeStream:
        self.streams.append(FakeStream(spec))
        return self.streams[-1]

    @property
    def stream(self) -> FakeStream:
        return self.streams[-1]

    def of(self, kind: type) -> list:
        return [m for m in self.told if isinstance(m, kind)]


@pytest.fixture(scope="module")
def made_before(tmp_path_factory) -> str:
    """Where built-in sounds are kept, as for anybody who starts the daemon a second time."""
    return str(tmp_path_factory.mktemp("sounds"))


@pytest.fixture
def stage(request, made_before):
    made = Stage(cache_dir=made_before, **getattr(request, "param", {}))
    made.server.open()
    yield made
    made.server.close()


def renderer(**sounds) -> BlockRenderer:
    bank = bank_of({Lane(name): sound for name, sound in sounds.items()} or {Lane.KICK: ones(200)})
    return BlockRenderer(Sampler(bank, BLOCK), RATE, BLOCK)


def blocks(made: BlockRenderer, count: int, start: int = 0) -> np.ndarray:
    out = np.zeros((count * BLOCK, 2), dtype=np.float32)
    for i in range(count):
        made.render(out[i * BLOCK : (i + 1) * BLOCK], S + (start + i) * BLOCK * S // RATE)
    return out


def test_sixteenths_sound_equally_spaced_and_at_their_time():
    made = renderer()
    first = S + 300_000_000
    for i in range(16):
        made.put(note_on(first + i * 120_000_000, KICK))
    out = blocks(made, 900)
    onsets = np.flatnonzero(np.diff(np.abs(out[:, 0]) > 0.01, prepend=False) & (np.abs(out[:, 0]) > 0.01))
    assert onsets.tolist() == [14_400 + 5760 * i for i in range(16)]
    assert (made.notes, made.late) == (16, 0)


def test_late_notes_start_at_once_and_are_counted():
    made = renderer()
    blocks(made, 100)
    made.put(note_on(S + 70 * BLOCK * S // RATE, KICK))
    out = blocks(made, 1, 100)
    assert out[0, 0] > 0
    assert made.late == 1
    assert made.late_max_ms == pytest.approx(30 * BLOCK / RATE * 1e3, rel=0.02)


def test_after_a_stall_the_notes_that_are_over_do_not_all_come_at_once():
    made = renderer()
    blocks(made, 1000)
    for block in range(900):
        made.put(note_on(S + block * BLOCK * S // RATE, KICK))
    assert not blocks(made, 1, 1000).any()
    assert (made.notes, made.late, made.dropped) == (0, 0, 900)


def test_a_block_longer_than_planned_is_rendered_in_pieces():
    made = renderer()
    made.put(note_on(S + 1000 * S // RATE, KICK))
    out = np.zeros((3000, 2), dtype=np.float32)
    made.render(out, S)
    assert np.flatnonzero(out[:, 0])[0] == 1000


def test_a_flood_is_dropped_and_counted():
    made = renderer()
    assert [made.put(note_on(S, KICK)) for _ in range(9000)].count(False) == 9000 - 8192
    assert made.dropped == 9000 - 8192
    assert np.abs(blocks(made, 20)).max() <= 0.97


@pytest.mark.parametrize(
    "data", [b"\xf8", b"\xfa", b"\x9f\x3c\x40", b"\xb0\x07\x40", b"\xc0\x01", b"\x90", b"\xe0\x00\x40"]
)
def test_other_midi_is_let_pass(data):
    made = renderer()
    made.put((S, 0, data))
    assert not blocks(made, 4).any()


def test_silence_ends_what_sounds_and_forgets_what_waits():
    made = renderer(kick=ones(20_000))
    made.put(note_on(S, KICK))
    made.put(note_on(S + 500_000_000, KICK))
    blocks(made, 10)
    made.put(Silence())
    assert not blocks(made, 300, 10)[BLOCK * 10 :].any()


def test_what_is_called_off_does_not_begin_and_what_sounds_rings_out():
    made = renderer(kick=ones(20_000))
    made.put(note_on(S, KICK))
    made.put(note_on(S + 20_000_000, KICK))
    blocks(made, 4)
    made.put((S + 10_000_000, 0, CALL_OFF))
    made.put(note_on(S + 900_000_000, KICK))
    out = blocks(made, 500, 4)
    assert made.notes == 2, "one before it was called off, one asked for after"
    assert out[: 4 * BLOCK].any(), "a hit rings out"
    later = round(0.85 * RATE) - 4 * BLOCK
    assert not out[round(0.45 * RATE) : later].any()
    assert out[later:].any()


def test_the_server_plays_a_kit_and_says_so(stage):
    assert stage.of(AudioReady) == [AudioReady("fake", RATE, BLOCK, 5.0, "house")]
    stage.server.handle(PlayerEvents((note_on(S + 200_000_000, KICK),)))
    stage.server.handle([note_on(S + 400_000_000, SNARE)])
    stage.server.handle(note_on(S + 600_000_000, HIHAT))
    out = np.abs(stage.stream.run(0.8)).max(axis=1)
    for at in (0.2, 0.4, 0.6):
        assert out[round((at - 0.001) * RATE)] < out[round(at * RATE) : round((at + 0.01) * RATE)].max()
    stage.server.handle(AskAudioHealth())
    (health,) = stage.of(AudioHealth)
    assert (health.notes, health.late, health.dropped, health.unplayed) == (3, 0, 0, 0)
    assert 0 < health.callback_p50_us <= health.callback_p99_us <= health.callback_max_us


def test_gain_and_mute_reach_the_sound(stage):
    peaks = []
    for message in (None, SetSlotGain(Lane.KICK, -12.0), MuteSlot(Lane.KICK, on=True)):
        if message:
            stage.server.handle(message)
        stage.server.handle(note_on(S + stage.stream.frame * S // RATE + 50_000_000, KICK))
        peaks.append(np.abs(stage.stream.run(1.0)).max())
    assert peaks[1] == pytest.approx(peaks[0] * 10 ** (-12 / 20), rel=0.03)
    assert peaks[2] == 0.0


def sound(name: str, number: int = 7) -> MakeSound:
    loaded = load_kit(name, [KITS])
    return MakeSound(number, loaded.kit, str(loaded.folder))


def finished(stage, *messages) -> None:
    """Let the loader do what it is told, to the end."""
    for message in messages:
        stage.server.handle(message)
    loader = stage.server._loader
    loader._jobs.put(None)
    loader._thread.join(60)
    loader.close()


def test_another_kit_takes_over_with_its_first_note_and_old_notes_ring_out(stage):
    stage.server.handle(note_on(S + 10_000_000, KICK))
    stage.stream.run(0.05)
    finished(stage, sound("dnb"))
    assert stage.of(SoundReady) == [SoundReady(7)]
    renderer = stage.server._renderer
    first = renderer.sampler
    stage.server.handle(note_on(S + 70_000_000, SNARE))
    stage.stream.run(0.03)
    assert renderer.sampler is first, "a sound that is ready waits for a note that is meant for it"
    stage.server.handle(note_on(S + 100_000_000, HIHAT, sound=7))
    out = stage.stream.run(0.2)
    assert renderer.sampler.bank.kit.name == "dnb"
    assert np.abs(out[: RATE // 20]).max() > 0.05


def test_a_sound_can_take_over_at_once(stage):
    finished(stage, sound("dnb"), PlaySound(7))
    stage.server.handle(PlaySound(7))
    stage.stream.run(0.01)
    assert stage.server._renderer.sampler.bank.kit.name == "dnb"


def test_a_broken_kit_is_refused_whole_and_changes_nothing(stage):
    kit = Kit("bad", {Lane.KICK: Slot("gone.wav"), Lane.SNARE: Slot("synth:dnb/snare"), Lane.HIHAT: Slot("lost.wav")})
    finished(stage, MakeSound(3, kit, "/nowhere"), sound("dnb", 4))
    stage.server.handle(PlaySound(3))
    stage.stream.run(0.01)
    assert stage.server._renderer.sampler.bank.kit.name == "house"
    (refused,) = stage.of(SoundRefused)
    assert refused.number == 3
    assert [problem.split(":")[0] for problem in refused.problems] == [
        "Kit 'bad', lane kick",
        "Kit 'bad', lane hihat",
    ]
    assert stage.of(SoundReady) == [SoundReady(4)], "and the next one is made"


def test_what_the_user_set_holds_for_kits_to_come_and_unset_is_each_kits_own(stage):
    for message in (SetSlotGain(Lane.KICK, -6.0), SetSlotChoke(Lane.KICK, "x"), MuteSlot(Lane.SNARE, on=True)):
        stage.server.handle(message)
    stage.stream.run(0.01)
    finished(stage, sound("dnb"), PlaySound(7))
    stage.server.handle(PlaySound(7))
    stage.stream.run(0.01)
    sampler = stage.server._renderer.sampler
    own = sampler.bank.kit.slots[Lane.KICK]
    assert (sampler._gain_db[KICK], sampler._choke[KICK], sampler._muted[SNARE]) == (-6.0, "x", True)
    stage.server.handle(SetSlotGain(Lane.KICK, None))
    stage.server.handle(SetSlotChoke(Lane.KICK, None))
    stage.stream.run(0.01)
    assert (sampler._gain_db[KICK], sampler._choke[KICK]) == (own.gain_db, own.choke)


def test_a_bass_note_outside_the_ready_ones_is_made(stage):
    finished(stage, note_on(S + 10_000_000, BASS, 100, 70))
    stage.stream.run(0.1)
    assert 70 in stage.server._renderer.sampler.bank.pitches
    assert stage.server._renderer.unplayed == [0] * 5


@pytest.mark.parametrize("stage", [{"kit": "nothing"}], indirect=True)
def test_without_a_kit_every_lane_says_once_that_it_is_silent(stage):
    for _ in range(3):
        stage.server.handle(note_on(S, KICK))
        stage.server.handle(note_on(S, BASS))
        stage.stream.run(0.01)
        stage.server.tend()
    texts = [w.text for w in stage.of(Warned)]
    assert len(texts) == 3
    assert "There is no kit 'nothing'" in texts[0]
    assert [t.split()[1] for t in texts[1:]] == ["kick", "bass"]


def test_an_unknown_message_is_told(stage):
    stage.server.handle(3.5)
    assert "float" in stage.of(Warned)[0].text


def test_a_device_that_goes_away_is_told_and_comes_back(stage, monkeypatch):
    monkeypatch.setattr(audio, "rescan", lambda: None)
    stage.stream.run(0.1)
    stage.stream.alive = False
    stage.server.tend()
    assert stage.streams[0].closed
    assert len(stage.of(PortLost)) == 1
    stage.server.handle(note_on(S, KICK))
    stage.server.tend()
    assert len(stage.streams) == 1
    stage.now_ns += 3 * S
    stage.server.tend()
    assert len(stage.of(PortBack)) == 1
    stage.server.tend()
    assert len(stage.streams) == 2


def test_a_device_that_comes_back_plays_what_is_due_then_and_nothing_of_the_time_between(stage, monkeypatch):
    monkeypatch.setattr(audio, "rescan", lambda: None)
    stage.server.handle(note_on(S + S // 10, BASS))  # sounds when the device goes; its end comes while it is away
    stage.stream.run(0.5)
    stage.server.handle(note_on(S + S * 6 // 10, KICK))
    stage.stream.alive = False
    stage.server.tend()
    for second in range(1, 60):
        stage.server.handle(note_on(S + second * S, SNARE))
    stage.now_ns += 60 * S
    stage.server.tend()
    begun = stage.server.health().notes
    stage.stream.frame = 60 * RATE  # by then
    stage.stream.run(0.05)
    stage.server.handle(note_on(61 * S + S // 10, KICK))
    heard = np.abs(stage.stream.run(0.5)[:, 0]) > 1e-3
    health = stage.server.health()
    assert (health.notes - begun, health.late, health.dropped) == (1, 0, 0)
    assert np.flatnonzero(heard)[0] == pytest.approx(RATE // 20, abs=BLOCK)
    assert health.voices <= 1


def test_a_driver_that_hangs_is_told_and_left_to_another_process(stage):
    stage.stream.run(0.1)
    stage.stream.alive = stage.stream.lets_go = False
    stage.server.tend()
    assert stage.server.stuck
    assert [w.text for w in stage.of(Warned)] == [audio.STUCK]
    stage.now_ns += 60 * S
    stage.server.tend()
    assert len(stage.streams) == 1, "the driver is not called again"


def test_a_device_that_was_not_there_at_first_is_found_later(made_before, monkeypatch):
    monkeypatch.setattr(audio, "rescan", lambda: None)
    stage = Stage(cache_dir=made_before)
    plugged = stage.server._open_stream

    def nothing(_: AudioSpec) -> FakeStream:
        raise DeviceError("There is no audio device")

    stage.server._open_stream = nothing
    stage.server.open()
    stage.now_ns += 60 * S
    stage.server.tend()
    assert not stage.of(AudioReady)
    stage.now_ns += 3 * S
    stage.server._open_stream = plugged
    stage.server.tend()
    assert not stage.of(AudioReady), "it is not looked for all the time"
    stage.now_ns += 11 * S
    stage.server.tend()
    assert len(stage.of(AudioReady)) == 1
    stage.server.handle(note_on(S, KICK))
    stage.stream.run(0.1)
    assert stage.server.health().notes == 1
    stage.server.close()


def test_without_a_device_and_capture_it_says_so_and_takes_everything():
    told: list[object] = []

    def nothing(_: AudioSpec) -> FakeStream:
        raise DeviceError("There is no audio device")

    server = AudioServer(AudioSpec(), told.append, open_=nothing)
    server.open()
    for message in (PlayerEvents((note_on(S, KICK),)), SongStart(0, S), sound("dnb"), Silence(), AskAudioHealth()):
        server.handle(message)
    server.tend()
    server.close()
    assert [type(m) for m in told] == [Warned, SoundReady, AudioHealth]


def test_captures_hold_the_song_from_its_start(tmp_path):
    stage = Stage(wav_path=str(tmp_path / "d.wav"), midi_path=str(tmp_path / "d.mid"))
    stage.server.open()
    stage.server.handle(SongStart(960, S + 250_000_000, 125.0))
    notes = [note_on(S + 250_000_000 + i * 120_000_000, HIHAT, 100, 60, 960 + 120 * i) for i in range(8)]
    stage.server.handle(PlayerEvents(tuple(notes)))
    stage.server.handle(SentMidi(((S + 300_000_000, 1000, b"\x95\x30\x40"),)))
    heard = stage.stream.run(1.5)
    stage.server.close()
    sound, rate = soundfile.read(tmp_path / "d.wav")
    assert rate == RATE
    np.testing.assert_allclose(sound, heard[12_000:], atol=1e-6)
    file = mido.MidiFile(tmp_path / "d.mid")
    assert [(m.channel, m.note) for m in file.tracks[0] if m.type == "note_on"].count((9, 42)) == 8
    assert [(m.channel, m.note) for m in file.tracks[0] if m.type == "note_on"].count((5, 48)) == 1


def test_a_device_slower_than_planned_is_told():
    spec = AudioSpec(latency_ms=15.0)
    assert latency_problem(DeviceInfo("x", RATE, BLOCK, 15.5), spec) == ""
    assert "offset_ms: -30" in latency_problem(DeviceInfo("x", RATE, BLOCK, 45.0), spec)


def test_a_slow_device_says_first_that_it_sounds():
    stage = Stage(latency_ms=1.0)
    stage.server.open()
    stage.server.close()
    assert [type(m) for m in stage.told] == [AudioReady, Warned], "whoever hears a warning alone takes it for no sound"


def test_lead_covers_two_blocks_and_the_latency():
    assert AudioSpec(block=480, latency_ms=10.0).lead_ns == 20_000_000 + 10_000_000 + 3_000_000


def test_run_audio_renders_a_capture_and_ends_when_told(tmp_path):
    path = tmp_path / "r.wav"
    spec = AudioSpec(kit_dirs=(str(KITS),), backend="none", wav_path=str(path), kit="trap")
    told: list[object] = []
    asked: list[float] = []

    def receive(timeout_s: float) -> list[object]:
        asked.append(timeout_s)
        return [AskAudioHealth(), note_on(0, KICK)]

    run_audio(spec, receive, told.append, lambda: len(asked) > 2, own_process=False)
    assert any(isinstance(m, AudioReady) for m in told)
    assert sum(isinstance(m, AudioHealth) for m in told) == 3
