"""Links between processes: order, bounds, corruption, restart and death of a peer."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import select
import signal
import time

import pytest

from hitloopd.io import link
from hitloopd.io.link import MAX_BYTES, Link, pair


@pytest.fixture(params=["own", "udp"])
def ends(request):
    left, right = pair() if request.param == "own" else map(Link, map(link._roomy, link._udp_pair()))
    yield left, right
    left.close()
    right.close()


def wait_readable(end: Link, seconds: float = 20.0) -> bool:
    return bool(select.select([end], [], [], seconds)[0])


def collect(end: Link, count: int, seconds: float = 20.0) -> list[object]:
    deadline = time.monotonic() + seconds
    out: list[object] = []
    while len(out) < count and not end.closed and time.monotonic() < deadline:
        if wait_readable(end, 0.2):
            out += end.receive()
    return out


def test_messages_arrive_whole_and_in_order(ends):
    left, right = ends
    messages = [("n", index, b"x" * (index * 37 % 500)) for index in range(100)]
    assert all(left.send(message) for message in messages)
    assert collect(right, 100) == messages
    assert right.receive() == []


def test_both_directions(ends):
    left, right = ends
    left.send("ping")
    assert collect(right, 1) == ["ping"]
    right.send("pong")
    assert collect(left, 1) == ["pong"]


def test_longest_message_passes_and_a_longer_one_is_counted(ends):
    left, right = ends
    overhead = len(pickle.dumps(b"x" * 60_000, 5)) - 60_000
    fits = b"x" * (MAX_BYTES - overhead)
    assert left.send(fits)
    assert collect(right, 1) == [fits]
    assert not left.send(fits + b"x")
    assert left.dropped == 1
    assert right.receive() == []


def test_full_link_backlogs_then_drops_the_newest_and_keeps_order():
    left, right = pair()
    small = Link(left._sock, max_backlog=10)
    accepted = 0
    while small.send((accepted, b"y" * 50_000)):
        accepted += 1
        assert accepted < 10_000
    assert small.dropped == 1
    assert not small.flush()
    got: list[tuple[int, bytes]] = []
    while len(got) < accepted:
        got += right.receive()
        small.flush()
    assert [index for index, _ in got] == list(range(accepted))
    assert small.flush()
    small.close()
    right.close()


def test_next_send_drains_the_backlog_first():
    left, right = pair()
    small = Link(left._sock, max_backlog=10)
    count = 0
    while not small._backlog:
        small.send((count, b"y" * 50_000))
        count += 1
    first = right.receive()
    small.send((count, b""))
    rest = right.receive()
    assert [index for index, _ in first + rest] == list(range(count + 1))
    small.close()
    right.close()


def test_receive_is_bounded():
    left, right = pair()
    for index in range(20):
        left.send(index)
    assert right.receive(limit=7) == list(range(7))
    assert right.receive() == list(range(7, 20))
    left.close()
    right.close()


def test_corrupt_datagrams_are_counted_and_the_next_message_arrives(ends):
    left, right = ends
    whole = pickle.dumps(("a", 1), 5)
    for garbage in (b"\x80", whole[:-3], b"cos\nnonsense\n.", bytes(range(256))):
        left._sock.send(garbage)
    left.send("fine")
    got: list[object] = []
    while not got:
        assert wait_readable(right)
        got += right.receive()
    assert got == ["fine"]
    assert right.corrupt == 4


def test_peer_gone_is_seen_by_reader_and_writer():
    left, right = pair()
    left.send("last words")
    left.close()
    assert right.receive() == ["last words"]
    assert right.closed
    assert not right.send("anyone?") or right.dropped == 1
    assert right.dropped == 1
    assert left.receive() == []
    assert left.fileno() == -1
    right.close()


def _flood(end: Link) -> None:
    index = 0
    while True:
        if end.send((index, b"z" * 3000)):
            index += 1


def _echo(end: Link) -> None:
    while True:
        select.select([end], [], [])
        for message in end.receive():
            end.send(("echo", message))


def _spawn(target, end: Link):
    process = multiprocessing.get_context("spawn").Process(target=target, args=(end,), daemon=True)
    process.start()
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a POSIX thing")
def test_a_child_killed_in_a_flood_leaves_whole_messages_and_its_successor_gets_the_same_end():
    ours, theirs = pair()
    child = _spawn(_flood, theirs)
    assert wait_readable(ours)
    received: list[object] = []
    while len(received) < 2000:
        assert wait_readable(ours)
        received += ours.receive()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    while rest := ours.receive():
        received += rest
    assert [index for index, _ in received] == list(range(len(received)))
    assert ours.corrupt == 0
    assert not ours.closed
    successor = _spawn(_echo, theirs)
    ours.send("again")
    assert collect(ours, 1) == [("echo", "again")]
    successor.kill()
    successor.join()
    theirs.close()
    assert ours.receive() == []
    assert ours.closed
    ours.close()
