"""OSC bytes to messages and back, stricter than python-osc's own packet classes.

python-osc reads the single values here. Its ``OscMessage`` skips unknown types without moving on, pads a short float,
lets a bad UTF-8 string out as a UnicodeDecodeError, and its ``OscBundle`` throws all messages away for one bad one: so
the walk over packet, bundle and type tags is our own. Decoding never raises: what can't be read is a ``Fault``, and
the rest of the bundle stays good (PROTOCOL rules 27, 29, 30).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pythonosc.parsing import osc_types

from hitloopd.control.wire import INT32_MAX, Raw

if TYPE_CHECKING:  # the commands behind it cost the command line 40 ms
    from hitloopd.ports.surface import Value

BUNDLE: Final = b"#bundle\x00"
IMMEDIATELY: Final = 1  # OSC 1.0: the tag with only its last bit set
MAX_DATAGRAM: Final = 1472  # an Ethernet frame less IP and UDP headers
MAX_DEPTH: Final = 8  # bundles in bundles; nobody nests deeper, an attacker would
MAX_ARGS: Final = 256


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came."""

    path: str
    args: tuple[Raw, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something unreadable: which path if that much was clear, a code and a text for the sender."""

    path: str
    code: str
    text: str


@dataclass(slots=True)
class Group:
    """What one bundle holds, with its tag; a lone message is a group that is due at once."""

    tag: int = IMMEDIATELY
    items: list[Message | Fault] = field(default_factory=list["Message | Fault"])


class _BadPacketError(Exception):
    """Inside this module only: turned into a Fault."""


def decode(data: bytes) -> list[Group]:
    """All groups of a packet, outer bundle first. Never raises."""
    groups: list[Group] = []
    if data.startswith(BUNDLE):
        _bundle(data, 0, 0, groups)
    else:
        groups.append(Group(items=[_message_or_fault(data)]))
    return groups


def _bundle(data: bytes, outer_tag: int, depth: int, groups: list[Group]) -> None:
    group = Group()
    groups.append(group)
    try:
        group.tag, _ = _read(osc_types.get_uint64, data, len(BUNDLE))
        _require(group.tag >= outer_tag, "a bundle inside another may not be earlier than it")
        _require(depth < MAX_DEPTH, f"bundles are nested more than {MAX_DEPTH} deep")
        for element in _elements(data, len(BUNDLE) + 8):
            if element.startswith(BUNDLE):
                _bundle(element, group.tag, depth + 1, groups)
            else:
                group.items.append(_message_or_fault(element))
    except _BadPacketError as error:
        group.items.append(Fault("", "packet", f"Bad bundle: {error}."))


def _elements(data: bytes, index: int) -> Iterator[bytes]:
    while index < len(data):
        size, index = _read(osc_types.get_int, data, index)
        if size <= 0 or size % 4 or index + size > len(data):
            raise _BadPacketError(f"an element of {size} bytes where {len(data) - index} are left")
        yield data[index : index + size]
        index += size


def _message_or_fault(data: bytes) -> Message | Fault:
    path = ""
    try:
        _require(data.startswith(b"/"), "it begins neither with '/' nor with '#bundle'")
        _require(len(data) % 4 == 0, "its size is not a multiple of 4 bytes")
        path, index = _string(data, 0)
        return Message(path, tuple(_arguments(data, index)))
    except _BadPacketError as error:
        return Fault(path, "packet", f"Bad OSC message: {error}.")


def _arguments(data: bytes, index: int) -> Iterator[Raw]:
    _require(index < len(data), "its type tag string is missing (',' where there are no arguments)")
    tags, index = _string(data, index)
    _require(tags.startswith(","), "its type tag string does not begin with ','")
    _require(len(tags) <= MAX_ARGS, f"it has {MAX_ARGS} arguments or more")
    for tag in tags[1:]:
        if tag in _CONSTANTS:
            yield _CONSTANTS[tag]
        elif tag in _READERS:
            size, reader = _READERS[tag]
            _require(index + size <= len(data), f"it ends inside an argument of type '{tag}'")
            value, index = reader(data, index)
            yield value
        else:
            raise _BadPacketError(f"type '{tag}' is not supported; i f s b h d t S T F N I are")
    _require(index == len(data), "bytes follow its last argument")


def _require(condition: bool, text: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise _BadPacketError(text)


def _read(reader: Callable[[bytes, int], tuple[int, int]], data: bytes, index: int) -> tuple[int, int]:
    try:
        return reader(data, index)
    except osc_types.ParseError as error:
        raise _BadPacketError("it is too short") from error


def _string(data: bytes, index: int) -> tuple[str, int]:
    # Not osc_types.get_string: that walks byte by byte in Python, 5 ms for a long pattern/set.
    end = data.find(b"\0", index)
    after = end + 4 - (end - index) % 4
    if end < 0 or after > len(data):
        raise _BadPacketError("a string in it has no end")
    try:
        return data[index:end].decode("utf-8"), after
    except UnicodeDecodeError as error:
        raise _BadPacketError("a string in it is not UTF-8") from error


def _blob(data: bytes, index: int) -> tuple[bytes, int]:
    size, _ = _read(osc_types.get_int, data, index)
    if size < 0 or index + 4 + size + -size % 4 > len(data):
        raise _BadPacketError(f"a blob of {size} bytes does not fit in it")
    return osc_types.get_blob(data, index)


def _float(data: bytes, index: int) -> tuple[float, int]:
    value, after = osc_types.get_float(data, index)
    # To the seven digits that a float32 has: 0.7 from OSC is then the same 0.7 as from config, and makes the same bar.
    return float(f"{value:.7g}"), after


# type tag -> least size, reader
_READERS: Final[dict[str, tuple[int, Callable[[bytes, int], tuple[Any, int]]]]] = {
    "i": (4, osc_types.get_int),
    "f": (4, _float),
    "h": (8, osc_types.get_int64),
    "d": (8, osc_types.get_double),
    "t": (8, osc_types.get_uint64),
    "s": (4, _string),
    "S": (4, _string),
    "b": (4, _blob),
}
_CONSTANTS: Final[dict[str, Raw]] = {"T": True, "F": False, "N": None, "I": math.inf}


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode(path: str, args: Sequence[Value] = ()) -> bytes:
    """One message. Bools go out as ints 0 and 1, which every client reads."""
    tags, body = [","], bytearray()
    for arg in args:
        match arg:
            case str():
                tags.append("s")
                body += _padded(arg)
            case float():
                tags.append("f")
                body += _float32(arg)
            case _ if -INT32_MAX <= arg <= INT32_MAX:
                tags.append("i")
                body += osc_types.write_int(int(arg))
            case _:
                tags.append("h")
                body += osc_types.write_int64(max(min(int(arg), 2**63 - 1), -(2**63)))
    return _head(path, "".join(tags)) + bytes(body)


@lru_cache(maxsize=1024)
def _head(path: str, tags: str) -> bytes:
    """Kept, as the same few addresses are told over and over."""
    return _padded(path) + _padded(tags)


def encode_bundle(tag: int, messages: Sequence[bytes]) -> bytes:
    """A bundle of encoded messages, due at an NTP time tag."""
    body = b"".join(struct.pack(">i", len(message)) + message for message in messages)
    return BUNDLE + struct.pack(">Q", tag) + body


def encode_reply(path: str, args: Sequence[Value], limit: int | None = MAX_DATAGRAM) -> list[bytes]:
    """One message, or, where it would be longer than ``limit`` bytes, its longest string in numbered parts.

    A part is ``index total text``; the texts put together in order are the string (rule 40).
    """
    whole = encode(path, args)
    texts = [arg for arg in args if isinstance(arg, str)]
    if limit is None or len(whole) <= limit or not texts:
        return [whole]
    parts = _pieces(max(texts, key=len), limit - len(_padded(path)) - 24)
    return [encode(path, (index, len(parts), part)) for index, part in enumerate(parts)]


def _pieces(text: str, size: int) -> list[str]:
    """Cut so that every piece has at most ``size`` bytes and no character is cut in two."""
    data, pieces, start = text.encode("utf-8", "replace"), list[str](), 0
    while start < len(data):
        end = min(start + size, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return pieces


def _padded(text: str) -> bytes:
    # A NUL would end the string early and shift everything after it.
    data = text.encode("utf-8", "replace").replace(b"\0", b" ")
    return data + b"\0" * (4 - len(data) % 4)


def _float32(value: float) -> bytes:
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">f", math.copysign(math.inf, value))
