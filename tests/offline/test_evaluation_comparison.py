"""The comparison in models/README.md keeps the lines of models that a run leaves out, where they mean the same."""

from __future__ import annotations

import pytest

from offline.evaluation.comparison import put

HEAD = "|  | gate |\n| :-- | --: |\n"
LEGEND = "5 seeds of 1000 bars.\n"


def tables(**rows):
    lines = "".join(f"| {name} | {gate} |\n" for name, gate in {"**real**": rows.pop("real", "5"), **rows}.items())
    return "\n".join(f"**{title}**\n\n{HEAD}{lines}" for title in ("All bars", "Whole bars"))


@pytest.fixture
def readme(tmp_path):
    for name in ("vae", "weave", "fresh"):
        (tmp_path / name).mkdir()
    path = tmp_path / "README.md"
    path.write_text("# Models\n\nBefore.\n")
    put(path, tables(rules="0", vae="1", gone="2", weave="3"), LEGEND)
    with path.open("a") as file:
        file.write("After.\n")
    return path


def lines(path):
    return [line for line in path.read_text().splitlines() if line.startswith("|") and "gate" not in line]


def test_what_is_judged_again_is_replaced_and_the_others_stay_in_their_order(readme):
    put(readme, tables(rules="4", weave="5", fresh="6"), LEGEND)
    judged = ["| **real** | 5 |", "| rules | 4 |", "| vae | 1 |", "| weave | 5 |", "| fresh | 6 |"]
    assert [line for line in lines(readme) if "--" not in line] == 2 * judged
    assert readme.read_text().startswith("# Models\n\nBefore.\n\n<!--")
    assert readme.read_text().endswith("-->\nAfter.\n")


def test_the_same_run_again_changes_nothing(readme):
    put(readme, tables(weave="5"), LEGEND)
    once = readme.read_bytes()
    put(readme, tables(weave="5"), LEGEND)
    assert readme.read_bytes() == once


@pytest.mark.parametrize(("real", "legend"), [("4", LEGEND), ("5", "2 seeds of 1000 bars.\n")])
def test_lines_of_other_data_or_fewer_bars_do_not_stay(readme, real, legend):
    put(readme, tables(real=real, weave="5"), legend)
    assert not any("vae" in line for line in lines(readme))
