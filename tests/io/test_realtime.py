"""Rights asked for one by one, and the wait that ends on time or on a message."""

from __future__ import annotations

import gc
import os
import pickle
import socket
import subprocess
import sys
import threading
import time

import pytest

from hitloopd.io import realtime
from hitloopd.io.realtime import RealtimeReport, Step, Waiter, wait_until

IN_A_CHILD = """
import ctypes, os, gc, sys, pickle
from hitloopd.io import realtime
{before}
report = realtime.enable(60)
pickle.dump((report, os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, gc.isenabled(),
             ctypes.CDLL(None).prctl(30, 0, 0, 0, 0)), sys.stdout.buffer)
"""
DEMOTE = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"


def enabled(before: str = ""):
    done = subprocess.run([sys.executable, "-c", IN_A_CHILD.format(before=before)], capture_output=True, check=True)
    return pickle.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux rights")
def test_every_step_is_reported_and_what_was_granted_is_in_force():
    report, policy, priority, gc_on, slack_ns = enabled()
    assert [step.name for step in report.steps] == [
        "scheduling", "memory", "timer slack", "garbage collection", "thread switch",
    ]  # fmt: skip
    assert not gc_on
    assert slack_ns <= 1  # newer kernels report 0 for SCHED_FIFO
    if report.realtime:
        assert policy == os.SCHED_FIFO
        assert 1 <= priority <= 60
    else:
        assert policy == os.SCHED_OTHER
    for step in report.missing:
        assert step.detail
    assert all(step.name in report.text for step in report.steps)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="must be root to give it up")
def test_without_rights_it_goes_on_and_names_the_command_that_mends_it():
    report, policy, _, gc_on, _ = enabled(
        "import resource; resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0));" + DEMOTE
    )
    scheduling = report.steps[0]
    assert not scheduling.granted
    assert "rtprio" in scheduling.mend
    assert "usermod -aG audio" in scheduling.mend
    assert policy == os.SCHED_OTHER
    assert not gc_on
    assert report.text.startswith("no scheduling")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux rights")
def test_a_limit_below_the_wish_is_used_to_the_full(monkeypatch):
    def kernel(_pid, policy, param):
        assert policy == os.SCHED_FIFO
        if param.sched_priority > 40:
            raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", kernel)
    monkeypatch.setattr(realtime, "_rtprio_limit", lambda: 40)
    assert realtime._attempt("scheduling", realtime._fifo, 60).detail == "FIFO 40"
    monkeypatch.setattr(realtime, "_rtprio_limit", lambda: 0)
    assert not realtime._attempt("scheduling", realtime._fifo, 60).granted


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux rights")
@pytest.mark.parametrize(("unlimited", "flags"), [(True, 7), (False, 5)])
def test_a_finite_lock_limit_never_locks_what_is_mapped_later(monkeypatch, unlimited, flags):
    calls = []
    monkeypatch.setattr(realtime, "_unlimited_lock", lambda: unlimited)
    monkeypatch.setattr(realtime, "_libc_call", lambda *call: calls.append(call) or 0)
    assert realtime._attempt("memory", realtime._lock_memory, 60).granted
    assert calls == [("mlockall", flags)]


@pytest.mark.parametrize("platform", ["darwin", "win32", "sunos5"])
def test_other_systems_ask_for_the_same_list_and_survive_its_absence(platform):
    names = [name for name, _ in realtime._steps(platform)]
    assert names == ["scheduling", "memory", "timer slack", "garbage collection", "thread switch"]
    for name, ask in realtime._steps(platform)[:3]:
        step = realtime._attempt(name, ask, 60)
        assert not step.granted
        assert step.detail.startswith("not available here")


def test_report_travels():
    report = RealtimeReport((Step("scheduling", granted=True, detail="FIFO 60"),))
    assert pickle.loads(pickle.dumps(report)) == report
    assert report.realtime


class FakeTime:
    """A clock that moves by a µs per look and by what select slept."""

    def __init__(self, ready=()):
        self.now = 0
        self.slept: list[float] = []
        self.looks = 0
        self.ready = ready

    def clock(self) -> int:
        self.looks += 1
        self.now += 1_000
        return self.now

    def select(self, sources, _w, _x, timeout):
        self.slept.append(timeout)
        if self.ready:
            return (self.ready, (), ())
        self.now += int(timeout * 1e9)
        return ((), (), ())


def test_sleeps_until_the_spin_then_spins_to_the_deadline():
    fake = FakeTime()
    assert not wait_until(10_000_000, spin_ns=300_000, clock=fake.clock, select_=fake.select)
    assert fake.slept == [pytest.approx(0.009699)]
    assert 10_000_000 <= fake.now <= 10_002_000
    assert 290 <= fake.looks <= 310


def test_inside_the_spin_it_does_not_sleep():
    fake = FakeTime(ready=["a link"])
    assert not wait_until(200_000, ["a link"], spin_ns=300_000, clock=fake.clock, select_=fake.select)
    assert fake.slept == []


def test_a_deadline_in_the_past_returns_at_once():
    fake = FakeTime()
    fake.now = 5_000_000
    assert not wait_until(1_000_000, clock=fake.clock, select_=fake.select)
    assert fake.looks == 2


def test_a_readable_source_ends_the_wait_and_a_closed_one_is_passed_over():
    left, right = socket.socketpair()
    gone = socket.socket()
    gone.close()
    left.send(b"x")
    waiter = Waiter([gone, right])
    assert waiter.wait(time.monotonic_ns() + 20_000_000_000) == [right]
    right.recv(1)
    start = time.monotonic_ns()
    assert not waiter.wait(start + 2_000_000)
    assert time.monotonic_ns() >= start + 2_000_000
    left.close()
    right.close()


def test_a_port_that_comes_later_is_waited_for_after_the_next_look():
    class Port:
        def __init__(self):
            self.behind = None

        def fileno(self):
            return self.behind.fileno() if self.behind else -1

    left, right = socket.socketpair()
    port = Port()
    waiter = Waiter([port])
    left.send(b"x")
    assert not waiter.wait(time.monotonic_ns() + 1_000_000)
    port.behind = right
    waiter.renew()
    assert waiter.wait(time.monotonic_ns() + 20_000_000_000) == [port]
    port.behind = None
    waiter.renew()
    assert not waiter.wait(time.monotonic_ns() + 1_000_000)
    waiter.close()
    left.close()
    right.close()


def test_freezing_leaves_this_process_collectable_again():
    frozen = gc.get_freeze_count()
    try:
        assert realtime._freeze_garbage(0) == "off"
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
        if frozen:  # as it was: see tests.conftest
            gc.freeze()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="scheduling classes are Linux's")
def test_a_thread_alone_can_be_hurried_and_relaxed():
    seen = []

    def work():
        granted = realtime.hurry_thread(40)
        seen.append((granted, os.sched_getscheduler(0)))
        realtime.relax_thread()
        seen.append(os.sched_getscheduler(0))
        realtime.assist_thread()
        seen.append((os.sched_getscheduler(0), os.sched_getparam(0).sched_priority))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    granted, policy = seen[0]
    behind = (os.SCHED_FIFO, realtime.DEFAULT_PRIORITY - 1)
    assert seen[2] == (behind if granted else (os.SCHED_OTHER, 0))
    assert policy == (os.SCHED_FIFO if granted else os.SCHED_OTHER)
    assert seen[1] == os.SCHED_OTHER
    assert os.sched_getscheduler(0) == os.SCHED_OTHER, "the others are left alone"
