from __future__ import annotations

import contextlib
import io
import os
import sys

import pytest

from hitloopd.app.keys import BY_KEY, PRESSES, Keyboard, Situation, help_lines
from hitloopd.app.terminal import Screen, keys
from hitloopd.app.view import ViewState, bar_grid, frame, status_line
from hitloopd.core.pattern import Lane, Note, Origin, Pattern, Provenance
from hitloopd.core.transport import ClockState, Position, Source, State, Transport

PATTERN = Pattern(
    (
        *(Note(480 * beat, Lane.KICK, velocity=0.9) for beat in range(4)),
        *(Note(240 + 480 * beat, Lane.HIHAT, velocity=0.4, priority=0.3) for beat in range(4)),
        Note(480, Lane.SNARE, velocity=0.7, origin=Origin.EDITED),
        Note(0, Lane.BASS, velocity=0.2, origin=Origin.LOCKED),
        Note(120, Lane.CYMBAL, priority=0.9),
    ),
    provenance=Provenance("rules", seed=7),
)
STATE = ViewState(
    Transport(State.PLAYING, 124.0, Position(1920 * 2 + 600)),
    PATTERN,
    0.5,
    energy=0.25,
    locked=frozenset({Lane.BASS}),
    muted=frozenset({Lane.SNARE}),
    model="rules",
    style="house",
    seed=7,
    kit="techno",
    log=("port 'out' is back",),
)
GOLDEN = """\
port 'out' is back
playing    3.2  124.00 BPM  internal  rules house seed 7 kit techno
energy    ██████████░░░░░░░░░░ 0.50  measured 0.25
1 kick    │█ · · · │█ · · · │█ · · · │█ · · · │
2 snare  M│· · · · │▓'· · · │· · · · │· · · · │
3 hihat   │· · ▒ · │· · ▒ · │· · ▒ · │· · ▒ · │
4 cymbal  │· · · · │· · · · │· · · · │· · · · │
5 bass  L │░=· · · │· · · · │· · · · │· · · · │
                      ▲
space play/stop  r regenerate  c calmer  e energetic  u undo  ? keys  q quit"""


def test_frame_is_as_drawn() -> None:
    assert "\n".join(frame(STATE)) == GOLDEN


def test_frame_without_blocks_has_the_same_shape() -> None:
    plain = "\n".join(frame(STATE, ascii_only=True))
    swapped = GOLDEN.translate(str.maketrans({"│": "|", "▲": "^", "·": ".", "▒": "+", "▓": "*"}))
    swapped = swapped.replace("█ .", "# .").replace("█", "#")
    assert plain.isascii()
    assert plain == swapped.replace("░=", "-=").replace("░", ".")


def test_frame_fits_the_terminal_and_colour_changes_no_text() -> None:
    assert all(len(line) <= 40 for line in frame(STATE, 40))
    coloured = frame(STATE, colour=True)
    bare = [line.replace("\x1b[", "\0").split("\0") for line in coloured]
    assert ["".join([parts[0], *(part.partition("m")[2] for part in parts[1:])]) for parts in bare] == frame(STATE)
    assert any("\x1b[" in line for line in coloured)


def test_energy_knob_lets_candidates_in() -> None:
    assert "3 hihat   │· · · ·" in bar_grid(PATTERN, 0.2)
    assert "4 cymbal  │· █ · ·" in bar_grid(PATTERN, 1.0)
    assert "3 hihat   │· · ▒ ·" in "\n".join(frame(ViewState(pattern=PATTERN, knob=0.2, densities={Lane.HIHAT: 0.4})))


def test_stopped_view_has_no_playhead_and_says_who_gives_the_clock() -> None:
    following = ViewState(Transport(State.STOPPED, 120.5, Position(0), Source.MIDI, ClockState.LOCKED))
    assert "▲" not in "\n".join(frame(following))
    assert status_line(following) == "stopped    1.1  120.50 BPM  midi (locked)"


def test_bar_grid_has_a_title_and_five_lanes() -> None:
    lines = bar_grid(PATTERN, title="bar 3").splitlines()
    assert lines[0].startswith("bar 3  rules seed 7  energy 0.")
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("typed", "now", "sent"),
    [
        (" ", Situation(State.STOPPED), ("/hitloop/transport/play", ())),
        (" ", Situation(State.PLAYING), ("/hitloop/transport/stop", ())),
        (" ", Situation(State.ARMED), ("/hitloop/transport/stop", ())),
        ("3", Situation(), ("/hitloop/lane/hihat/regenerate", ())),
        ("l5", Situation(), ("/hitloop/lane/bass/lock", (True,))),
        ("l5", Situation(locked=frozenset({Lane.BASS})), ("/hitloop/lane/bass/lock", (False,))),
        ("m1", Situation(), ("/hitloop/lane/kick/mute", (True,))),
        ("lr", Situation(), ("/hitloop/gen/regenerate", ())),
        ("U", Situation(), ("/hitloop/pattern/redo", ())),
        ("=", Situation(bpm=120), ("/hitloop/transport/bpm", (121.0,))),
        ("-", Situation(bpm=20.5), ("/hitloop/transport/bpm", (20.0,))),
        ("l", Situation(), None),
        ("?", Situation(), None),
        ("x", Situation(), None),
        ("\x1b[A", Situation(), None),
    ],
)
def test_keys_send_what_an_osc_client_would(
    typed: str, now: Situation, sent: tuple[str, tuple[object, ...]] | None
) -> None:
    board = Keyboard()
    chars = [typed] if typed.startswith("\x1b") else list(typed)
    assert [board.press(char, now) for char in chars][-1] == sent


def test_help_lists_every_key_once() -> None:
    assert len(BY_KEY) == len(PRESSES) == len(help_lines())
    shown = "\n".join(frame(ViewState(help=True)))
    assert all(press.doc in shown for press in PRESSES)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_screen_redraws_in_place_and_logs_above() -> None:
    out = Tty()
    screen = Screen(out)
    screen.draw(["a", "b"])
    screen.log("news")
    assert out.getvalue() == "a\x1b[K\nb\x1b[K\n\x1b[J" + "\x1b[2A\r\x1b[Jnews\n" + "a\x1b[K\nb\x1b[K\n\x1b[J"


def test_screen_into_a_pipe_is_plain_lines() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.draw(["a"])
    screen.log("news")
    assert out.getvalue() == "news\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_keys_come_one_by_one_and_the_terminal_is_put_back_after_an_error() -> None:
    import pty
    import termios

    master, slave = pty.openpty()
    with os.fdopen(slave, encoding="utf-8") as stdin:
        before = termios.tcgetattr(slave)
        with contextlib.suppress(KeyError), keys(stdin, io.StringIO()) as read:
            assert termios.tcgetattr(slave) != before
            os.write(master, b"r\x1b[Al3")
            assert [read(2.0) for _ in "four"] == ["r", "\x1b[A", "l", "3"]
            assert read(0.0) == ""
            raise KeyError
        assert termios.tcgetattr(slave) == before
    os.close(master)


def test_keys_of_a_pipe_are_none() -> None:
    with keys(io.StringIO("r"), io.StringIO()) as read:
        assert read(0.0) == ""
