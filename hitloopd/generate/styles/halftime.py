"""Slow backbeats: trap, hip-hop, dubstep, reggaeton."""

from __future__ import annotations

from typing import Final

from hitloopd.generate.styles.table import Bass, Line, Roll, Row, Style

TRAP_ROLLS: Final = (
    Roll(6, 2, 3, 0.30, (0.6, 0.5)),
    Roll(10, 2, 4, 0.30, (0.5, 0.7)),
    Roll(14, 2, 4, 0.55, (0.4, 0.7)),
    Roll(12, 4, 6, 0.25, (0.5, 0.8)),
    Roll(3, 1, 2, 0.30, (0.6, 0.5)),
)

TRAP: Final = Style(
    name="trap",
    about="half-time snare on three, hats that stutter from eighths into rolls, an 808 that is kick and bass at once",
    bpm=(130, 150),
    kick=(
        Row("X..1 ..7. .26. .3.2", force="X..8 ..9. .89. .8.7", weight=4),
        Row("X..7 .... ..X. ..3.", force="X..9 .... ..9. ..8.", weight=3),
        Row("X... ...6 ..7. ...5", force="X... ...9 ..9. ...8", weight=3),
        Row("X.5. ..7. ...7 ..3.", force="X.8. ..9. ...9 ..8.", weight=2),
    ),
    snare=(
        Row("...1 ..2. X..2 .1.3", force="...4 ..4. X..4 .4.5", weight=4),
        Row("...1 .... X... ..21", force="...4 .... X... ..64", rolls=(Roll(15, 1, 3, 0.3, (0.5, 0.7)),), weight=3),
    ),
    hihat=(
        Row("X292 9292 X292 9292", force="8474 8474 8474 8475", repeat=8, rolls=TRAP_ROLLS, weight=4),
        Row("X494 9394 X494 9396", force="8564", repeat=8, rolls=TRAP_ROLLS[1:], weight=3),
        Row(
            "X.84 8.74 X.84 8.74",
            force="8.65",
            repeat=8,
            rolls=(*TRAP_ROLLS, Roll(0, 4, 6, 0.25, (0.7, 0.5))),
            weight=2,
        ),
    ),
    cymbal=(
        Row(".... ..3. .... ..5.", force=".... ..7. .... ..7.", weight=3, length=120),
        Row("2..4 .... ...3 ..3.", force="9..7 .... ...7 ..7.", weight=2, length=120),
    ),
    bass=Bass(
        lines=(
            Line("X..2 ..6. ..5. .3.2", hold="6..2 ..4. ..3. .3.1", octave=".... ..1. ..2. .2..", force="9", weight=4),
            Line("X..5 .... ..8. ..5.", hold="3..6 .... ..4. ..2.", octave="...1 .... ..1. ..3.", force="9", weight=3),
            Line("X... ...6 ..6. 4..5", hold="7... ...3 ..2. 3..1", octave=".... ...2 ..2. ...4", force="9", weight=3),
        ),
        degrees=((1, 8), (6, 3), (7, 3), (3, 3), (5, 2), (2, 2), (8, 1)),
        motion=(4, 3, 3),
        motif=16,
        turn=0.5,
        kick=0.4,
        slide=0.35,
    ),
)

HIP_HOP: Final = Style(
    name="hip-hop",
    about="boom bap: kick, lazy snare, kick-kick, snare; swung hats; a bass that walks with the kick",
    bpm=(84, 98),
    swing=0.58,
    kick=(
        Row("X... ...4 ..X. ....", force="X... ...7 ..9. ....", late=(0, 4, 4, 4), weight=4),
        Row("X.2. ..21 .4X. .2.2", force="X.7. ..76 .79. .6.6", late=(0, 4, 4, 4), weight=3),
        Row("X..5 ...2 ..X5 ....", force="X..7 ...6 ..97 ....", late=(0, 4, 4, 4), weight=3),
        Row("X... ..5. .7X. ...2", force="X... ..8. .79. ...6", late=(0, 4, 4, 4), weight=2),
    ),
    snare=(
        Row(".1.. X..2 .2.1 X..3", force=".3.. 9..3 .3.3 9..4", late=(6, 4, 4, 6), weight=4),
        Row("...1 X..2 .2.. X.12", force="...2 9..3 .3.. 9.34", late=(9, 4, 4, 6), weight=3),
        Row(".... X... .1.3 X...", force=".... 9... .3.4 9...", late=(12, 4, 4, 4), weight=2),
    ),
    hihat=(
        Row("9191 9192 9191 9193", force="7353 7354 7353 7354", repeat=8, late=(2, 0, 4, 2), weight=4),
        Row("9282 9283 9282 9283", force="7353 7354", repeat=8, late=(2, 0, 4, 2), weight=3),
        Row("9.93 .494 9.93 .494", force="7.54 .454", repeat=8, weight=2),
    ),
    cymbal=(
        Row("1... .... .... ..5.", force="8... .... .... ..6.", weight=3, length=120),
        Row(".... ..4. .... ....", force=".... ..6. .... ....", weight=2, length=120),
    ),
    bass=Bass(
        lines=(
            Line("X.1. ..15 ..X. .423", hold="4.1. ..12 ..3. .211", octave="...1", weight=4),
            Line("X..6 .... .5X. ...5", hold="3..2 .... .13. ...1", octave="...2 .... .... ...3", weight=3),
            Line("X.4. ..5. ..X. 5.4.", hold="2.2. ..2. ..2. 2.1.", octave=".... ..2. .... ..3.", weight=2),
        ),
        degrees=((1, 7), (5, 3), (3, 3), (7, 3), (4, 3), (6, 1), (8, 1)),
        motion=(3, 4, 3),
        motif=16,
        turn=0.5,
        kick=0.3,
        slide=0.1,
        late=(2, 6, 6, 6),
    ),
)

DUBSTEP: Final = Style(
    name="dubstep",
    about="half-time: kick on one, a huge snare on three, skipping hats, sub bass that holds, growls and wobbles",
    bpm=(138, 142),
    swing=0.54,
    kick=(
        Row("X..1 ..3. ..3. .1.2", force="X..7 ..8. ..8. .6.6", weight=4),
        Row("X..5 .... ..5. .2..", force="X..8 .... ..8. .6..", weight=3),
        Row("X... ...4 ...5 ..3.", force="X... ...8 ...8 ..7.", weight=2),
    ),
    snare=(
        Row(".1.. ..12 X..1 .123", force=".3.. ..33 X..3 .345", weight=4),
        Row("...1 ..2. X... ...2", force="...3 ..4. X... ...5", weight=3),
    ),
    hihat=(
        Row(
            "6175 .385 6175 .485",
            force="6465 .464 6465 .465",
            repeat=8,
            rolls=(Roll(14, 2, 3, 0.35, (0.6, 0.4)),),
            weight=4,
        ),
        Row(
            "8192 8193 3192 8194",
            force="6454 6454 6454 6454",
            repeat=8,
            rolls=(Roll(6, 2, 3, 0.3, (0.6, 0.4)),),
            weight=3,
        ),
        Row("..92 .8.3 ..92 .8.4", force="..64 .6.4 ..64 .6.5", repeat=8, weight=2),
    ),
    cymbal=(
        Row("2... .... .... ..4.", force="8... .... .... ..6.", weight=3, length=120),
        Row("...2 ..3. .... ..2.", force="...6 ..6. .... ..6.", weight=2, length=100),
    ),
    bass=Bass(
        lines=(
            Line("X... 2.4. ..5. 2.32", hold="8... 2.4. ..4. 1.21", force="9", weight=4),
            Line("X.4. 5.4. X.4. 5.43", hold="2", octave="..1. ..2.", force="9", weight=3),
            Line("X..6 ..5. .... 5.4.", hold="3..3 ..8. .... 2.2.", octave="...1 .... .... ..2.", force="9", weight=3),
            Line("X... 5... ..6. 4545", hold="4... 4... ..2. 1111", octave=".... .... ..2. .3.3", force="9", weight=2),
        ),
        degrees=((1, 10), (2, 3), (3, 2), (7, 2), (6, 2), (5, 1), (8, 1)),
        motion=(6, 3, 2),
        motif=16,
        turn=0.4,
        slide=0.25,
    ),
)

REGGAETON: Final = Style(
    name="reggaeton",
    about="dembow: kick on every beat, the snare in three-three-two against it, bass with the snare's push",
    bpm=(88, 100),
    kick=(
        Row("X... X... X... X...", force="X... 9... X... 9...", weight=4),
        Row("X... X.2. X... X.2.", force="X... 9.6. X... 9.6.", weight=2),
        Row("X..2 X... X..2 X..2", force="X..6 9... X..6 9..6", weight=2),
    ),
    snare=(
        Row("...X ..X. ...X ..X.", force="...8 ..9. ...8 ..9.", weight=5),
        Row("...X ..X1 ...X ..X3", force="...8 ..94 ...8 ..96", weight=2),
        Row(
            "...X ..X. .1.X ..X.",
            force="...8 ..9. .4.8 ..9.",
            rolls=(Roll(14, 2, 4, 0.3, (0.9, 0.6)),),
            weight=2,
        ),
    ),
    hihat=(
        Row("9191 9191 9191 9193", force="6454 6454 6454 6454", repeat=8, weight=3),
        Row("9494 9494 9494 9495", force="6454", repeat=8, weight=3),
        Row("1.93 1.93 1.93 1.94", force="5.64", repeat=8, weight=2),
    ),
    cymbal=(
        Row(".... ..2. .... ..4.", force=".... ..6. .... ..6.", weight=3, length=110),
        Row("2... .... ..3. ....", force="8... .... ..6. ....", weight=2, length=110),
    ),
    bass=Bass(
        lines=(
            Line("X..8 ..8. X..8 ..7.", hold="3..3 ..2. 3..3 ..2.", octave="...1", weight=4),
            Line("X... ..7. X..5 ..6.", hold="5... ..2. 3..2 ..2.", octave=".... ..2. .... ..2.", weight=3),
            Line("X..7 .... X.5. ..75", hold="3..4 .... 2.3. ..11", octave="...2 .... .... ...3", weight=2),
        ),
        degrees=((1, 7), (5, 4), (6, 3), (7, 3), (3, 2), (4, 2)),
        motion=(5, 2, 4),
        motif=16,
        turn=0.4,
        slide=0.1,
    ),
)

STYLES: Final = (TRAP, HIP_HOP, DUBSTEP, REGGAETON)
