"""When was one run as good as the other."""

from __future__ import annotations

import json

import pytest
import yaml

from offline.training.compare import Curve, compare, main


def write_run(folder, distances, before=0.0):
    folder.mkdir()
    lines = [
        {"epoch": i + 1, "valid": {"distance": d}, "total_cpu_seconds": 10.0 * (i + 1)} for i, d in enumerate(distances)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = {"facts": {"distance_of_training_bars": 0.1}, "started_from": {"cpu_seconds": before}}
    (folder / "run.yaml").write_text(yaml.safe_dump(told))
    return folder


def test_the_first_epoch_as_near_counts():
    curve = Curve("a", (1, 2, 3, 4), (5.0, 9.0, 14.0, 20.0), (3.0, 1.0, 2.0, 0.5))
    assert curve.reached(1.0) == (2, 9.0)
    assert curve.reached(0.9) == (4, 20.0)
    assert curve.reached(0.1) is None


def test_levels_lie_between_what_both_reached():
    ahead = Curve("with", (1, 2), (10.0, 20.0), (1.0, 0.4))
    behind = Curve("without", (1, 2, 3), (10.0, 20.0, 30.0), (4.0, 2.0, 0.8))
    told = compare(ahead, behind)
    assert [row["distance"] for row in told["levels"]] == pytest.approx([1.0, 0.9333, 0.8667, 0.8], abs=1e-3)
    assert told["bests"][0]["without"] is None
    assert told["bests"][1] == {
        "distance": 0.8,
        "with": {"epochs": 2, "cpu_s": 20.0},
        "without": {"epochs": 3, "cpu_s": 30.0},
    }


def test_the_command_writes_figures_and_a_picture(tmp_path, capsys):
    ahead = write_run(tmp_path / "with", [1.0, 0.5], before=30.0)
    behind = write_run(tmp_path / "without", [3.0, 1.0])
    assert main([str(ahead), str(behind), "--out", str(tmp_path / "out")]) == 0
    assert "with 1 epochs, 10 s  without 2 epochs, 20 s" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert told["runs"]["with"] == {"best": 0.5, "before_cpu_s": 30.0}
    assert (tmp_path / "out" / "compare.png").read_bytes()[:4] == b"\x89PNG"


def test_a_run_without_figures_is_refused(tmp_path, capsys):
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "valid": {}}\n')
    assert main([str(tmp_path), str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "validate_every=1" in capsys.readouterr().err
