"""Broken beats: breakbeat, UK garage, drum and bass, jungle, footwork."""

from __future__ import annotations

from typing import Final

from hitloopd.generate.styles.table import Bass, Line, Roll, Row, Style

BREAKBEAT: Final = Style(
    name="breakbeat",
    about="a chopped funk break: kick on one and after three, snare on two and four, ghosts in between",
    bpm=(124, 138),
    swing=0.54,
    broken=True,
    kick=(
        Row("X.6. ..3. .3X. .2..", force="X.7. ..6. .69. .6..", weight=4),
        Row("X.X. ...2 .3X. ...2", force="X.8. ...6 .79. ...6", weight=3),
        Row("X..3 ..X. ..X. .2.1", force="X..7 ..8. ..9. .6.6", weight=3),
        Row("X... ..2X .4X. ..2.", force="X... ..68 .79. ..6.", weight=2),
    ),
    snare=(
        Row("...1 X..4 .3.1 X..3", force="...2 9..3 .3.2 9..4", late=(0, 2, 0, 2), weight=4),
        Row("...1 X..5 .5.. X.13", force="...2 9..4 .4.. 9.35", weight=3),
        Row("..1. X..3 .4.2 X..4", force="..2. 9..3 .4.3 9..5", weight=3),
        Row("...2 X..1 .2.4 X.3.", force="...3 9..3 .3.4 9.5.", weight=2),
    ),
    hihat=(
        Row("9292 9292 9292 9293", force="7363 7363 7363 7364", repeat=8, weight=4),
        Row("9484 9484 9484 9485", force="7454", repeat=8, weight=2),
        Row("9.92 9.94 9.92 9.36", force="8.64 8.65 8.64 8.56", repeat=8, weight=2),
    ),
    cymbal=(
        Row("2... ..2. .... ..7.", force="8... ..7. .... ..8.", weight=3, length=120),
        Row("2... .... ..3. ..6.", force="8... .... ..7. ..7.", weight=2, length=120),
    ),
    bass=Bass(
        lines=(
            Line("X..7 ..7. ..X. .5.4", hold="2..1 ..1. ..2. .1.1", octave="...3 ..2. .... .3.3", weight=3),
            Line("X.5. ...7 .5X. ..6.", hold="2.1. ...1 .12. ..1.", octave="..4. ...3 .... ..3.", weight=3),
            Line("X... ..86 ..X. 5..6", hold="3... ..11 ..2. 1..1", octave=".... ..33 .... 3..3", weight=2),
            Line("X7.7 ..7. X7.7 ..75", hold="hh.1 ..1. hh.1 ..1h", octave="...3 ..3.", weight=2),
        ),
        degrees=((1, 7), (3, 3), (7, 3), (4, 3), (5, 2), (8, 2)),
        motion=(4, 3, 3),
        turn=0.5,
        kick=0.2,
        slide=0.1,
    ),
)

UK_GARAGE: Final = Style(
    name="uk-garage",
    about="two-step: the kick skips, snares on two and four, hats that shuffle hard, a warped round bass",
    bpm=(128, 135),
    swing=0.59,
    kick=(
        Row("X... ..2. ..X. ...2", force="X... ..7. ..9. ...6", weight=4),
        Row("X... ...3 ..X. .2..", force="X... ...7 ..9. .6..", weight=3),
        Row("X..2 .... .7X. ....", force="X..6 .... .79. ....", weight=2),
        Row("X... ..7. ...X ..3.", force="X... ..8. ...8 ..6.", weight=2),
    ),
    snare=(
        Row(".... X..5 .3.. X..4", force=".... 9..4 .4.. 9..4", late=(0, 0, 0, -2), weight=4),
        Row("...4 X... .4.3 X.3.", force="...3 9... .4.4 9.4.", weight=3),
        Row("...2 X.3. .2.5 X..3", force="...3 9.4. .3.5 9..5", weight=3),
    ),
    hihat=(
        Row("4296 4296 4296 4297", force="4474 4475 4474 4475", repeat=8, weight=4),
        Row("2793 2783 2793 2784", force="3574 3574 3574 3575", repeat=8, weight=3),
        Row(
            "4.97 .397 4.97 .397",
            force="5.76 .476 5.76 .476",
            repeat=8,
            rolls=(Roll(15, 1, 2, 0.3, (0.6, 0.5)),),
            weight=2,
        ),
    ),
    cymbal=(
        Row("..2. ..3. ..2. ..7.", force="..6. ..6. ..6. ..7.", weight=3, length=100),
        Row(".... ..6. .... ..6.", force=".... ..7. .... ..7.", weight=2, length=100),
    ),
    bass=Bass(
        lines=(
            Line("X..7 ..5. .X.. 6.5.", hold="2..2 ..1. .3.. 1.2.", octave="...3 ..2. .2.. 3...", weight=3),
            Line("X... ...8 ..X. .6.4", hold="3... ...2 ..2. .2.1", octave=".... ...3 .... .3.3", weight=3),
            Line("..X. .7.. ..X7 ..5.", hold="..2. .2.. ..12 ..1.", octave=".... .3.. ...4 ..2.", weight=2),
            Line("X7.. ..8. .7X. ..64", hold="12.. ..2. .12. ..11", octave=".3.. ..3. .... ..4.", weight=2),
        ),
        degrees=((1, 7), (5, 3), (3, 3), (7, 3), (8, 3), (4, 2)),
        motion=(3, 3, 4),
        turn=0.5,
        slide=0.25,
    ),
)

DRUM_AND_BASS: Final = Style(
    name="drum-and-bass",
    about="kick on one and after three, snare on two and four, fast hats and ghosts, a long low bass underneath",
    bpm=(170, 176),
    broken=True,
    kick=(
        Row("X.1. ..1. .2X. .1.2", force="X.7. ..6. .79. .6.6", weight=5),
        Row("X.4. .... ..X. .2..", force="X.8. .... ..9. .6..", weight=3),
        Row("X... ..3. ..X. ..1.", force="X... ..8. ..9. ..6.", weight=2),
        Row("X.7. .... .4X. ....", force="X.9. .... .79. ....", weight=2),
    ),
    snare=(
        Row("..12 X..5 .5.1 X124", force="..22 X..3 .3.2 X234", weight=5),
        Row(".1.. X..5 .3.1 X.24", force=".2.. X..3 .3.2 X.34", weight=3),
        Row("...2 X..3 .4.. X..4", force="...3 X..4 .4.. X..5", weight=2),
        Row("...1 X..6 .6.2 X.23", force="...2 X..4 .4.3 X.46", weight=2),
    ),
    hihat=(
        Row("9797 9797 9797 9797", force="7484 7484 7484 7485", repeat=8, weight=4),
        Row("9494 9495 9494 9496", force="8473", repeat=8, weight=3),
        Row("8686 8686 8686 8688", force="7565 7565 7565 7566", repeat=8, weight=2),
    ),
    cymbal=(
        Row("4.3. 2.3. 2.3. 2.6.", force="9.6. 6.6. 7.6. 6.7.", weight=3, length=100),
        Row("4.5. 4.5. 4.5. 4.5.", force="7.5. 6.5. 7.5. 6.5.", weight=2, length=120),
        Row("3... .... ..5. ..3.", force="9... .... ..7. ..6.", weight=2, length=110),
    ),
    bass=Bass(
        lines=(
            Line("X.2. ..25 ..7. 2.42", hold="7.1. ..13 ..4. 1.21", octave=".... ...2 .... ..2.", force="9", weight=4),
            Line("X..6 ..7. ..X. .5.4", hold="3..3 ..4. ..3. .2.2", octave="...2 ..2. .... .3.3", weight=3),
            Line("X..2 ..7. .2.. 7.53", hold="6..1 ..6. .2.. 2.21", weight=2),
            Line("X.6. 7..6 .7X. 6.54", hold="1.1. 2..2 .12. 1.11", octave="..3. ...3 .... ..33", weight=3),
        ),
        degrees=((1, 8), (2, 2), (3, 3), (7, 3), (6, 2), (5, 2), (8, 2)),
        motion=(4, 3, 3),
        motif=16,
        turn=0.4,
        kick=0.1,
        slide=0.3,
    ),
)

JUNGLE: Final = Style(
    name="jungle",
    about="a sped-up funk break in pieces: doubled kicks, snares that land late in the bar, rushes, deep sub bass",
    bpm=(158, 170),
    swing=0.53,
    broken=True,
    kick=(
        Row("X.X. ...1 .1XX ....", force="X.9. ...6 .698 ....", weight=4),
        Row("X.X. ..1. ..X. ....", force="X.9. ..6. ..9. ....", weight=3),
        Row("X..8 ..X. ..X. .4..", force="X..8 ..8. ..9. .7..", weight=3),
        Row("X.X. ...3 X.7. ..4.", force="X.8. ...6 9.8. ..7.", weight=2),
    ),
    snare=(
        Row(
            "...1 X..X .X.1 X.28",
            force="...2 9..5 .5.3 9.45",
            late=(0, 3, 0, 3),
            rolls=(Roll(14, 2, 4, 0.3, (0.5, 0.8)),),
            weight=4,
        ),
        Row(
            "...1 X..X .8.2 ..X6",
            force="...2 9..5 .5.4 ..95",
            late=(0, 3, 0, 3),
            rolls=(Roll(12, 2, 4, 0.25, (0.4, 0.7)),),
            weight=3,
        ),
        Row(
            "..2. X..7 .7.X ..X4",
            force="..4. 9..4 .4.8 ..95",
            rolls=(Roll(13, 1, 2, 0.35, (0.5, 0.6)), Roll(7, 1, 2, 0.25, (0.4, 0.4))),
            weight=3,
        ),
        Row(
            "...3 X..X .3.. X7.X",
            force="...4 9..6 .4.. 96.7",
            rolls=(Roll(12, 4, 6, 0.3, (0.6, 0.9)),),
            weight=2,
        ),
    ),
    hihat=(
        Row("9.92 9.92 9.92 9.93", force="8.74 8.74 8.74 8.74", repeat=8, late=(0, 3, 2, 3), weight=4),
        Row("9.84 7.94 9.84 7.95", force="8.64 7.74 8.64 7.75", repeat=8, weight=3),
    ),
    cymbal=(
        Row("2.1. ..2. ..6. ..2.", force="8.6. ..6. ..9. ..6.", weight=3, length=120),
        Row("4... ..2. .... ..5.", force="8... ..6. .... ..7.", weight=2, length=120),
    ),
    bass=Bass(
        lines=(
            Line("X..2 ..6. .2.. 2.52", hold="6..1 ..6. .2.. 1.21", weight=3),
            Line("X..7 ..X. .... 5.4.", hold="3..3 ..6. .... 2.2.", octave="...1 .... .... 2.2.", weight=3),
            Line("X... .5.. X..6 ..6.", hold="4... .3.. 3..3 ..2.", octave=".... .... .... ..3.", weight=3),
            Line("X.7. .... ..X. 7.5.", hold="2.4. .... ..2. 2.2.", octave="..3. .... .... 3.3.", weight=2),
        ),
        degrees=((1, 8), (5, 4), (3, 3), (7, 3), (4, 3), (8, 2)),
        motion=(3, 2, 4),
        motif=16,
        turn=0.4,
        slide=0.15,
    ),
)

FOOTWORK: Final = Style(
    name="footwork",
    about="kicks in threes against the bar, a clap late in it, sparse hats, tom-like sub bass with the kick",
    bpm=(158, 162),
    kick=(
        Row("X..X ..X. .7.. 8.5.", force="X..8 ..9. .8.. 8.7.", weight=4),
        Row(
            "X..X ..7. X..X ..7.",
            force="X..8 ..9. X..8 ..8.",
            rolls=(Roll(12, 4, 6, 0.3, (0.7, 0.8)),),
            weight=3,
        ),
        Row("X..8 X..X ..X. .7.3", force="X..8 9..8 ..9. .8.6", rolls=(Roll(12, 2, 3, 0.35, (0.7, 0.8)),), weight=3),
    ),
    snare=(
        Row(".1.2 ..3. .2.. X.23", force=".4.4 ..5. .4.. X.56", weight=4),
        Row("...2 .... 7... X...", force="...4 .... 8... X...", rolls=(Roll(14, 2, 3, 0.4, (0.5, 0.7)),), weight=3),
        Row(".... 6..2 .2.. X.33", force=".... 8..4 .4.. X.56", weight=2),
    ),
    hihat=(
        Row(
            "..X. ..92 ..9. 2.94",
            force="..8. ..75 ..8. 5.75",
            repeat=8,
            rolls=(Roll(10, 2, 3, 0.35, (0.6, 0.5)),),
            weight=3,
        ),
        Row(
            "4.93 .393 4.93 .395",
            force="6.84 .474 6.84 .475",
            repeat=8,
            rolls=(Roll(14, 2, 4, 0.3, (0.5, 0.7)),),
            weight=3,
        ),
    ),
    cymbal=(
        Row(".... ..5. .... ..4.", force=".... ..7. .... ..7.", weight=3, length=90),
        Row("..4. .... ..6. ....", force="..7. .... ..7. ....", weight=2, length=90),
    ),
    bass=Bass(
        lines=(
            Line("X..X ..7. .6.. 6.4.", hold="3..3 ..3. .2.. 2.2.", octave="...2 ..2. .3.. ....", force="9", weight=3),
            Line("X... ..X. .... 7..5", hold="5... ..5. .... 2..1", octave=".... ..2. .... 3...", weight=3),
            Line("X..7 X..7 X..7 6.6.", hold="2..1 2..1 2..1 1.1.", octave="...3", weight=2),
        ),
        degrees=((1, 7), (3, 3), (7, 3), (6, 2), (5, 2), (8, 2)),
        motion=(5, 3, 3),
        motif=16,
        turn=0.5,
        kick=0.3,
        slide=0.2,
    ),
)

STYLES: Final = (BREAKBEAT, UK_GARAGE, DRUM_AND_BASS, JUNGLE, FOOTWORK)
