import numpy as np
import pytest

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.orientation import find_frame
from scarnet_cli.quantify.regions import find_regions
from scarnet_cli.quantify.segments import Level, find_levels, segment_at, segment_map


def _stack(kinds: str) -> Volume:
    """Return an axial stack, apex at the low end (LPS): 'o' a ring with cavity, '.' a solid disc, '-' nothing."""
    labels = np.zeros((len(kinds), 31, 31), np.uint8)
    row, column = np.mgrid[-15:16, -15:16]
    disc = np.hypot(row, column) <= 10
    for plane, kind in zip(labels, kinds, strict=True):
        plane[disc & (kind != "-")] = 2
        plane[(np.hypot(row, column) <= 6) & (kind == "o")] = 1
    return Volume(labels, (8.0, 1.0, 1.0), (0.0, 0.0, 0.0), np.eye(3))


def _levels(kinds: str) -> str:
    regions = find_regions(_stack(kinds), _stack(kinds))
    initials = {"base": "b", "mid": "m", "apex": "a", "cap": "c", None: "-"}
    return "".join(initials[level] for level in find_levels(regions, find_frame(regions)))


@pytest.mark.parametrize(
    ("kinds", "levels"),
    [
        ("ooooooooo", "aaammmbbb"),
        ("oooooooo", "aaammbbb"),  # middles of slices at 1/16, 3/16, 5/16 | 7/16 ...
        ("ooooo", "aambb"),
        ("ooo", "amb"),
        ("oo", "ab"),
        ("o", "m"),
        (".oooooooo", "caammmbbb"),  # the cap belongs to the length
        ("-ooo-ooo--", "-aam-mbb--"),
        ("ooo....", "aammmbb"),  # solid at the base: a cap is only beyond the apical end
        ("...", "amb"),  # no cavity anywhere: nothing says where a cap would begin
    ],
)
def test_levels_are_thirds_of_the_myocardium_from_apex_to_base(kinds: str, levels: str) -> None:
    assert _levels(kinds) == levels


@pytest.mark.parametrize(
    ("level", "angles", "segments"),
    [
        ("base", [0.0, 59.9, 60.0, 150.0, 210.0, 270.0, 300.0, 359.999999], [2, 2, 3, 4, 5, 6, 1, 1]),
        ("mid", [30.0, 90.0, 150.0, 210.0, 270.0, 330.0], [8, 9, 10, 11, 12, 7]),
        ("apex", [15.0, 104.9, 105.0, 195.0, 285.0, 14.9], [14, 14, 15, 16, 13, 13]),
        ("cap", [0.0, 123.0], [17, 17]),
    ],
)
def test_segments_follow_the_angle_from_the_insertion(level: Level, angles: list[float], segments: list[int]) -> None:
    assert segment_at(level, np.array(angles)).tolist() == segments


def test_every_voxel_of_the_myocardium_has_a_segment_and_no_other_voxel() -> None:
    regions = find_regions(_stack(".ooooo"), _stack(".ooooo"))
    frame = find_frame(regions)
    segments = segment_map(regions, frame, find_levels(regions, frame))
    assert np.array_equal(segments > 0, regions.myocardium)
    assert np.unique(segments[regions.myocardium]).tolist() == list(range(1, 18))


def test_anterior_is_in_front_and_lateral_on_the_left_of_an_axial_stack() -> None:
    regions = find_regions(_stack("ooo"), _stack("ooo"))
    frame = find_frame(regions)
    segments = segment_map(regions, frame, find_levels(regions, frame))
    middle = [round(float(c)) for c in frame.centres_yx[0]]
    front, back, left = (middle[0] - 8, middle[1]), (middle[0] + 8, middle[1]), (middle[0], middle[1] + 8)
    assert [int(segments[(2, *place)]) for place in (front, back)] == [1, 4]
    assert [int(segments[(0, *place)]) for place in (front, back, left)] == [13, 15, 16]
