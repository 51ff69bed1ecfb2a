"""The OSC door on the network: one UDP socket, two optional TCP ports, all on the control process's event loop.

One receiver takes every packet in the order it came (rule 32). Bound to this machine unless the config says otherwise,
and then only for the networks of the allow-list (rule 38).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from hitloopd.control.clients import Address
from hitloopd.control.framing import Framing, FramingError, LengthPrefix, Slip
from hitloopd.control.osc_client import ask
from hitloopd.control.osc_core import DEFAULT_MAX_AHEAD_S, OscCore, OscCounters
from hitloopd.control.subscriptions import NOTE
from hitloopd.core.errors import ConfigError, DeviceError
from hitloopd.core.notices import Notice
from hitloopd.core.time import NS_PER_S
from hitloopd.ports.surface import Desk

RECEIVE_BUFFER: Final = 2**20  # bursts of some thousand messages wait here instead of being lost
MAX_UNSENT: Final = 2**20  # a peer that reads nothing is let go at this many bytes


@dataclass(frozen=True, slots=True)
class OscSettings:
    """Where the door is.

    Args:
        host: address to listen at; anything but this machine needs ``allow``.
        port: UDP port; 0 takes a free one.
        tcp_port: TCP port with length prefix; ``None`` is off.
        slip_port: TCP port with SLIP; ``None`` is off.
        allow: networks that may talk to us besides this machine, e.g. ``192.168.1.0/24``.
        max_ahead_s: how far ahead bundles may be dated.
    """

    host: str = "127.0.0.1"
    port: int = 9000
    tcp_port: int | None = None
    slip_port: int | None = None
    allow: tuple[str, ...] = ()
    max_ahead_s: float = DEFAULT_MAX_AHEAD_S


class OscSurface:
    """OSC as a ``ports.surface.ControlSurface``.

    Args:
        desk: what carries commands out.
        settings: where to listen.
        version: of the program.

    Raises:
        ConfigError: the allow-list names no network.
    """

    def __init__(self, desk: Desk, settings: OscSettings | None = None, *, version: str = "") -> None:
        self.settings = settings or OscSettings()
        self._allowed = _allow(self.settings.allow)
        self.core = OscCore(desk, self._send, version=version, max_ahead_s=self.settings.max_ahead_s)
        self._udp: asyncio.DatagramTransport | None = None
        self._socket: socket.socket | None = None
        self._servers: list[asyncio.Server] = []
        self._streams: dict[Address, _Stream] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0

    @property
    def counters(self) -> OscCounters:
        """What passed since the start."""
        return self.core.counters

    @property
    def wants_notes(self) -> bool:
        """Some client wants to be told each note as it sounds."""
        return self.core.subscriptions.watched(NOTE)

    @property
    def port(self) -> int:
        """The UDP port in use."""
        assert self._udp is not None
        return int(self._udp.get_extra_info("sockname")[1])

    @property
    def stream_ports(self) -> tuple[int, ...]:
        """The TCP ports in use: length prefix first, then SLIP."""
        return tuple(int(server.sockets[0].getsockname()[1]) for server in self._servers)

    def allow(self, networks: tuple[str, ...]) -> None:
        """From now on these networks may talk to us besides this machine.

        Raises:
            ConfigError: the list names no network; the one in force stays.

        Thread: control loop. Real-time: no.
        """
        self._allowed = _allow(networks)

    async def start(self) -> None:
        """Open the ports.

        Raises:
            DeviceError: one is taken or can't be opened; nothing stays open.

        Thread: control loop. Real-time: no.
        """
        loop = asyncio.get_running_loop()
        try:
            self._socket = self._udp_socket()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), sock=self._socket)
            for kind, port, framing in (
                ("tcp", self.settings.tcp_port, LengthPrefix),
                ("slip", self.settings.slip_port, Slip),
            ):
                if port is not None:
                    self._servers.append(await self._listen(kind, port, framing))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything; may be called twice. Thread: control loop. Real-time: no."""
        if self._timer is not None:
            self._timer.cancel()
        for stream in tuple(self._streams.values()):
            stream.abort()
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        if self._udp is not None:
            self._udp.close()
            self._udp = self._socket = None
        await asyncio.sleep(0)  # transports tell their protocols on the next turn of the loop

    def publish(self, notice: Notice) -> None:
        """Tell subscribers what happened. Thread: control loop. Real-time: no."""
        self.core.publish(notice)
        self._arm()

    def receive(self, data: bytes, source: Address) -> None:
        """One packet from the network. Thread: control loop. Real-time: no."""
        if not self._allowed(source.host):
            self.counters.refused_hosts += 1
            return
        self.core.receive(data, source)
        self._arm()

    def connected(self, stream: _Stream) -> bool:
        """A new connection; False refuses it. Thread: control loop. Real-time: no."""
        if not self._allowed(stream.source.host):
            self.counters.refused_hosts += 1
            return False
        self._streams[stream.source] = stream
        return True

    def disconnected(self, stream: _Stream) -> None:
        """It ended. Thread: control loop. Real-time: no."""
        if self._streams.get(stream.source) is stream:
            del self._streams[stream.source]
            self.core.gone(stream.source)

    def _send(self, data: bytes, target: Address) -> None:
        if target.kind != "udp":
            stream = self._streams.get(target)
            if stream is not None:
                stream.send(data)
        elif self._socket is not None:
            # Past the transport: that would keep packets in memory for a full network, where UDP should drop them.
            # A client whose port closed is dropped in silence when its lease ends.
            with contextlib.suppress(OSError):
                self._socket.sendto(data, (target.host, target.port))

    def _arm(self) -> None:
        """Have ``step`` called when the core next wants to be."""
        loop = asyncio.get_running_loop()
        next_ns = self.core.next_ns()
        if self._timer is not None and not self._timer.cancelled():
            if next_ns == self._timer_ns:
                return
            self._timer.cancel()
            self._timer = None
        if next_ns is not None:
            # The loop's clock is time.monotonic, the same line as our nanoseconds.
            self._timer_ns = next_ns
            self._timer = loop.call_at(next_ns / NS_PER_S, self._due)

    def _due(self) -> None:
        self._timer = None
        # A timer may fire one resolution early: what is due at its own moment is due now.
        self.core.step(max(self._timer_ns, self.core.now_ns()))
        self._arm()

    def _udp_socket(self) -> socket.socket:
        host, port = self.settings.host, self.settings.port
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind((host, port))
        except OSError as error:
            sock.close()
            raise _taken(error, "UDP", host, port, "osc.port") from error
        return sock

    async def _listen(self, kind: str, port: int, framing: Callable[[], Framing]) -> asyncio.Server:
        host = self.settings.host
        try:
            return await asyncio.get_running_loop().create_server(lambda: _Stream(self, kind, framing()), host, port)
        except OSError as error:
            raise _taken(error, "TCP", host, port, f"osc.{kind}_port") from error


class _Udp(asyncio.DatagramProtocol):
    """The one receiver."""

    def __init__(self, surface: OscSurface) -> None:
        self._surface = surface

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._surface.receive(data, Address("udp", addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """A client went away between our sends (ICMP); its lease ends by itself. Nothing to do."""


class _Stream(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, surface: OscSurface, kind: str, framing: Framing) -> None:
        self._surface = surface
        self._kind = kind
        self._framing = framing
        self._transport: asyncio.Transport | None = None
        self.source = Address(kind, "", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.source = Address(self._kind, peer[0], peer[1])
        if not self._surface.connected(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            packets = self._framing.feed(data)
        except FramingError:
            self._surface.counters.errors += 1
            self.close()
            return
        for packet in packets:
            self._surface.receive(packet, self.source)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - either way it is gone
        self._surface.disconnected(self)

    def send(self, packet: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
        else:
            self._transport.write(self._framing.frame(packet))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _allow(networks: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a host may talk to us: this machine always, others by the list."""
    # Not at the top: ipaddress costs several ms, and most daemons talk to their own machine only.
    if not networks:
        return lambda host: host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1")
    import ipaddress  # noqa: PLC0415

    problems: list[str] = []
    nets = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    for network in networks:
        try:
            nets.append(ipaddress.ip_network(network, strict=False))
        except ValueError:
            problems.append(f"osc.allow: '{network}' is no network; expected something like 192.168.1.0/24.")
    if problems:
        raise ConfigError(problems)
    return lambda host: any(ipaddress.ip_address(host) in net for net in nets)


def _taken(error: OSError, protocol: str, host: str, port: int, key: str) -> DeviceError:
    """Say who holds the port, if it is one of us."""
    if error.errno != errno.EADDRINUSE:
        return DeviceError(f"OSC can't listen at {protocol} {host}:{port}: {error.strerror}. Check osc.host and {key}.")
    holder = _holder(host, port) if protocol == "UDP" else ""
    if holder:
        return DeviceError(
            f"OSC port {port} on {host} is held by {holder}. Stop that one, or set {key} to another port."
        )
    return DeviceError(f"OSC port {port} ({protocol}) on {host} is held by another program. Set {key} to another port.")


def _holder(host: str, port: int) -> str:
    everywhere = host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
    try:
        replies = ask("127.0.0.1" if everywhere else host, port, "/hitloop/sys/version", timeout_s=0.5)
    except OSError:
        return ""
    match [reply.args for reply in replies]:
        case [(str(name), str(version), int(pid)), *_]:
            return f"{name} {version} (process {pid})"
        case _:
            return ""
