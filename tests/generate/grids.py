"""A bar as five lines of text, for tests that read like a score."""

from __future__ import annotations

from hitloopd.core.pattern import LANES, Lane, Pattern

SHADES = ((0.85, "X"), (0.6, "x"), (0.35, "o"), (0.0, "."))


def grid(pattern: Pattern, knob: float = 1.0) -> str:
    """Drums by velocity (X x o .), several hits in a cell as %, bass by semitone 0..f."""
    return "\n".join(f"{lane.value:7}{_row(pattern.at(knob), lane)}" for lane in LANES)


def _row(pattern: Pattern, lane: Lane) -> str:
    row = ["-"] * 16
    for note in pattern.lane(lane):
        shade = next(mark for least, mark in SHADES if note.velocity > least)
        row[note.cell] = f"{note.pitch:x}" if lane is Lane.BASS else shade if row[note.cell] == "-" else "%"
    return " ".join("".join(row[beat : beat + 4]) for beat in range(0, 16, 4))


if __name__ == "__main__":
    import sys

    from hitloopd.core.energy import measured
    from hitloopd.core.request import Request
    from hitloopd.generate.rules import Rules

    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for style in Rules.styles:
        bar = Rules().generate(Request("rules", seed, style))
        print(f"{style}: energy {' '.join(f'{measured(bar, knob / 4):.2f}' for knob in range(5))}")
        print(grid(bar, 0.5))
