"""The gate sends at the instant, in order, and says how late it was."""

from __future__ import annotations

from hitloopd.io.punctual import FIRST_NS, LEAST_NS, MOST_NS, Gate, Headroom


class Time:
    """A clock that moves 100 ns with each look and further with each sleep."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000
        self.slept: list[float] = []

    def __call__(self) -> int:
        self.now_ns += 100
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ns += round(seconds * 1e9)


def gate() -> tuple[Gate, Time, list[int]]:
    time, late = Time(), []
    return Gate(late.append, time, time.sleep), time, late


def test_events_leave_in_the_order_of_their_instants_and_never_early() -> None:
    it, time, late = gate()
    sent: list[tuple[int, int, bytes]] = []

    def send(at_ns: int, _tick: int, data: bytes) -> None:
        sent.append((time.now_ns, at_ns, data))

    it.put(3_000_000, 0, b"b", send)
    it.put(2_000_000, 0, b"a", send)
    it.put(3_000_000, 0, b"c", send)
    it.fire()
    assert [data for _, _, data in sent] == [b"a", b"b", b"c"]
    assert all(0 <= now - at <= 300 for now, at, _ in sent)
    assert len(late) == 3


def test_it_sleeps_until_the_spin_and_not_at_all_for_what_is_due() -> None:
    it, time, late = gate()
    it.put(time.now_ns + 1_000_000, 0, b"x", lambda *_: None)
    it.put(500_000, 0, b"late", lambda *_: None)
    it.fire()
    assert len(time.slept) == 1
    assert abs(time.slept[0] * 1e9 - (1_000_000 - FIRST_NS)) < 1000
    assert late[0] >= 500_000


def test_what_was_sent_is_not_sent_again() -> None:
    it, _, _ = gate()
    sent: list[bytes] = []
    it.put(0, 0, b"x", lambda _at, _tick, data: sent.append(data))
    it.fire()
    it.fire()
    assert sent == [b"x"]


def test_the_headroom_follows_how_late_one_wakes() -> None:
    prompt = Headroom()
    for _ in range(10_000):
        prompt.woke(20_000)
    assert prompt.ns == LEAST_NS
    slow = Headroom()
    for turn in range(3000):
        slow.woke(200_000 if turn % 10 == 0 else 60_000)  # one in ten: more often than it puts up with
    assert 190_000 <= slow.ns <= 220_000
    for _ in range(1000):
        slow.woke(5_000_000)
    assert slow.ns == MOST_NS, "no wake-up so late that it would spin for milliseconds"


def test_the_headroom_covers_all_but_one_wake_up_in_five_hundred() -> None:
    it = Headroom()
    missed = 0
    for turn in range(40_000):
        late_ns = 120_000 if turn % 100 == 0 else 45_000  # one in a hundred: too often to be put up with
        missed += turn >= 20_000 and late_ns > it.ns
        it.woke(late_ns)
    assert it.ns >= 100_000
    assert 0 < missed <= 50, "of two hundred"


def test_a_headroom_keeps_to_its_bounds() -> None:
    it = Headroom(300_000, least=300_000, most=600_000)
    it.woke(20_000)
    assert it.ns == 300_000
    for _ in range(100):
        it.woke(5_000_000)
    assert it.ns == 600_000


def test_a_gate_that_wakes_promptly_sleeps_for_longer() -> None:
    it, time, late = gate()
    for turn in range(200):
        it.put(time.now_ns + 1_000_000, turn, b"x", lambda *_: None)
        it.fire()
    assert time.slept[-1] > time.slept[0]
    assert max(late) <= 300
