"""A hundred thousand packets that nobody should send: no exception, every one counted, nothing kept."""

from __future__ import annotations

import contextlib
import random
import struct
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.control.clients import MAX_CLIENTS, Address
from hitloopd.control.framing import FramingError, LengthPrefix, Slip
from hitloopd.control.lookup import ENDPOINTS
from hitloopd.control.match import PatternError, compile_part, part_matches
from hitloopd.control.midi_decode import MidiDecoder
from hitloopd.control.osc_codec import Fault, Message, decode, encode, encode_bundle
from hitloopd.control.schedule import DEFAULT_CAPACITY
from hitloopd.testing.fake_desk import FakeDesk
from tests.control.rig import Rig, tag_at

PACKETS = 100_000
PATHS = [
    *ENDPOINTS,
    "/hitloop/lane/*/mute",
    "/hitloop/*/*",
    "/hitloop/lane/{kick,bass}/[a-z]*",
    "/nonsense",
    "//",
    "/[",
]
ARGS = [0, 1, -1, 2**31 - 1, 2**40, 0.5, float("nan"), float("inf"), -1e30, "", "auto", "house", "x" * 300, True]


def some_messages(rng: random.Random, count: int = 4_000) -> list[bytes]:
    return [encode(rng.choice(PATHS), rng.choices(ARGS, k=rng.randrange(4))) for _ in range(count)]


def a_tag(rng: random.Random, now_ns: int) -> int:
    soon = now_ns + rng.randrange(-(10**9), 10**10)
    return rng.choice((1, 1, 0, 2**64 - 1, tag_at(soon)))


def a_packet(rng: random.Random, pool: list[bytes], now_ns: int) -> bytes:
    """Something valid, then damaged four times out of five."""

    def below(limit: int) -> int:  # a third of the time of ``randrange``
        return int(rng.random() * limit)

    messages = rng.choices(pool, k=(1, 1, 1, 2, 5)[below(5)])
    data = bytearray(messages[0] if len(messages) == 1 else encode_bundle(a_tag(rng, now_ns), messages))
    match below(10):
        case 0 | 1:
            for _ in range(1 + below(7)):
                data[below(len(data))] = below(256)
        case 2:
            del data[below(len(data)) :]
        case 3:
            at = below(len(data))
            data[at:at] = rng.randbytes(1 + below(39))
        case 4:
            data = bytearray(rng.randbytes(below(64)))
        case 5:
            data = bytearray(encode_bundle(a_tag(rng, now_ns), [bytes(data)] * 2))
            data[16:20] = struct.pack(">i", rng.choice((0, -4, 3, len(data), 2**31 - 1)))
        case 6:
            comma = data.find(b",")
            data[comma + 1 : comma + 3] = rng.choice((b"[[", b"mm", b"bb", b"ss", b"tt", b"]\0", b"\xff\xff"))
        case 7:
            data += b"\0" * rng.randrange(1, 5)
        case _:
            pass
    return bytes(data)


def test_rule_29_a_hundred_thousand_malformed_packets():
    rng = random.Random(2_026)
    rig = Rig(FakeDesk(history=100))
    rig.core._send = lambda *_: None
    rig.core.subscriptions.send = lambda *_: None
    pool, start = some_messages(rng), 0
    for index in range(PACKETS):
        if index == PACKETS // 5:
            start = sys.getallocatedblocks()
        rig.core.receive(a_packet(rng, pool, rig.now_ns), Address("udp", "10.0.0.1", rng.randrange(2_000)))
        if index % 50 == 0:
            rig.advance(200)
    grown = sys.getallocatedblocks() - start
    counters = rig.core.counters
    assert counters.packets == PACKETS
    assert counters.failures == 0  # nothing surprised us
    assert counters.errors > PACKETS / 4
    assert rig.desk.count > PACKETS / 20  # and the good ones were carried out
    assert len(rig.core.clients) <= MAX_CLIENTS
    assert len(rig.core.schedule) <= DEFAULT_CAPACITY
    assert grown < 60_000  # objects; the rest of the schedule filling up, not a trace of each packet


@given(st.binary(max_size=200))
def test_any_bytes_decode_to_messages_or_faults(data):
    assert all(isinstance(item, Message | Fault) for group in decode(data) for item in group.items)
    assert all(isinstance(item, Message | Fault) for group in decode(b"#bundle\0" + data) for item in group.items)


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32, allow_nan=False).map(lambda x: float(f"{x:.7g}")),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
)


@given(st.lists(VALUES, max_size=6))
def test_what_is_sent_is_what_is_read(args):
    [group] = decode(encode("/x", args))
    [message] = group.items
    assert [type(a) for a in message.args] == [type(a) for a in args]
    assert all(a == b or abs(a - b) <= 1e-6 * abs(b) for a, b in zip(message.args, args, strict=True))


@given(st.text("k*?[]{}!-,ab", max_size=30), st.text("kab", max_size=8))
def test_any_pattern_is_matched_or_told(pattern, name):
    with contextlib.suppress(PatternError):  # the one way out
        assert part_matches(compile_part(pattern), name) in (True, False)


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_streams_of_anything_end_or_go_on(chunks, slip):
    stream = Slip() if slip else LengthPrefix()
    with contextlib.suppress(FramingError):  # the one way out
        assert all(packet for chunk in chunks for packet in stream.feed(chunk))


@settings(max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=64), max_size=8), st.booleans(), st.integers(1, 9))
def test_rule_37_framing_gives_back_what_went_in(packets, slip, step):
    make = Slip if slip else LengthPrefix
    wire = b"".join(make().frame(packet) for packet in packets)
    stream = make()
    assert [p for i in range(0, len(wire), step) for p in stream.feed(wire[i : i + step])] == packets


@given(st.lists(st.binary(max_size=5), max_size=50))
def test_any_midi_moves_within_its_range(messages):
    decoder = MidiDecoder()
    for move in (move for data in messages for move in decoder.feed("x", data)):
        assert 0 <= move.raw <= move.top
        assert 1 <= move.channel <= 16
