"""Broken files: refused with a reason, never a traceback, never a hang."""

from __future__ import annotations

import random
import struct
import time

import mido
import pytest

from hitloopd.core.errors import RangeError
from offline.catalogue import source_of
from offline.dataset.build import Found, cut_all
from offline.dataset.encoder import cut_file
from offline.dataset.midi import MAX_BYTES, read_midi
from tests.offline.songbook import beat_song, hit, meter, track, write


def midi(division: int, *events: bytes) -> bytes:
    body = b"".join(events) + b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(body)) + body


NOTE = b"\x00\x99\x24\x64\x78\x89\x24\x00"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"not a song at all", "not readable as MIDI"),
        (b"MThd", "not readable as MIDI"),
        (midi(480, NOTE)[:-9], "not readable as MIDI"),
        (midi(0, NOTE), "time base 0"),
        (midi(0xE728, NOTE), "ticks per beat"),
        (midi(480), "no note"),
        (midi(480, b"\x00\x99\x24\x64\x00\x89\x24\x00"), "no time passes"),
        (midi(1, b"\xff\xff\xff\x7f\x99\x24\x64\x00\x89\x24\x00"), "beats, at most"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(tmp_path, data, reason):
    path = tmp_path / "broken.mid"
    path.write_bytes(data)
    with pytest.raises(RangeError, match=reason):
        cut_file(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.mid"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(RangeError, match="huge"):
        cut_file(path)


def test_a_meter_of_impossibly_short_beats_is_no_meter(tmp_path):
    path = tmp_path / "short.mid"
    path.write_bytes(midi(480, b"\x00\xff\x58\x04\x04\xff\x18\x08", NOTE, b"\x8e\x50\x99\x24\x64\x10\x89\x24\x00"))
    assert [bar.index for bar in cut_file(path).bars] == [0]


def test_a_tempo_of_zero_is_no_tempo(tmp_path):
    path = tmp_path / "still.mid"
    path.write_bytes(midi(480, b"\x00\xff\x51\x03\x00\x00\x00", NOTE, b"\x8f\x00\x99\x24\x64\x10\x89\x24\x00"))
    assert read_midi(path).bpm_at(0) == 120


def test_a_note_that_is_never_ended_lasts_a_beat(tmp_path):
    lost = track([hit(0)], until=8)
    lost.insert(0, mido.Message("note_on", channel=9, note=38, velocity=90, time=0))
    notes = read_midi(write(tmp_path / "lost.mid", lost)).notes
    assert [(note.start, note.end) for note in notes if note.pitch == 38] == [(0, 480)]


def test_a_note_struck_again_before_it_ended_is_two(tmp_path):
    twice = write(tmp_path / "twice.mid", track([hit(0, length=2), hit(1, length=2)], until=4))
    assert [(note.start, note.end) for note in read_midi(twice).notes] == [(0, 960), (480, 1440)]


def test_nothing_that_a_broken_disk_can_do_to_a_file_is_more_than_a_reason(tmp_path):
    whole = beat_song(tmp_path / "whole.mid", bars=3).read_bytes()
    draw = random.Random(7)
    path = tmp_path / "torn.mid"
    began = time.monotonic()
    outcomes, reasons = set(), set()
    for _ in range(250):
        torn = bytearray(whole[: draw.choice((len(whole), draw.randrange(len(whole))))])
        for _ in range(draw.choice((0, 1, 3, 20))):
            if torn:
                torn[draw.randrange(len(torn))] = draw.choice((0, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        path.write_bytes(torn)
        try:
            outcomes.add(bool(cut_file(path).bars))
        except RangeError as error:
            outcomes.add("refused")
            reasons.add(str(error))
    assert outcomes == {True, False, "refused"}, "the tearing reaches all three ends"
    assert not [reason for reason in reasons if "\n" in reason or len(reason) > 200]
    assert time.monotonic() - began < 60


def test_odd_meters_leave_a_file_without_bars(tmp_path):
    waltz = write(tmp_path / "waltz.mid", track([hit(0), hit(3)], until=9, extra=[meter(3, 4)]))
    found = [Found(waltz, "waltz.mid", source_of(waltz))]
    assert cut_all(found, tmp_path / "pieces", quiet=True) == (
        [],
        [("waltz.mid", "no whole 4/4 bar with drums in it")],
    )
