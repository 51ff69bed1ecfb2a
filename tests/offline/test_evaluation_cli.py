"""The whole command, on a small data set: a page, its pictures, the comparison; and again without doing it again."""

import json

import numpy as np
import pytest

from hitloopd.generate.kinds import OTHERS
from offline.__main__ import main
from offline.dataset.store import save
from offline.evaluation import control, pictures, twosample, work
from offline.evaluation.comparison import BEGIN, END
from tests.offline.evaluation_bars import bars


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(control, "SIDE", 30)
    monkeypatch.setattr(twosample, "_EPOCHS", 2)
    monkeypatch.setattr(twosample, "_TREES", 10)
    monkeypatch.setattr(control, "BARS_PER_TARGET", 4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    save(folder, bars())
    np.savez(folder / "mine.npz", rolls=bars().rolls[:80].astype(np.float32) / 127)
    (folder / "broken").mkdir()
    (folder / "broken" / "card.yaml").write_text("kind: latent\n")
    for kind in OTHERS:
        (folder / kind).mkdir()
        (folder / kind / "card.yaml").write_text(f"kind: {kind}\n")
        (folder / kind / "model.onnx").write_bytes(b"hears")
    return folder


def words(data, out, *more):
    return ["evaluate", "--data", str(data), "--quick", "--n", "60", "--reference", "whole", "--out", str(out), *more]


@pytest.fixture
def undrawn(monkeypatch):
    """No pictures where nobody looks at them."""
    for name in ("heat_maps", "feels", "checks", "energies"):
        monkeypatch.setattr(pictures, name, lambda path, *_: path.write_bytes(b"no picture"))


def test_a_first_look_gives_a_page_with_pictures_and_the_same_one_again(data, tmp_path, capsys, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("# Models\n\nBefore.\n")
    deaf = [str(data / kind) for kind in sorted(OTHERS)]
    who = [str(data / "mine.npz"), "rules", str(readme), *deaf]  # as models/* gives it
    command = words(data, tmp_path / "out", "--no-speed", "--table", str(readme), "--models", *who)
    assert main(command) == 0
    page = (tmp_path / "out" / "report.md").read_bytes()
    table = readme.read_text()
    assert table.startswith("# Models\n\nBefore.\n")
    assert table.count(BEGIN) == table.count(END) == 1
    assert b"| mine |" in page
    assert not any(kind.encode() in page for kind in OTHERS)
    for name in ("distances-whole.png", "feel-whole.png", "energy.png"):
        assert (tmp_path / "out" / name).read_bytes()[:4] == b"\x89PNG"
    summary = json.loads((tmp_path / "out" / "report.json").read_text())
    assert summary["references"]["whole"]["rows"]["mine"]["exact copies"][0] == 1.0
    assert summary["control"]["rules"]["same"] is True
    assert summary["generators"]["mine"]["whole"]["exact copies"] == 1.0

    monkeypatch.setattr(work.figures, "portrait", lambda *_, **__: pytest.fail("drawn again"))
    monkeypatch.setattr(work, "control", lambda *_: pytest.fail("asked again"))
    assert main(command) == 0
    assert (tmp_path / "out" / "report.md").read_bytes() == page
    assert readme.read_text() == table
    capsys.readouterr()


def test_json_is_all_that_is_printed_and_a_broken_model_is_told(undrawn, data, tmp_path, capsys):
    assert main(words(data, tmp_path / "out", "--json", "--no-speed", "--models", str(data / "broken"))) == 1
    found = json.loads(capsys.readouterr().out)
    assert "broken" in found["refused"]
    assert "encoding" in found["refused"]["broken"]
    assert "broken" in (tmp_path / "out" / "report.md").read_text()


def test_a_table_whose_end_is_gone_is_left_alone(undrawn, data, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\nmine\n")
    assert main(words(data, tmp_path / "out", "--no-speed", "--table", str(readme))) == 2
    assert readme.read_text() == f"{BEGIN}\nmine\n"
    assert END in capsys.readouterr().err


def test_no_data_set_is_told_with_how_to_build_one(tmp_path, capsys):
    assert main(words(tmp_path / "none", tmp_path / "out")) == 2
    assert "dataset build" in capsys.readouterr().err
