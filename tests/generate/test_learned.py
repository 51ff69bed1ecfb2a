from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hitloopd.core.energy import measure
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane, pattern_from_json
from hitloopd.core.request import Request
from hitloopd.generate import learned
from hitloopd.generate.latent import between, normals
from hitloopd.generate.learned import Learned
from hitloopd.generate.places import Places
from hitloopd.generate.registry import generators, load, models, styles_of
from tests.generate.tiny_model import index_file, onnx_bytes, write_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("models") / "tiny", index=index_file())


@pytest.fixture(scope="module")
def tiny(folder):
    return Learned(folder)


# ── found by name, refused by reason ────────────────────────────────────────────────────────────────────────────────


def test_a_model_folder_is_a_generator_of_its_name(folder):
    places = Places((folder.parent,))
    assert "tiny" in generators(places)
    assert "tiny" not in generators()
    generator = load("tiny", places)
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert generator.model_hash == sha256[:12]
    assert generator.generate(Request("tiny", 3)).provenance.generator == "tiny"


def test_the_first_folder_counts_and_built_ins_win(tmp_path):
    for place in ("mine", "shipped"):
        write_model(tmp_path / place / "tiny", styles=[place])
        write_model(tmp_path / place / "rules")
    places = Places((tmp_path / "mine", tmp_path / "nowhere", tmp_path / "shipped"))
    assert models(places)["tiny"] == tmp_path / "mine" / "tiny"
    assert styles_of("tiny", places) == ("mine",)
    assert type(load("rules", places)).__name__ == "Rules"


def test_a_model_that_makes_no_bars_is_no_generator_and_half_of_one_that_does_is(tmp_path):
    write_model(tmp_path / "ear", kind="listener")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "card.yaml").write_text("about: nothing\n")
    (write_model(tmp_path / "half") / "model.onnx").unlink()
    (write_model(tmp_path / "bare") / "card.yaml").unlink()
    write_model(tmp_path / "odd", kind="dream")
    assert set(models(Places((tmp_path,)))) == {"half", "bare", "odd"}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: (f / "model.onnx").unlink(), "can't be read"),
        (lambda f: (f / "card.yaml").unlink(), "can't be read"),
        (lambda f: (f / "model.onnx").write_bytes(b"\0" * 99), "its card says"),
        (lambda f: (f / "card.yaml").write_text(": ["), "is not YAML"),
        (lambda f: (f / "card.yaml").write_text("- 1"), "is not a mapping"),
        (lambda f: (f / "card.yaml").write_text("a: &a [*a]\n"), "kind"),
        (lambda f: write_model(f, encoding=2), "encoding 2, this program has 1"),
        (lambda f: write_model(f, encoding=True), "no encoding"),
        (lambda f: write_model(f, kind="dream"), "'dream' is unknown"),
        (lambda f: write_model(f, kind=None), "names no kind"),
        (lambda f: write_model(f, sha256="12"), "no sha256"),
        (lambda f: write_model(f, styles="house"), "is not a list"),
        (lambda f: write_model(f, b"this is no model"), "onnxruntime can't run it"),
        (lambda f: write_model(f, b""), "onnxruntime can't run it"),
        (lambda f: write_model(f, onnx_bytes(inputs="z")), "no input 'latent'"),
        (lambda f: write_model(f, onnx_bytes(width=64)), "'latent' is any x 64, expected any x 128"),
        (lambda f: write_model(f, onnx_bytes(rows=9)), "'roll' is any x 128 x 9"),
        (lambda f: write_model(f, index=b"no zip"), "index can't be read"),
        (lambda f: (f / "index.zip").write_bytes(b"another"), "index.zip has sha256"),
    ],
)
def test_a_broken_model_is_refused_by_name_and_reason(tmp_path, spoil, told):
    folder = write_model(tmp_path / "spoilt", index=index_file())
    spoil(folder)
    with pytest.raises(UnavailableError, match="'spoilt' is refused") as caught:
        load("spoilt", Places((tmp_path,)))
    assert told in str(caught.value)


def test_every_truncation_of_a_model_is_refused(tmp_path):
    data = onnx_bytes()
    card = write_model(tmp_path / "whole", data)
    for length in range(0, len(data), len(data) // 40):
        (card / "model.onnx").write_bytes(data[:length])
        with pytest.raises(UnavailableError, match="sha256"):
            Learned(card)


def test_listing_models_and_reading_styles_loads_neither_numpy_nor_onnxruntime(folder):
    code = (
        "import sys; from pathlib import Path; from hitloopd.generate.places import Places; "
        "from hitloopd.generate.registry import generators, styles_of; "
        f"p = Places((Path({str(folder.parent)!r}),)); print('tiny' in generators(p), styles_of('tiny', p)); "
        "import hitloopd.generate.learned; print({'numpy', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["True ()", "set()"]


def test_the_session_is_one_thread_that_does_not_spin(tiny):
    options = tiny._drawer._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


# ── what it draws ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_same_request_same_bytes_and_another_seed_another_bar(tiny, folder):
    again = Learned(folder)
    request = Request("tiny", 7, temperature=1.2, energy=0.9)
    assert tiny.generate(request) == again.generate(request)
    assert len({tiny.generate(replace(request, seed=seed)).id for seed in range(20)}) == 20


def test_a_batch_gives_the_bars_that_one_by_one_gives(tiny):
    requests = [Request("tiny", seed, energy=(seed % 5) / 4) for seed in range(150)]
    assert tiny.generate_many(requests) == [tiny.generate(request) for request in requests]


def test_temperature_0_is_one_bar_and_more_is_more_different(tiny):
    def bars(temperature):
        drawn = [tiny.generate(Request("tiny", seed, temperature=temperature)).at(0.5) for seed in range(30)]
        return len({replace(bar, provenance=drawn[0].provenance).id for bar in drawn})

    assert bars(0.0) == 1
    assert bars(1.0) > 20


def test_the_energy_asked_for_moves_what_is_drawn(tiny):
    asked = (0.0, 0.25, 0.5, 0.75, 1.0)
    rows = [
        [measure(tiny.generate(Request("tiny", seed, energy=energy)).at(0.5).notes).value for energy in asked]
        for seed in range(40)
    ]
    means = np.mean(rows, axis=0)
    assert (np.diff(means) > 0).all()
    assert all(row == sorted(row) for row in rows), "more asked for is never less for the same seed"


def test_some_lanes_are_cut_out_of_the_whole_bar(tiny):
    whole = tiny.generate(Request("tiny", 5))
    some = tiny.generate(Request("tiny", 5, lanes=frozenset({Lane.KICK, Lane.BASS})))
    assert some.lane(Lane.KICK) == whole.lane(Lane.KICK)
    assert {note.lane for note in some.notes} <= {Lane.KICK, Lane.BASS}
    assert some.provenance.parameters["lanes"] == "kick,bass"


def test_provenance_names_hash_seed_latent_and_the_nearest_training_bars(tiny, folder):
    bar = tiny.generate(Request("tiny", 11))
    told = bar.provenance
    assert (told.seed, told.model) == (11, tiny.model_hash)
    assert told.parameters["latent"]
    first, second = told.nearest
    assert {first.title, second.title} == {"One", "Two"}
    assert first.cells / first.of <= second.cells / second.of
    assert {(near.author, near.licence) for near in told.nearest} == {("Ada", "CC0 1.0"), ("Bo", "CC BY 4.0")}
    assert pattern_from_json(json.loads(json.dumps(bar.as_json()))) == bar


def test_without_an_index_nothing_is_said_of_nearness(tmp_path):
    bar = Learned(write_model(tmp_path / "bare")).generate(Request("bare", 1))
    assert bar.provenance.nearest == ()
    assert "nearest" not in bar.as_json()["provenance"]


# ── morph ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_morph_goes_from_one_bar_to_the_other_in_small_steps(tiny):
    points = tiny.generate(Request("tiny", 1)), tiny.generate(Request("tiny", 2))
    path = [tiny.generate(Request("tiny", 2, points=points, morph=step / 20)) for step in range(21)]
    assert (path[0].notes, path[-1].notes) == (points[0].notes, points[1].notes)
    cells = [{(note.lane, note.cell, note.pitch) for note in bar.at(0.5).notes} for bar in path]
    whole = len(cells[0] ^ cells[-1])
    assert max(len(one ^ other) for one, other in itertools.pairwise(cells)) <= whole / 2
    told = path[7].provenance
    assert told.parent == points[0].id
    assert told.parameters["toward"] == points[1].id
    assert told.parameters["morph"] == 0.35


def test_a_morphed_bar_is_a_point_again(tiny):
    points = tiny.generate(Request("tiny", 1)), tiny.generate(Request("tiny", 2))
    middle = tiny.generate(Request("tiny", 2, points=points, morph=0.5))
    onward = tiny.generate(Request("tiny", 3, points=(middle, points[0]), morph=0.0))
    assert onward.notes == middle.notes


@pytest.mark.parametrize("spoil", ["edited", "foreign", "unnamed", "garbled"])
def test_a_bar_that_is_not_as_drawn_is_no_point(tiny, spoil):
    drawn, other = tiny.generate(Request("tiny", 1)), tiny.generate(Request("tiny", 2))
    told = drawn.provenance
    point = {
        "edited": replace(drawn, notes=drawn.notes[1:]),
        "foreign": replace(drawn, provenance=replace(told, model="0" * 12)),
        "unnamed": replace(drawn, provenance=replace(told, parameters={})),
        "garbled": replace(drawn, provenance=replace(told, parameters={"latent": "???"})),
    }[spoil]
    with pytest.raises(UnavailableError):
        tiny.generate(Request("tiny", 1, points=(point, other), morph=0.5))


def test_the_arc_keeps_the_length_of_its_ends():
    one, other = normals(1, 0, 1.0), normals(2, 0, 1.0)
    lengths = [float(np.linalg.norm(between(one, other, step / 10).astype(float))) for step in range(11)]
    low, high = sorted((lengths[0], lengths[-1]))
    assert all(low - 10 <= length <= high + 10 for length in lengths), "a straight line would dip by a third"
    assert (between(one, one, 0.5) == one).all()
    assert not between(one * 0, one * 0, 0.5).any()
    assert between(one, -one, 0.5).shape == one.shape


def test_normals_are_normal():
    drawn = np.concatenate([normals(seed, 0, 1.0) for seed in range(200)]) / 4096
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert abs((np.abs(drawn) > 1.959964).mean() - 0.05) < 0.005


# ── drawers of others ───────────────────────────────────────────────────────────────────────────────────────────────


class Picky:
    """A drawer that trips over its card."""

    def __init__(self, session, card):
        self.depth = int(card["depth"])


def test_a_drawer_that_trips_over_the_card_is_a_refused_model(tmp_path, monkeypatch):
    monkeypatch.setattr(learned, "KINDS", {"picky": f"{__name__}:Picky"})
    with pytest.raises(UnavailableError, match=r"'odd' is refused: picky can't use it \(KeyError"):
        Learned(write_model(tmp_path / "odd", kind="picky"))


def test_the_condition_counts_for_nearness_but_makes_no_notes(tiny):
    kept = tiny.generate(Request("tiny", 1))
    lanes = frozenset({Lane.SNARE})
    rest = replace(kept, notes=tuple(note for note in kept.notes if note.lane not in lanes))
    bar = tiny.generate(Request("tiny", 2, lanes=lanes, condition=rest))
    assert {note.lane for note in bar.notes} <= lanes
    alone = tiny.generate(Request("tiny", 2, lanes=lanes))
    assert bar.notes == alone.notes
    assert bar.provenance.nearest != alone.provenance.nearest
