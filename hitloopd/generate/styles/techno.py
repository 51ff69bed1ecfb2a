"""Machine music: techno, minimal, acid, trance, psytrance, electro."""

from __future__ import annotations

from typing import Final

from hitloopd.generate.styles.table import Bass, Line, Roll, Row, Style

TECHNO: Final = Style(
    name="techno",
    about="a kick like a piston, off-beat hats, hissing sixteenths, a low rumble that fills the gaps",
    bpm=(128, 140),
    kick=(
        Row("X... X... X... X...", force="X", weight=4),
        Row("X... X... X... X.2.", force="X... X... X... X.6.", weight=2),
        Row("X..1 X... X..2 X...", force="X..5 X... X..5 X...", weight=1),
    ),
    snare=(
        Row("...1 7..2 .1.2 7322", force="...4 8..4 .4.4 8456", weight=3),
        Row("...3 ..4. .4.3 ..42", force="...5 ..6. .5.4 ..64", weight=3),
        Row(".... 8.2. ...3 8..3", force=".... 8.4. ...4 8..5", weight=2),
    ),
    hihat=(
        Row("7589 7589 7589 7589", force="5375 5375 5375 5375", repeat=4, weight=4),
        Row("8383 8383 8383 8385", force="6374 6374 6374 6375", repeat=4, weight=2),
        Row("6777 6777 6777 6777", force="4556 4556 4556 4556", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..8.", late=(0, 0, -2, 0), weight=4, length=100),
        Row("3.X. 3.X. 3.X. 3.X.", force="5.8.", weight=2, length=120),
    ),
    bass=Bass(
        lines=(
            Line(".7X8 .7X8 .7X8 .7X8", hold="h", force=".678", weight=4),
            Line("..X5 ..X5 ..X5 ..X6", hold="..1h", octave="...2", force="..86", weight=2),
            Line("X..7 ..8. .7.. 8.7.", hold="1..1 ..1. .1.. 1.1.", octave="...2", weight=2),
            Line(".5X. .5X5 .5X. 4X.5", hold="h", octave=".... ...4 .... .3..", weight=2),
        ),
        degrees=((1, 12), (2, 2), (3, 2), (7, 2), (8, 2), (5, 1)),
        motion=(8, 1, 2),
        motif=8,
        turn=0.3,
        kick=-0.2,
    ),
)

MINIMAL: Final = Style(
    name="minimal",
    about="dry kick, few and small things in odd places, a bass of two or three blips",
    bpm=(122, 128),
    swing=0.53,
    kick=(
        Row("X... X... X... X...", force="9", weight=4),
        Row("X... X... X... X.1.", force="9... 9... 9... 9.4.", weight=2),
    ),
    snare=(
        Row(".... X... .... X...", force=".... 6... .... 6...", weight=3),
        Row("...2 6... ..2. X..2", force="...3 6... ..3. 6..3", weight=2),
        Row(".... ..3. .3.. X...", force=".... ..4. .4.. 7...", weight=2),
    ),
    hihat=(
        Row("..X1 ..9. .1X. ..93", force="..54 ..5. .35. ..53", repeat=4, weight=3),
        Row("..X3 .29. ..X1 3.93", force="..54 .35. ..54 3.54", repeat=4, weight=3),
        Row(".3X. .392 .3X. .394", force=".36. .364 .36. .364", repeat=4, weight=2),
    ),
    cymbal=(
        Row(".... ..2. .... ..5.", force=".... ..5. .... ..6.", weight=3, length=60),
        Row("...1 .... ..4. ...2", force="...5 .... ..5. ...5", weight=2, length=60),
    ),
    bass=Bass(
        lines=(
            Line("..X. .... ..6. ...3", hold="..h. .... ..h. ...h", octave=".... .... ..2. ...3", weight=3),
            Line("X... ...6 .... ..4.", hold="h... ...h .... ..h.", octave="...3", weight=3),
            Line("...X ..5. .... .5..", hold="...h ..1. .... .h..", weight=3),
            Line("..X. ...5 .4.. ..5.", hold="..1. ...h .h.. ..h.", octave="...4", weight=2),
        ),
        degrees=((1, 7), (3, 3), (7, 3), (2, 2), (5, 2), (8, 2)),
        motion=(4, 2, 4),
        motif=16,
        turn=0.3,
        kick=-0.1,
    ),
)

ACID: Final = Style(
    name="acid",
    about="four on the floor, 808 claps and hats, and the silver box: sixteenths with slides, octaves and accents",
    bpm=(124, 136),
    kick=(
        Row("X... X... X... X...", force="X", weight=4),
        Row("X... X... X... X..2", force="X... X... X... X..6", weight=2),
    ),
    snare=(
        Row("...1 X..1 .2.1 X223", force="...4 8..4 .4.4 8455", weight=4),
        Row(".... X..1 ..1. X.23", force=".... 8..4 ..4. 8.56", weight=2),
    ),
    hihat=(
        Row("83.6 83.6 83.6 83.6", force="64.5 64.5 64.5 64.5", repeat=4, weight=3),
        Row("9595 9595 9595 9595", force="6464", repeat=4, weight=2),
    ),
    cymbal=(Row("..X. ..X. ..X. ..X.", force="..8.", weight=1, length=100),),
    bass=Bass(
        lines=(
            Line("X677 5787 X767 5877", hold="h1h1 1h1h", octave="1323 2143", force="9575 6867", weight=3),
            Line(
                "X.8X .7X. 8.X7 .8.8",
                hold="1.h1 .h1. h.1h .1.h",
                octave="..4. .3.. ..4. .4.3",
                force="9.69 .69. 6.96 .7.7",
                weight=3,
            ),
            Line("X77. X77. X77. X.77", hold="1hhh", octave=".33. 2.4.", force="9666", weight=2),
        ),
        degrees=((1, 8), (8, 4), (3, 3), (7, 3), (5, 2), (2, 2), (4, 1)),
        motion=(4, 2, 5),
        motif=16,
        turn=0.2,
        slide=0.35,
    ),
)

TRANCE: Final = Style(
    name="trance",
    about="driving kick, open hats on every off-beat, sixteenth hats, the bass pumping behind the kick",
    bpm=(134, 142),
    kick=(
        Row("X... X... X... X...", force="X", weight=5),
        Row("X... X... X... X.2.", force="X... X... X... X.6.", weight=1),
    ),
    snare=(
        Row(
            ".... X... .... X...",
            force=".... 9... .... 9...",
            rolls=(Roll(14, 2, 4, 0.3, (0.5, 0.8)),),
            weight=4,
        ),
        Row("...1 X..2 .2.1 X234", force="...4 9..4 .4.4 9567", weight=2),
    ),
    hihat=(
        Row("79.9 79.9 79.9 79.9", force="55.6 55.6 55.6 55.6", repeat=4, weight=4),
        Row("6848 6848 6848 6848", force="5646", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..9.", weight=4, length=110),
        Row("4.X. ..X. ..X. ..X.", force="X.8. ..8. ..8. ..8.", weight=2, length=110),
        Row("3.X. 3.X. 3.X. 3.X.", force="6.8.", weight=1, length=110),
    ),
    bass=Bass(
        lines=(
            Line("..X. ..X. ..X. ..X3", hold="..2h", force="..97", weight=4),
            Line(".6X7 .6X7 .6X7 .6X7", hold=".hhh", octave="...2", force=".687", weight=4),
            Line(".4X7 .4X7 .4X7 .4X8", hold=".h1h", octave="...6", force=".697", weight=3),
            Line("..X7 .X.7 ..X7 .X74", hold="..1h .1.h ..1h .1hh", octave="...4 ...3", weight=2),
        ),
        degrees=((1, 9), (7, 3), (6, 3), (3, 2), (5, 2), (8, 2)),
        motion=(6, 2, 3),
        motif=16,
        turn=0.5,
        kick=-0.2,
    ),
)

PSYTRANCE: Final = Style(
    name="psytrance",
    about="kick, then three bass sixteenths, without end; hats tick off the beat",
    bpm=(138, 148),
    kick=(Row("X... X... X... X...", force="X", weight=1),),
    snare=(
        Row("...2 9..1 .2.2 9.23", force="...4 8..4 .4.4 8.56", weight=3),
        Row("...1 X... ..1. X.22", force="...5 8... ..5. 8.56", weight=2),
        Row(".... X..2 .2.. X..3", force=".... 8..4 .4.. 8..6", weight=2),
    ),
    hihat=(
        Row("39.9 39.9 39.9 39.9", force="45.5 45.5 45.5 45.5", repeat=4, weight=3),
        Row("5839 5839 5839 5839", force="4536", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..8.", weight=3, length=80),
        Row("2.X. ..X. ..X. ..X3", force="X.8. ..8. ..8. ..86", weight=1, length=80),
    ),
    bass=Bass(
        lines=(
            Line(".9X9 .9X9 .9X9 .9X9", hold="h", force=".789", weight=4),
            Line(".8X9 .8X9 .8X9 .8X9", hold="h", octave=".... .... .... .336", force=".789", weight=3),
            Line("..X9 ..X9 ..X9 .7X9", hold="h", octave=".... ...3 .... ...5", force=".789", weight=2),
        ),
        degrees=((1, 12), (2, 3), (8, 3), (3, 2), (7, 2)),
        motion=(9, 1, 2),
        motif=16,
        turn=0.5,
    ),
)

ELECTRO: Final = Style(
    name="electro",
    about="808 funk: broken kick, hard snare on two and four, even sixteenth hats, a robot bass in octaves",
    bpm=(120, 132),
    kick=(
        Row("X..3 ..X. ..8. .2..", force="X..7 ..9. ..9. .6..", weight=4),
        Row("X... ..X. .6X. ...3", force="X... ..9. .79. ...6", weight=3),
        Row("X..8 .... ..X. .3.3", force="X..9 .... ..9. .6.6", weight=2),
        Row("X.7. ..X. ...8 ..4.", force="X.8. ..9. ...8 ..7.", weight=2),
    ),
    snare=(
        Row(".... X..1 .1.. X..2", force=".... X..4 .4.. X..6", weight=4),
        Row(
            "...1 X... ..2. X.2.",
            force="...4 X... ..5. X.6.",
            rolls=(Roll(14, 2, 4, 0.3, (0.5, 0.8)),),
            weight=2,
        ),
    ),
    hihat=(
        Row("9797 9797 9797 9797", force="7575", repeat=4, weight=4),
        Row("9394 9394 9394 9396", force="7464 7464 7464 7465", repeat=4, weight=2),
        Row("8777 8777 8777 8777", force="8565", repeat=4, rolls=(Roll(12, 2, 4, 0.35, (0.5, 0.7)),), weight=2),
    ),
    cymbal=(
        Row(".... ..4. .... ..7.", force=".... ..7. .... ..8.", weight=3, length=110),
        Row("..5. .... ..5. ..3.", force="..7. .... ..7. ..7.", weight=2, length=110),
    ),
    bass=Bass(
        lines=(
            Line("X.78 ..X. 6.8. 7.85", hold="1.hh ..1. h.1. h.1h", octave="..36 ..3. ..5. ..64", weight=3),
            Line("X..X ..X. .7.8 .4.7", hold="1..1 ..1. .1.1 .1.h", octave="...4 ..3. .3.5 ...5", weight=3),
            Line("X686 7687 X686 7685", hold="h", octave="..6. .6.6 ..6. .6.6", force="9576", weight=2),
            Line("X... ..X8 ..7. 8..6", hold="2... ..1h ..1. 1..h", octave=".... ...5 ..4. ...6", weight=2),
        ),
        degrees=((1, 7), (8, 4), (7, 3), (3, 3), (4, 2), (5, 2)),
        motion=(4, 2, 4),
        motif=8,
        turn=0.5,
        kick=0.1,
    ),
)

STYLES: Final = (TECHNO, MINIMAL, ACID, TRANCE, PSYTRANCE, ELECTRO)
