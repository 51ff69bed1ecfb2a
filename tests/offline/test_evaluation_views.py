"""What a judge sees of a bar."""

import numpy as np
import pytest

from hitloopd.core.errors import RangeError
from offline.evaluation import views
from offline.evaluation.hits import Hits, render
from offline.evaluation.likeness import features, feel, moved, overlap, syncopation
from offline.grid import grid
from tests.offline.evaluation_bars import bars


def bar(*hits):
    return render(1, [(0, *hit) for hit in hits])


def test_floats_and_bytes_show_the_same_bar_and_the_faint_is_silence():
    small = bar((0, 0, 4, 100), (8, 4, 7, 12), (16, 5, 7, 13))
    floats = small.astype(np.float32) / 127
    floats[0, 40, 2] = np.nan
    assert np.array_equal(views.as_bytes(floats), views.as_bytes(small))
    assert views.as_bytes(small)[0, 8, 4] == 0
    assert views.as_bytes(small)[0, 16, 5] == 13


def test_what_is_no_roll_is_refused():
    with pytest.raises(RangeError, match="128 x 20"):
        views.as_bytes(np.zeros((3, 16, 5)))


def test_the_full_table_tells_velocity_timing_length_and_intervals():
    small = bar((7, 1, 4, 90), (16, 4 + 3, 7, 70), (34, 4 + 10, 5, 60))
    table = views.full_table(small)[0]
    velocity, timing, length = (table[at : at + 80].reshape(16, 5) for at in (0, 80, 160))
    interval = table[240:]
    assert (velocity[1, 1], length[1, 1]) == (90, 4)
    assert timing[1, 1] == timing[2, 4] + 1  # one step early against one on the line
    assert timing[4, 4] == timing[2, 4] - 2
    assert (interval[2], interval[4]) == (0, 7)
    assert (velocity[0] == views.NOTHING).all()


def test_intervals_do_not_depend_on_where_the_root_is():
    low, high = (bar((0, 4 + at, 7, 70), (32, 6 + at, 7, 70)) for at in (0, 9))
    for view in (views.hits_table, views.hits_planes, views.full_table, views.full_planes):
        assert np.array_equal(view(low), view(high))


def test_the_planes_have_every_hit_once():
    rolls = bars().rolls[:20]
    planes = views.hits_planes(rolls)
    assert np.array_equal(planes[:, :5].astype(bool), grid(rolls).transpose(0, 2, 1))
    assert np.array_equal(planes[:, 5:].sum(axis=1), planes[:, 4])


def test_bars_are_rendered_as_they_were():
    rolls = bars().rolls[:50]
    assert np.array_equal(render(50, Hits.of(rolls).rows.tolist()), rolls)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([0, 4, 8, 12], 0),  # every rest after a beat is weaker than the beat
        ([15], 4),  # -4 before a rest on 0
        ([6], 3),  # -3, and again 0 comes before the next note
        ([3, 8], 2 + 1),  # 3 (-4) before 4 (-2); 8 (-1) before 0
        ([3, 9], 3 + 4),
        ([0, 3, 6, 10, 12], 2 + 2),  # son clave: 3 before 4, 6 (-3) before 8 (-1)
    ],
)
def test_syncopation_follows_longuet_higgins_and_lee(cells, expected):
    lanes = np.zeros((1, 16, 5), dtype=bool)
    lanes[0, cells, 2] = True
    assert syncopation(lanes)[0].tolist() == [0, 0, expected, 0, 0]


def test_features_are_counted_per_lane():
    table = features(bar((0, 0, 4, 90), (32, 0, 4, 90), (96, 0, 4, 90), (64, 1, 4, 90)))
    assert table["density"]["kick"][0] == 3
    assert table["spacing"]["kick"][0] == 48
    assert np.isnan(table["spacing"]["snare"][0])


def test_overlap_is_one_for_the_same_and_small_for_others():
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 9, 800), rng.integers(0, 9, 800), rng.integers(60, 69, 800)
    assert overlap(a.astype(float), b.astype(float)) > 0.97
    assert overlap(a.astype(float), c.astype(float)) < 0.2
    assert overlap(np.full(5, np.nan), a.astype(float)) == 0.0


def test_timing_and_velocity_are_moved_by_as_much_as_they_were():
    on = bar(*((8 * cell, 2, 4, 80) for cell in range(1, 15)))
    late = bar(*((8 * cell + 2, 2, 4, 100) for cell in range(1, 15)))
    timing, velocity = moved(feel(on), feel(late))
    assert timing == pytest.approx(2.0)
    assert velocity == pytest.approx(20 / 127)
    assert (feel(on).off_grid, feel(late).off_grid) == (0.0, 1.0)
