"""Songs on other drums: right sounds at the right time and level, and the old drums gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import ArgumentError
from offline.audio import RATE
from offline.extraction.classes import Reference
from offline.transcription.judging.unseen import Kit, kits, play, resounded
from tests.offline.songbook import KICK, SNARE, hit, tempo, track, write

KINDS = ("kick", "snare", "rim", "clap", "closed_hat", "open_hat", "cymbal", "tom", "perc")


def reference(kit: str, kind: str, name: str, level: float = 0.5, lead: int = 0) -> Reference:
    sound = np.concatenate([np.zeros(lead), np.full(RATE // 10, level)]).astype(np.float32)
    return Reference(f"{kind}/{kit}_{name}.flac", kind, Path(name), sound)


def whole_kit(kit: str, level: float = 0.5) -> list[Reference]:
    return [reference(kit, kind, kind, level) for kind in KINDS]


def drums(path: Path, *notes) -> Path:
    return write(path, track(notes, extra=[tempo(120)], until=4))


def test_sounds_are_chosen_by_class_and_then_by_name() -> None:
    sounds = [*whole_kit("a"), reference("a", "kick", "kick-alt", 0.25)]
    (kit,) = kits(sounds, ["a"])
    assert float(kit.sounds[35].max()) == pytest.approx(0.25)
    assert float(kit.sounds[36].max()) == pytest.approx(0.5)
    assert kit.borrowed == ()


def test_what_a_kit_lacks_is_borrowed_and_told() -> None:
    few = [item for item in whole_kit("a") if item.kind != "clap"]
    kit, other = kits([*few, *whole_kit("b", 0.3)], ["a", "b"])
    assert kit.borrowed == ("clap b_clap",)
    assert float(kit.sounds[39].max()) == pytest.approx(0.3)
    assert other.borrowed == ()


def test_a_kit_without_balance_gets_that_of_the_other() -> None:
    balanced = [reference("b", kind, kind, 0.1 if kind == "closed_hat" else 0.6) for kind in KINDS]
    kit, _ = kits([*whole_kit("a", 1.0), *balanced], ["a", "b"])
    assert float(kit.sounds[42].max()) == pytest.approx(0.1, rel=1e-3)
    assert float(kit.sounds[36].max()) == pytest.approx(0.6, rel=1e-3)


def test_a_kit_that_is_not_there_is_told() -> None:
    with pytest.raises(ArgumentError, match="no one-shots of the kit 'c'"):
        kits(whole_kit("a"), ["c"])


def test_notes_sound_when_they_are_written_and_as_loud(tmp_path) -> None:
    (kit,) = kits([*whole_kit("a"), reference("a", "kick", "akick", lead=500)], ["a"])
    sound = play(drums(tmp_path / "d.mid", hit(1, KICK, 127), hit(2, SNARE, 64)), kit, 2 * RATE)
    assert int(np.flatnonzero(sound)[0]) == RATE // 2
    assert float(sound[RATE // 2 + 10]) == pytest.approx(0.5)
    assert float(sound[RATE + 10]) == pytest.approx(0.5 * (64 / 127) ** 2, rel=1e-3)


def test_a_closed_hihat_stops_the_open_one(tmp_path) -> None:
    long, short = np.ones(RATE, np.float32), np.full(10, 0.5, np.float32)
    kit = Kit("a", {46: long, 42: short, KICK: short}, ())
    stopped = play(drums(tmp_path / "a.mid", hit(0, 46, 127), hit(1, 42, 127)), kit, 2 * RATE)
    rings = play(drums(tmp_path / "b.mid", hit(0, 46, 127), hit(1, KICK, 127)), kit, 2 * RATE)
    assert not stopped[RATE // 2 + 1000 :].any()
    assert rings[RATE // 2 + 1000] == pytest.approx(1.0)


def test_the_new_drums_take_the_place_of_the_old_ones_at_their_loudness(tmp_path) -> None:
    frames = 2 * RATE
    old = np.zeros(frames, np.float32)
    old[1000:9000] = 0.4
    rest = 0.1 * np.sin(np.arange(frames) / 20).astype(np.float32)
    for name, sound in (("drums", old), ("mix", old + rest)):
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    (kit,) = kits(whole_kit("a"), ["a"])
    midi = drums(tmp_path / "d.mid", hit(1, KICK, 127))
    mix, new = resounded(tmp_path / "mix.wav", tmp_path / "drums.wav", midi, kit)
    assert float(np.mean(new**2)) == pytest.approx(float(np.mean(old**2)), rel=1e-4)
    np.testing.assert_allclose(mix - new, rest, atol=1e-6)
