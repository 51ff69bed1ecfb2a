"""Events for another process: handed over once per step, and equally far apart where the beat is a card's."""

from __future__ import annotations

from itertools import pairwise

from hitloopd.io.remote_out import JUMP_NS, STEP_NS, STICKY_NS, RemoteOut, SteadyTime

SIXTEENTH_NS = 120_000_000


class Sent:
    def __init__(self) -> None:
        self.messages: list[object] = []

    def send(self, message: object) -> bool:
        self.messages.append(message)
        return True


class Card:
    """A card that runs ``ppm`` fast by monotonic time from an instant on."""

    def __init__(self, ppm: float, from_ns: int = 0, shift_ns: float = 0.0) -> None:
        self.ppm, self.from_ns, self.shift_ns = ppm, from_ns, shift_ns

    def scale_ns(self, ns: int) -> float:
        return ns + self.shift_ns + (ns - self.from_ns) * self.ppm * 1e-6

    def monotonic_ns(self, scale_ns: float) -> float:
        return self.from_ns + (scale_ns - self.shift_ns - self.from_ns) / (1 + self.ppm * 1e-6)


def test_the_events_of_a_step_are_one_message() -> None:
    sent = Sent()
    out = RemoteOut("audio", sent, 0, tuple)
    out.send(5, 1, b"a")
    out.send(6, 2, b"b")
    assert sent.messages == []
    out.flush()
    out.flush()
    assert sent.messages == [((5, 1, b"a"), (6, 2, b"b"))]


def test_without_a_card_times_are_as_they_are() -> None:
    steady = SteadyTime()
    assert [steady.at(at, None) for at in (7, 8, 1_000_003)] == [7, 8, 1_000_003]


def test_sixteenths_of_a_card_are_equally_far_apart_however_fast_it_is_said_to_run() -> None:
    steady, card = SteadyTime(), Card(0.0)
    times = []
    for step in range(200):
        card.ppm = (-1) ** (step // 7) * 40.0  # the estimate bends to and fro; the line goes on from where it was
        at_ns = round(card.monotonic_ns(step * SIXTEENTH_NS))
        card.from_ns, card.shift_ns = at_ns, card.scale_ns(at_ns) - at_ns
        times.append(steady.at(at_ns, card))
    assert {b - a for a, b in pairwise(times)} <= {SIXTEENTH_NS - 1, SIXTEENTH_NS, SIXTEENTH_NS + 1}


def test_drift_is_followed_in_small_steps_when_it_is_half_a_millisecond() -> None:
    steady, card = SteadyTime(), Card(50.0)
    off = [steady.at(at, card) - at for at in range(0, 600 * SIXTEENTH_NS, SIXTEENTH_NS)]
    assert max(map(abs, off)) <= STICKY_NS + STEP_NS
    assert abs(off[-1]) > STICKY_NS / 2  # it is a line of its own, not monotonic time
    assert max(abs(b - a) for a, b in pairwise(off)) <= STEP_NS


def test_another_card_or_a_jump_begins_anew() -> None:
    steady = SteadyTime()
    assert steady.at(1_000, Card(0.0, shift_ns=3e9)) == 1_000
    assert steady.at(2_000, Card(0.0, shift_ns=-8e9)) == 2_000
    card = Card(0.0)
    assert steady.at(3_000, card) == 3_000
    card.shift_ns = 2.0 * JUMP_NS
    assert steady.at(4_000, card) == 4_000
