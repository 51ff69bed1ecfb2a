"""Bytes to messages and back; what is malformed becomes a fault and nothing else."""

from __future__ import annotations

import math
import struct

import pytest

from hitloopd.control.framing import MAX_FRAME, FramingError, LengthPrefix, Slip
from hitloopd.control.osc_codec import (
    MAX_DATAGRAM,
    MAX_DEPTH,
    Fault,
    Message,
    decode,
    encode,
    encode_bundle,
    encode_reply,
)
from tests.control.rig import messages


def padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def raw(tags: bytes, body: bytes, path: bytes = b"/a") -> bytes:
    return padded(path) + padded(b"," + tags) + body


def only(data: bytes):
    [group] = decode(data)
    [item] = group.items
    return item


@pytest.mark.parametrize(
    ("tags", "body", "args"),
    [
        (b"", b"", ()),
        (b"i", struct.pack(">i", -5), (-5,)),
        (b"f", struct.pack(">f", 0.7), (0.7,)),
        (b"f", struct.pack(">f", math.inf), (math.inf,)),
        (b"d", struct.pack(">d", 0.1), (0.1,)),
        (b"h", struct.pack(">q", 2**40), (2**40,)),
        (b"t", struct.pack(">Q", 2**63), (2**63,)),
        (b"s", b"kick\0\0\0\0", ("kick",)),
        (b"S", "é".encode() + b"\0\0", ("é",)),
        (b"b", struct.pack(">i", 3) + b"abc\0", (b"abc",)),
        (b"b", struct.pack(">i", 0), (b"",)),
        (b"TFNI", b"", (True, False, None, math.inf)),
        (b"iTf", struct.pack(">if", 1, 2.0), (1, True, 2.0)),
    ],
)
def test_rule_27_every_type_is_read(tags, body, args):
    assert only(raw(tags, body)) == Message("/a", args)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"/",
        b"/abc",
        b"/a\0\0",  # no type tag string at all
        b"/a\0\0\0\0\0\0",  # an empty one
        b"/a\0\0i\0\0\0" + b"\0\0\0\1",  # without its comma
        raw(b"i", b""),
        raw(b"i", b"\0\0\0"),
        raw(b"f", b""),  # python-osc pads this one
        raw(b"d", b"\0\0\0\0"),
        raw(b"s", b"abcd"),
        raw(b"s", b"\xff\xfe\0\0"),
        raw(b"b", struct.pack(">i", 400) + b"abcd"),
        raw(b"b", struct.pack(">i", -4)),
        raw(b"x", b""),  # python-osc logs and goes on
        raw(b"[i]", struct.pack(">i", 1)),
        raw(b"i", struct.pack(">ii", 1, 2)),
        raw(b"T" * 300, b""),
        b"\xff\xfe\0\0" * 4,
        b"/\xff\xfe\0" + b",\0\0\0",
    ],
)
def test_rule_29_malformed_packets_are_faults(data):
    item = only(data)
    assert isinstance(item, Fault)
    assert item.code == "packet"


@pytest.mark.parametrize(
    "body",
    [
        b"\0\0\0",
        struct.pack(">i", 0),
        struct.pack(">i", -4) + b"abcd",
        struct.pack(">i", 400) + b"abcd",
        struct.pack(">i", 3) + b"abc",
    ],
)
def test_rule_29_bad_sizes_in_a_bundle_spare_what_came_before(body):
    good = encode("/good", (1,))
    [group] = decode(encode_bundle(1, [good]) + body)
    assert group.items[0] == Message("/good", (1,))
    assert isinstance(group.items[1], Fault)
    assert len(group.items) == 2


def test_rule_30_other_messages_of_a_bundle_survive_a_bad_one():
    [group] = decode(encode_bundle(1, [encode("/a"), b"/bad\0\0\0\0", encode("/b")]))
    assert [getattr(item, "path", None) for item in group.items] == ["/a", "/bad", "/b"]
    assert [type(item) for item in group.items] == [Message, Fault, Message]


def test_rule_30_a_nested_bundle_may_not_be_earlier():
    inner = encode_bundle(50, [encode("/late")])
    outer, nested = decode(encode_bundle(60, [encode("/a"), inner]))
    assert outer.items == [Message("/a")]
    assert [type(item) for item in nested.items] == [Fault]
    same, later = decode(encode_bundle(40, [encode("/a"), inner]))
    assert (same.tag, later.tag, later.items) == (40, 50, [Message("/late")])


def test_endless_nesting_is_a_fault():
    data = encode("/a")
    for _ in range(MAX_DEPTH + 1):
        data = encode_bundle(1, [data])
    assert isinstance(decode(data)[-1].items[0], Fault)


@pytest.mark.parametrize(
    ("args", "back"),
    [
        ((1, 0.5, "x", True, False), (1, 0.5, "x", 1, 0)),
        ((2**31,), (2**31,)),
        ((-(2**80),), (-(2**63),)),
        ((1e300, -1e300), (math.inf, -math.inf)),
        (("a\0b", "", "é"), ("a b", "", "é")),
    ],
)
def test_what_goes_out_can_be_read(args, back):
    assert only(encode("/a", args)) == Message("/a", back)


@pytest.mark.parametrize("text", ["x" * 5_000, "é" * 3_000, "x" + "€" * 2_000, "𝄞" * 1_000])
def test_rule_40_long_answers_are_cut_in_parts(text):
    parts = encode_reply("/hitloop/pattern/get", (text,))
    assert len(parts) > 1
    assert all(len(part) <= MAX_DATAGRAM for part in parts)
    found = [only(part).args for part in parts]
    assert [(index, total) for index, total, _ in found] == [(i, len(parts)) for i in range(len(parts))]
    assert "".join(piece for _, _, piece in found) == text
    assert len(encode_reply("/hitloop/pattern/get", (text,), None)) == 1


def test_short_answers_stay_whole():
    assert encode_reply("/a", ("x", 1)) == [encode("/a", ("x", 1))]


@pytest.mark.parametrize("make", [LengthPrefix, Slip])
@pytest.mark.parametrize("step", [1, 3, 7, 1_000])
def test_rule_37_packets_come_whole_out_of_any_stream(make, step):
    packets = [encode("/a", (1, "\u00c0\u00db")), encode("/b", ()), bytes(range(192, 224))]
    wire = b"".join(make().frame(packet) for packet in packets)
    stream, found = make(), []
    for index in range(0, len(wire), step):
        found += stream.feed(wire[index : index + step])
    assert found == packets


def test_rule_37_a_stream_that_cannot_be_followed_ends():
    with pytest.raises(FramingError):
        LengthPrefix().feed(b"\xc0/hitloop")
    with pytest.raises(FramingError):
        Slip().feed(b"x" * (MAX_FRAME + 1))


def test_rule_37_a_broken_slip_packet_is_skipped():
    stream = Slip()
    assert stream.feed(b"\xc0a\xdbz\xc0" + stream.frame(b"/good\0\0\0")) == [b"/good\0\0\0"]
    assert stream.broken == 1


def test_rig_reads_what_it_sends():
    assert messages(encode("/a", (1,))) == [Message("/a", (1,))]
