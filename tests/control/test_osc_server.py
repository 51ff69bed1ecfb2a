"""The door on real sockets of this machine."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from hitloopd.control.framing import LengthPrefix, Slip
from hitloopd.control.osc_client import ask, parse_argument
from hitloopd.control.osc_codec import encode, encode_bundle
from hitloopd.control.osc_server import OscSettings, OscSurface
from hitloopd.control.schedule import NTP_TO_UNIX_S
from hitloopd.core import commands as cmd
from hitloopd.core.errors import ConfigError, DeviceError
from hitloopd.core.notices import Beat
from hitloopd.testing.fake_desk import FakeDesk
from tests.control.rig import messages

HOST = "127.0.0.1"
FREE = OscSettings(port=0, tcp_port=0, slip_port=0)


def served(body, desk=None, settings=FREE):
    """Run ``body(surface, desk)`` beside an open door."""

    async def run():
        the_desk = desk or FakeDesk()
        surface = OscSurface(the_desk, settings, version="9.9")
        await surface.start()
        try:
            return await asyncio.wait_for(body(surface, the_desk), 10)
        finally:
            await surface.stop()

    return asyncio.run(run())


async def asked(surface, *words, **options):
    return await asyncio.to_thread(ask, HOST, surface.port, words[0], words[1:], **options)


def plain(replies):
    return [(reply.path, reply.args) for reply in replies]


def test_one_request_one_reply():
    async def body(surface, desk):
        assert plain(await asked(surface, "/tempo", 174)) == [("/tempo", (174.0, 1))]
        assert plain(await asked(surface, "/hitloop/lane/*/mute")) == [
            (f"/hitloop/lane/{lane}/mute", (0,)) for lane in ("kick", "snare", "hihat", "cymbal", "bass")
        ]
        [error] = await asked(surface, "/nonsense")
        assert error.is_error
        desk.values["/hitloop/pattern/get"] = ("x" * 5_000,)
        assert plain(await asked(surface, "/hitloop/pattern/get")) == [("/hitloop/pattern/get", ("x" * 5_000,))]

    served(body)


def test_a_port_where_nobody_listens_is_told_from_one_that_does_not_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        port = sock.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        ask(HOST, port, "/hitloop/sys/ping", timeout_s=5.0)


def test_who_is_too_busy_is_an_empty_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        assert ask(HOST, sock.getsockname()[1], "/hitloop/sys/ping", timeout_s=0.01) == []


@pytest.mark.parametrize(
    ("word", "value"), [("1", 1), ("0.5", 0.5), ("true", True), ("False", False), ("kick", "kick"), ("", "")]
)
def test_words_of_the_command_line(word, value):
    found = parse_argument(word)
    assert found == value
    assert type(found) is type(value)


def test_rule_32_five_hundred_messages_arrive_in_order():
    async def body(surface, desk):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for seed in range(500):
                sock.sendto(encode("/hitloop/gen/seed", (seed,)), (HOST, surface.port))
            while desk.count < 500:  # noqa: ASYNC110 - the desk is not to know of events
                await asyncio.sleep(0)
        assert desk.commands == [cmd.SetSeed(seed) for seed in range(500)]

    served(body)


@pytest.mark.parametrize(("index", "framing"), [(0, LengthPrefix), (1, Slip)])
def test_rule_37_tcp_with_both_framings(index, framing):
    async def body(surface, desk):
        reader, writer = await asyncio.open_connection(HOST, surface.stream_ports[index])
        stream, found = framing(), []
        desk.values["/hitloop/pattern/get"] = ("x" * 5_000,)
        packets = (encode("/tempo", (90,)), encode("/nonsense"), encode("/hitloop/pattern/get"))
        writer.write(b"".join(stream.frame(packet) for packet in packets))
        while len(found) < 3:
            found += [m for packet in stream.feed(await reader.read(4_096)) for m in messages(packet)]
        assert [m.path for m in found] == ["/tempo", "/hitloop/sys/error", "/hitloop/pattern/get"]
        assert found[2].args == ("x" * 5_000,)
        writer.close()

    served(body)


def test_a_connection_that_speaks_nonsense_is_closed_and_the_others_go_on():
    async def body(surface, _desk):
        reader, writer = await asyncio.open_connection(HOST, surface.stream_ports[0])
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        assert len(await asked(surface, "/hitloop/sys/ping")) == 1

    served(body)


@pytest.mark.parametrize("key", ["tcp_port", "slip_port"])
def test_a_taken_stream_port_is_told_and_nothing_stays_open(key):
    async def body(surface, desk):
        taken = OscSettings(port=0, **{key: surface.stream_ports[0]})
        with pytest.raises(DeviceError, match=f"osc.{key}"):
            await OscSurface(desk, taken).start()

    served(body)


def test_a_second_daemon_says_who_holds_the_port():
    async def body(surface, desk):
        second = OscSurface(desk, OscSettings(port=surface.port))
        with pytest.raises(DeviceError, match=rf"port {surface.port} on 127.0.0.1 is held by hitloopd 9.9 \(process"):
            # in a thread: in life the holder is another process, with a loop of its own
            await asyncio.to_thread(lambda: asyncio.run(second.start()))

    served(body)


def test_a_port_held_by_a_stranger_is_told():
    async def start(port):
        await OscSurface(FakeDesk(), OscSettings(port=port)).start()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        with pytest.raises(DeviceError, match="another program"):
            asyncio.run(start(sock.getsockname()[1]))


def test_an_address_that_is_not_ours_is_told():
    with pytest.raises(DeviceError, match=r"osc\.host"):
        served(None, settings=OscSettings(host="192.0.2.1", port=0))


def test_rule_38_bound_to_this_machine_by_default():
    assert OscSettings().host == "127.0.0.1"
    strict = OscSurface(FakeDesk())
    lan = OscSurface(FakeDesk(), OscSettings(allow=("192.168.1.0/24",)))
    hosts = ("127.0.0.1", "192.168.1.7", "192.168.2.7")
    assert [strict._allowed(host) for host in hosts] == [True, False, False]
    assert [lan._allowed(host) for host in hosts] == [True, True, False]
    with pytest.raises(ConfigError, match="no network"):
        OscSurface(FakeDesk(), OscSettings(allow=("living room",)))


def test_subscribers_and_dated_bundles_are_served_by_the_loop():
    async def body(surface, desk):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, (HOST, surface.port))
            await loop.sock_sendall(sock, encode("/hitloop/sys/subscribe", ("beat",)))
            await loop.sock_recv(sock, 2_000)
            surface.publish(Beat(1, 2, 120.0, 0))
            [beat] = messages(await loop.sock_recv(sock, 2_000))
            assert (beat.path, beat.args) == ("/hitloop/event/beat", (1, 2, 120.0))
            soon = (int(time.time() * 1_000) + 30) * 2**32 // 1_000 + (NTP_TO_UNIX_S << 32)
            await loop.sock_sendall(sock, encode_bundle(soon, [encode("/play")]))
            await loop.sock_sendall(sock, encode_bundle(soon + 3_600 * 2**32, [encode("/stop")]))
            await loop.sock_recv(sock, 2_000)
            await loop.sock_recv(sock, 2_000)
            assert desk.commands == [cmd.Stop()]  # an hour ahead: at once, and it delayed nothing
            [done] = messages(await loop.sock_recv(sock, 2_000))
            assert done.path == "/play"

    served(body)
