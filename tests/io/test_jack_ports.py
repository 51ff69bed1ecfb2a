"""What the native JACK client writes in its cycles, with the server's calls stood in for."""

from __future__ import annotations

from hitloopd.io.frame_clock import FrameClock
from hitloopd.io.jack_ports import Cycle, JackOut

RATE = 48_000
FRAMES = 64
ON, OFF, OTHER_OFF = b"\x90\x24\x64", b"\x80\x24\x00", b"\x80\x30\x00"


class Server:
    """The calls of one client; ``heard`` is what was written, by frame, the lost cycles left out."""

    def __init__(self) -> None:
        self.frame = 0
        self.lost = False
        self.heard: list[tuple[int, bytes]] = []

    def last_frame_time(self) -> int:
        return self.frame

    def since_cycle_start_us(self) -> int:
        return 0

    def get_buffer(self, address: int, _frames: int) -> int:
        return address

    def clear(self, _buffer: int) -> None:
        """A new cycle."""

    def write(self, _buffer: int, offset: int, data: bytes, _size: int) -> int:
        if not self.lost:
            self.heard.append((self.frame + offset, data))
        return 0


class Client:
    """A client with one output, cycle by cycle."""

    def __init__(self) -> None:
        self.server = Server()
        self.out = JackOut("out")
        self.out.lost = False
        self.cycle = Cycle(
            self.server,  # type: ignore[arg-type] - only the calls that are made
            FrameClock(RATE),
            [(self.out, 1)],
            [],
            now=lambda: self.ns(self.server.frame),
        )

    def ns(self, frame: int) -> int:
        return 1_000_000_000 + frame * 1_000_000_000 // RATE

    def run(self, cycles: int, *, lost: bool = False) -> None:
        for _ in range(cycles):
            self.server.lost = lost
            self.cycle(FRAMES)
            self.server.frame += FRAMES

    def send(self, frame: int, data: bytes) -> None:
        self.out.send(self.ns(frame), 0, data)

    def count(self, data: bytes) -> int:
        return sum(heard == data for _, heard in self.server.heard)


def test_rule_16_a_note_off_that_went_with_an_xrun_is_written_again() -> None:
    client = Client()
    client.run(1)
    client.send(100, ON)
    client.send(230, OFF)
    client.run(2)
    assert client.count(ON) == 1
    client.run(1, lost=True)
    assert client.count(OFF) == 0
    client.cycle.shaken = True
    client.run(2)
    assert client.count(OFF) == 1
    assert client.out.repeated == 1


def test_rule_16_a_jump_of_the_frames_counts_as_an_xrun() -> None:
    client = Client()
    client.run(1)
    client.send(70, ON)
    client.send(100, OFF)
    client.run(1, lost=True)
    client.server.frame += 5 * FRAMES - FRAMES
    client.run(1)
    assert client.count(OFF) == 1
    assert client.cycle.skipped == 4


def test_a_note_that_began_anew_is_not_cut_off_and_old_ones_are_left_alone() -> None:
    client = Client()
    client.run(1)
    client.send(64, OTHER_OFF)
    client.run(10)
    here = client.server.frame
    client.send(here + 1, ON)
    client.send(here + 20, OFF)
    client.send(here + 21, ON)
    client.run(1)
    client.cycle.shaken = True
    client.run(3)
    assert (client.count(ON), client.count(OFF), client.count(OTHER_OFF)) == (2, 1, 1)
    assert client.out.repeated == 0
