"""Byte streams and the messages they mean; every line of the table is one rule."""

from __future__ import annotations

import random

import pytest

from hitloopd.io.midi_bytes import LENGTHS, Parser, is_message, is_realtime, normal


def parse(text: str, **options) -> tuple[list[str], int]:
    parser = Parser(**options)
    return [message.hex(" ") for message in parser.feed(bytes.fromhex(text))], parser.bad


STREAMS = {
    "a note": ("90 24 64", ["90 24 64"], 0),
    "two-byte and one-byte messages": ("c3 05 d0 10 f6 f3 01", ["c3 05", "d0 10", "f6", "f3 01"], 0),
    "song position": ("f2 10 02", ["f2 10 02"], 0),
    "rule 11: running status": ("99 24 64 26 50 24 40", ["99 24 64", "99 26 50", "99 24 40"], 0),
    "rule 11: running status of one data byte": ("c1 05 06", ["c1 05", "c1 06"], 0),
    "rule 11: not cancelled by real-time": ("99 24 64 f8 26 50", ["99 24 64", "f8", "99 26 50"], 0),
    "rule 11: cancelled by F6": ("99 24 64 f6 26 50", ["99 24 64", "f6"], 2),
    "rule 11: cancelled by SysEx": ("99 24 64 f0 01 f7 26 50", ["99 24 64", "f0 01 f7"], 2),
    "rule 11: cancelled by song position": ("99 24 64 f2 00 00 01 02", ["99 24 64", "f2 00 00"], 2),
    "rule 11: cancelled by undefined F4": ("99 24 64 f4 26 50", ["99 24 64"], 3),
    "rule 11: velocity 0 is note-off": ("92 24 00 24 01", ["82 24 40", "92 24 01"], 0),
    "rule 10: clock between the data bytes of a note": ("90 f8 24 f8 64", ["f8", "f8", "90 24 64"], 0),
    "rule 10: clock and start inside SysEx": ("f0 7e f8 01 fa f7", ["f8", "fa", "f0 7e 01 f7"], 0),
    "undefined real-time bytes": ("90 f9 24 fd 64", ["90 24 64"], 2),
    "unfinished note": ("90 24 80 24 40", ["80 24 40"], 1),
    "unfinished SysEx": ("f0 01 02 90 24 64", ["90 24 64"], 1),
    "data without status, F7 without F0": ("01 02 f7 90 24 64", ["90 24 64"], 3),
    "sensing and reset": ("fe ff", ["fe", "ff"], 0),
    "empty SysEx": ("f0 f7", ["f0 f7"], 0),
}  # fmt: skip


@pytest.mark.parametrize(("stream", "messages", "bad"), STREAMS.values(), ids=STREAMS.keys())
def test_rules_10_and_11(stream, messages, bad):
    assert parse(stream) == (messages, bad)


def test_sysex_is_bounded_and_what_follows_is_read():
    assert parse("f0 01 02 03 04 f7", max_sysex=6) == (["f0 01 02 03 04 f7"], 0)
    parser = Parser(max_sysex=6)
    assert parser.feed(bytes.fromhex("f0 01 02 03 04 05") + bytes(1000)) == []
    assert parser.pending == 0
    assert parser.feed(bytes.fromhex("f8 f7 90 24 64")) == [b"\xf8", b"\x90\x24\x64"]
    assert parser.bad == 1


def test_what_a_message_is():
    for status, length in LENGTHS.items():
        assert is_message(bytes((status, *[0] * length)))
        assert not is_message(bytes((status, *[0] * (length + 1))))
    for bad in ("", "00", "90 24", "90 24 80", "f0", "f0 01", "f0 80 f7", "f4", "f5", "f7", "f9", "fd"):
        assert not is_message(bytes.fromhex(bad))
    assert is_realtime(b"\xf8")
    assert not is_realtime(b"\xf2\0\0")
    assert normal(b"\x90\x24\x00") == b"\x80\x24\x40"


def random_stream(rng: random.Random, size: int) -> bytes:
    """Half garbage, half pieces of real messages, so that every state is met."""
    out = bytearray()
    while len(out) < size:
        kind = rng.random()
        if kind < 0.3:
            out += rng.randbytes(rng.randrange(1, 6))
        elif kind < 0.4:
            out += bytes((0xF0, *(rng.randrange(128) for _ in range(rng.randrange(80))), *([0xF7] * rng.randrange(2))))
        else:
            status = rng.choice(list(LENGTHS))
            whole = bytes((status, *(rng.randrange(128) for _ in range(LENGTHS[status]))))
            out += whole[: rng.randrange(1, len(whole) + 1)]
    return bytes(out)


def test_fuzz_100_000_chunks_never_raise_grow_or_emit_half_a_message(request):
    rng = random.Random(request.config.getoption("randomly_seed", None) or 1)
    stream = random_stream(rng, 400_000)
    parser = Parser(max_sysex=64)
    whole = Parser(max_sysex=64).feed(stream)
    emitted: list[bytes] = []
    place = chunks = 0
    while place < len(stream):
        size = rng.randrange(1, 8)
        emitted += parser.feed(stream[place : place + size])
        assert parser.pending <= 64
        place += size
        chunks += 1
    assert chunks >= 90_000
    assert emitted == whole
    assert all(map(is_message, emitted))
    assert all(normal(message) == message for message in set(emitted))
    assert parser.bad > 1000
    assert sum(map(len, emitted)) > len(stream) / 4
    clocks = sum(byte == 0xF8 for byte in stream)
    assert sum(message == b"\xf8" for message in emitted) == clocks


def test_fuzz_100_000_short_streams_each_from_scratch(request):
    rng = random.Random(request.config.getoption("randomly_seed", None) or 1)
    for _ in range(100_000):
        size = rng.randrange(1, 9)
        data = rng.randbytes(size)
        parser = Parser(max_sysex=16)
        for message in parser.feed(data):
            assert is_message(message), data.hex(" ")
        assert parser.pending <= size
