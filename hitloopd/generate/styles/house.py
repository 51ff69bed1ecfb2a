"""House and its relatives: four on the floor, clap on two and four, the open hat between the kicks."""

from __future__ import annotations

from typing import Final

from hitloopd.generate.styles.table import Bass, Line, Row, Style

HOUSE: Final = Style(
    name="house",
    about="909 four on the floor, claps on two and four, off-beat open hats, a bass that answers the kick",
    bpm=(120, 128),
    swing=0.53,
    kick=(
        Row("X... X..1 X... X122", force="X... X..5 X... X556", weight=4),
        Row("X... X..2 X... X..4", force="X... X..5 X... X..6", weight=2),
        Row("X... X... X.2. X1.3", force="X... X... X.5. X5.5", weight=1),
    ),
    snare=(
        Row("..11 X..2 .2.1 X123", force="..33 9..3 .3.3 9345", weight=4),
        Row(".... X..3 .2.. X.3.", force=".... 9..4 .4.. 9.6.", weight=2),
        Row("...2 X... ..2. X.12", force="...4 9... ..4. 9.46", weight=2),
    ),
    hihat=(
        Row("8216 8216 8216 8226", force="6436 6436 6436 6446", repeat=4, late=(0, 0, 0, 2), weight=3),
        Row("58.7 58.7 58.7 5847", force="46.6 46.6 46.6 4656", repeat=4, late=(0, 2, 0, 2), weight=2),
        Row("4137 2137 4137 2147", force="6446 6446 6446 6557", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..8. ..8. ..8. ..9.", late=(0, 0, -3, 0), weight=4, length=110),
        Row("..X. ..X. ..X. ..X3", force="..8. ..7. ..8. ..85", weight=2, length=100),
    ),
    bass=Bass(
        lines=(
            Line("..X3 ..X3 .2X3 .294", hold="..11 ..11 .h11 .h11", octave="...3", force="8", weight=4),
            Line("X..8 ..X. .4.7 ..74", hold="2..1 ..1. .1.1 ..11", octave="...2 ..3. ...3 ..2.", weight=3),
            Line("X.5. .7.5 ..X. 73.6", hold="1.h. .1.1 ..1. 11.1", octave="..4. ...4 ..2. ..4.", weight=3),
            Line("..X3 .4X. ..X3 .5X4", hold="..1h .h1. ..1h .h1h", octave="...4", weight=2),
        ),
        motion=(5, 2, 3),
        turn=0.5,
        kick=-0.15,
    ),
)

DEEP_HOUSE: Final = Style(
    name="deep-house",
    about="soft four on the floor, swung hats and rims, a warm round bass with long notes",
    bpm=(118, 124),
    swing=0.56,
    kick=(
        Row("X... X... X... X..2", force="9... 9... 9... 9..4", weight=4),
        Row("X... X... X..1 X.2.", force="9... 9... 9..4 9.4.", weight=2),
    ),
    snare=(
        Row("...3 X.1. .3.. X..3", force="...3 7.3. .3.. 7..4", late=(0, 0, 0, 3), weight=3),
        Row(".... X..4 .... X.4.", force=".... 7..3 .... 7.4.", late=(3, 0, 3, 3), weight=3),
        Row("..2. X... ..3. X..5", force="..3. 7... ..4. 7..4", late=(3, 0, 0, 4), weight=2),
    ),
    hihat=(
        Row("3159 3159 3159 3159", force="4346 4346 4346 4356", repeat=4, late=(0, 3, 0, 4), weight=3),
        Row("2859 2839 2859 2849", force="3536 3536 3536 3546", repeat=4, late=(0, 4, 0, 4), weight=3),
    ),
    cymbal=(
        Row("..X. ..9. ..X. ..9.", force="..6. ..6. ..6. ..7.", late=(0, 0, 3, 0), weight=4, length=120),
        Row("..X. ..X. ..X. ..X2", force="..6. ..6. ..6. ..64", weight=2, length=90),
    ),
    bass=Bass(
        lines=(
            Line("X..7 ..6. ...3 7.4.", hold="3..3 ..2. ...1 2.2.", octave="...1 ..2. ...2 ....", force="8", weight=4),
            Line("X... ..8. .5.. ..7.", hold="4... ..3. .2.. ..2.", octave=".... ..2. .... ..2.", weight=3),
            Line("..X. .6.. X..7 ..5.", hold="..2. .2.. 2..2 ..2.", weight=3),
            Line("X..5 .7.. X..5 .6.3", hold="2..1 .3.. 2..1 .2.1", octave="...2", weight=2),
        ),
        degrees=((1, 6), (5, 4), (7, 4), (3, 4), (4, 2), (6, 2), (8, 1)),
        motion=(3, 4, 4),
        turn=0.5,
        slide=0.15,
        late=(0, 0, 3, 4),
    ),
)

TECH_HOUSE: Final = Style(
    name="tech-house",
    about="tight kick, dry clap, rolling shakers, a bouncing short bass between the kicks",
    bpm=(124, 129),
    swing=0.54,
    kick=(
        Row("X... X... X... X..2", force="X... X... X... X..5", weight=4),
        Row("X... X... X... X.3.", force="X... X... X... X.5.", weight=2),
    ),
    snare=(
        Row(".... X... ..2. X..3", force=".... 9... ..4. 9..5", weight=3),
        Row("...3 X.2. .4.. X.3.", force="...4 9.4. .4.. 9.5.", weight=3),
        Row("..3. X..3 ..3. X.33", force="..4. 9..4 ..4. 9.56", weight=2),
    ),
    hihat=(
        Row("4948 4948 4948 4948", force="4746 4746 4746 4757", repeat=4, weight=3),
        Row("6139 6139 6139 6149", force="6447 6447 6447 6557", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..8. ..7. ..8. ..8.", weight=3, length=80),
        Row("..X. ..X. ..X. ..X2", force="..8. ..8. ..8. ..95", weight=2, length=70),
    ),
    bass=Bass(
        lines=(
            Line("..X7 ..5. ..X7 .43.", hold="..hh ..h. ..1h .hh.", octave="...4", weight=3),
            Line(".7X. .4X. .7X. .5X4", hold=".h1. .h1. .h1. .h1h", octave="..3.", weight=3),
            Line("X..8 ..8. ..X. .74.", hold="h..h ..1. ..h. .hh.", octave="...4 ..3. .... .5..", weight=3),
            Line("...X ..7. ...X ..75", hold="...1 ..h. ...1 ..hh", octave="..4.", weight=2),
        ),
        degrees=((1, 9), (8, 3), (7, 3), (3, 2), (5, 2), (4, 1)),
        motion=(7, 1, 3),
        motif=8,
        turn=0.6,
        kick=-0.2,
    ),
)

AFRO_HOUSE: Final = Style(
    name="afro-house",
    about="four on the floor under a three-three-two of rims and toms, swaying shakers, a singing bass",
    bpm=(118, 124),
    swing=0.55,
    kick=(
        Row("X... X... X... X.2.", force="9... 9... 9... 9.5.", weight=3),
        Row("X..2 X... X..3 X...", force="9..5 9... 9..5 9...", weight=2),
        Row("X... X.3. X... X..3", force="9... 9.5. 9... 9..5", weight=2),
    ),
    snare=(
        Row("...X ..X. .2.7 ..X.", force="...7 ..8. .4.6 ..8.", weight=3),
        Row("..2X ..X. ..8. X..3", force="..47 ..8. ..7. 8..4", weight=3),
        Row("...7 X.3. ..X. .X.4", force="...6 8.4. ..7. .7.4", weight=2),
    ),
    hihat=(
        Row("8698 8698 8698 8698", force="6375 6375 6375 6376", repeat=4, late=(0, 3, -2, 3), weight=3),
        Row("8388 8388 8388 8389", force="5365 5365 5365 5366", repeat=4, late=(0, 3, 0, 4), weight=3),
    ),
    cymbal=(
        Row("..8. ..8. ..8. ..9.", force="..6. ..6. ..6. ..7.", weight=3, length=100),
        Row("...2 ..9. ...3 ..9.", force="...4 ..6. ...4 ..7.", weight=2, length=110),
    ),
    bass=Bass(
        lines=(
            Line("X..8 ..7. .3.. 8.5.", hold="3..2 ..2. .1.. 2.2.", octave="...2 ..2.", weight=3),
            Line("X.3. ..X. ..7. .8.3", hold="2.1. ..3. ..2. .2.1", octave=".... ..2. ..2. .3..", weight=3),
            Line("...X ..8. X..7 ..5.", hold="...2 ..2. 2..2 ..2.", weight=2),
        ),
        degrees=((1, 6), (5, 4), (3, 3), (7, 3), (4, 3), (8, 1)),
        motion=(3, 4, 4),
        turn=0.4,
        slide=0.1,
    ),
)

DISCO: Final = Style(
    name="disco",
    about="four on the floor, fat claps, sixteenth hats opening off the beat, a bass that jumps octaves",
    bpm=(112, 124),
    kick=(
        Row("X... X... X... X...", force="9... 9... 9... 9...", weight=3),
        Row("X... X..1 X... X.23", force="9... 9..5 9... 9.56", weight=2),
    ),
    snare=(
        Row(".... X..1 .... X..2", force=".... 9..3 .... 9..4", weight=4),
        Row("...2 X... .2.. X.24", force="...3 9... .3.. 9.56", weight=2),
    ),
    hihat=(
        Row("85.5 85.5 85.5 85.6", force="75.5 75.5 75.5 75.5", repeat=4, weight=3),
        Row("9..7 9..7 9..7 93.7", force="7..6 7..6 7..6 74.6", repeat=4, weight=2),
    ),
    cymbal=(
        Row("..X. ..X. ..X. ..X.", force="..8. ..8. ..8. ..8.", weight=4, length=110),
        Row("3.X. ..X. ..X. ..X.", force="9.7. ..7. ..7. ..8.", weight=1, length=110),
    ),
    bass=Bass(
        lines=(
            Line("X.9. 8.9. X.9. 8.94", hold="1.h. 1.h. 1.h. 1.hh", octave="..9.", force="9.77", weight=4),
            Line("X.93 .59. X.93 .695", hold="1.hh .hh. 1.hh .hhh", octave="..94 ..9.", force="9.77 .777", weight=3),
            Line("X..7 X.7. 7..7 X.85", hold="1..1 1.1. 1..1 1.hh", octave="...5 ..5.", weight=2),
        ),
        degrees=((1, 5), (5, 3), (4, 3), (3, 2), (6, 2), (7, 2)),
        motion=(3, 3, 3),
        motif=16,
        turn=0.6,
    ),
)

AMAPIANO: Final = Style(
    name="amapiano",
    about="unhurried soft kick, rims and shakers that sway, and the log drum: a late, sliding, syncopated bass",
    bpm=(110, 115),
    swing=0.56,
    kick=(
        Row("X... X... X... X...", force="7... 6... 7... 6...", weight=4),
        Row("X... 8..3 X... 8...", force="8... 6..4 7... 6...", weight=2),
    ),
    snare=(
        Row("...X ..7. .4.. X..3", force="...6 ..6. .4.. 7..4", weight=3),
        Row("...8 ..X. ...5 ..X.", force="...6 ..7. ...4 ..7.", weight=3),
    ),
    hihat=(
        Row("8698 8698 8698 8698", force="5365 5365 5365 5366", repeat=4, late=(0, 3, -2, 3), weight=3),
        Row("9388 9388 9388 9389", force="6355 6355 6355 6356", repeat=4, late=(0, 4, 0, 4), weight=2),
    ),
    cymbal=(
        Row(".... ..7. .... ..8.", force=".... ..6. .... ..6.", weight=3, length=110),
        Row("..5. ..6. ..5. ..7.", force="..5. ..6. ..5. ..6.", weight=2, length=100),
    ),
    bass=Bass(
        lines=(
            Line(
                "X..X ..7. .8.. 6.74", hold="2..2 ..2. .2.. 1.21", octave="...3 ..2. .3.. ....", force="9888", weight=3
            ),
            Line("..3X ..X. ..38 .7.5", hold="..12 ..2. ..12 .2.1", octave="...3", weight=3),
            Line("X... ..8X ..5. 7.75", hold="3... ..12 ..1. 1.11", octave=".... ..4. ..2. ..3.", weight=2),
        ),
        degrees=((1, 6), (5, 4), (7, 3), (8, 3), (4, 2), (3, 2)),
        motion=(4, 2, 5),
        motif=16,
        turn=0.5,
        slide=0.4,
        late=(0, 4, 4, 4),
    ),
)

STYLES: Final = (HOUSE, DEEP_HOUSE, TECH_HOUSE, AFRO_HOUSE, DISCO, AMAPIANO)
