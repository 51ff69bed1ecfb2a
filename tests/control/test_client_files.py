"""The patches and scripts that we ship for other programs fit the table."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from hitloopd.control.addresses import EVENTS, ROOT
from hitloopd.control.lookup import ENDPOINTS, resolve
from tests.control.rig import ME, Rig

CLIENTS = Path(__file__).parents[2] / "configs" / "clients"
MAX = json.loads((CLIENTS / "hitloopd.maxpat").read_text())["patcher"]
PD = (CLIENTS / "hitloopd.pd").read_text()
EVENT_PATHS = {ROOT + row.template for row in EVENTS}


@pytest.fixture
def touch():
    spec = importlib.util.spec_from_file_location("touch", CLIENTS / "touchdesigner_hitloopd.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def max_boxes():
    return {entry["box"]["id"]: entry["box"] for entry in MAX["boxes"]}


def test_the_max_patch_is_whole():
    boxes = max_boxes()
    assert len(boxes) == len(MAX["boxes"])
    for entry in MAX["lines"]:
        (source, outlet), (target, inlet) = entry["patchline"]["source"], entry["patchline"]["destination"]
        assert outlet < boxes[source]["numoutlets"]
        assert inlet < boxes[target]["numinlets"]
    assert all(len(box["outlettype"]) == box["numoutlets"] for box in boxes.values() if box["numoutlets"])


def test_the_max_patch_speaks_the_table():
    texts = [box.get("text", "") for box in max_boxes().values() if box["maxclass"] != "comment"]
    paths = {path for text in texts for path in re.findall(r"/hitloop/\S+", text)}
    assert paths <= set(ENDPOINTS)
    for wanted in ("transport/play", "transport/stop", "gen/regenerate", "gen/calmer", "gen/energetic", "event/beat"):
        assert f"/hitloop/{wanted}" in paths
    assert any(text.startswith("udpsend") for text in texts)
    assert any(text.startswith("udpreceive") for text in texts)


def test_what_the_max_patch_says_on_opening_is_understood():
    rig = Rig()
    for box in max_boxes().values():
        if box["maxclass"] == "message" and box["text"].startswith("/"):
            path, *words = box["text"].split()
            rig.say(path, *(int(word) if word.isdigit() else word for word in words))
    assert rig.core.counters.errors == 0
    assert len(rig.core.subscriptions) == 1
    assert all(to == ME._replace(port=9_001) for _, to in rig.sent)


def test_the_pd_patch_speaks_the_table():
    paths = {"/" + "/".join(words.split()) for words in re.findall(r"oscformat ([a-z ]+);", PD)}
    assert len(paths) >= 10
    for path in paths:
        assert resolve(path), path


def test_the_pd_patch_connects_things_that_are_there():
    things = len(re.findall(r"^#X (?:obj|msg|text|floatatom)", PD, re.MULTILINE))
    ends = [int(n) for pair in re.findall(r"^#X connect (\d+) \d+ (\d+) \d+;", PD, re.MULTILINE) for n in pair]
    assert max(ends) < things


def test_the_touchdesigner_script_makes_channels(touch):
    assert touch.channels("/hitloop/event/beat", [3, 2, 174.0]) == {"bar": 3, "beat": 2, "bpm": 174.0}
    assert touch.channels("/hitloop/event/note", ["kick", 3, 0, 0.8, 0]) == {"kick": 0.8}
    assert touch.channels("/hitloop/event/transport", ["playing", 90.0, "midi"]) == {"playing": 1, "bpm": 90.0}
    assert touch.channels("/hitloop/event/beat", [1]) == touch.channels("/other", []) == {}
    assert {*touch.LANES, "bar", "beat", "bpm", "playing"} == set(touch.PLACES)


def test_the_touchdesigner_script_calls_what_is_hooked(touch):
    heard = []
    touch.ON_BEAT.append(lambda *args: heard.append(args))
    assert touch.reactions("/hitloop/event/beat", [3, 2, 174.0]) == 1
    assert touch.reactions("/hitloop/event/note", ["kick", 3, 0, 0.8, 0]) == 0
    assert heard == [(3, 2, 174.0)]


def test_the_touchdesigner_script_is_understood_and_fills_its_chop(touch):
    class Par:
        pass

    class Dat:
        par = Par()

        def sendOSC(self, address, args):  # noqa: N802
            rig.say(address, *args)

    rig, dat = Rig(), Dat()
    touch.op = lambda _name: dat
    touch.connect()
    touch.ping()
    touch.send("/hitloop/gen/regenerate")
    assert rig.core.counters.errors == 0
    assert rig.desk.count == 1
    assert len(rig.core.subscriptions) == 1
    touch.onReceiveOSC(None, 0, "", b"", 0, "/hitloop/event/note", ["bass", 0, 0, 0.5, 40], None)
    assert vars(dat.par) == {"const8name": "bass", "const8value": 0.5}
