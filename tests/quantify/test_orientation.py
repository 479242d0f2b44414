import numpy as np
import pytest
from shells import CENTRE, INSERTION, SEPTAL, TOWARDS_APEX, UPWARD, Grid, Shell, make_shell

from scarnet_cli.errors import QuantificationError
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.orientation import HeartFrame, find_frame
from scarnet_cli.quantify.regions import find_regions


def _cone(radii: list[int], direction: np.ndarray) -> Volume:
    """Return discs of these radii in pixels, each with a wall of 3 pixels."""
    labels = np.zeros((len(radii), 41, 41), np.uint8)
    row, column = np.mgrid[-20:21, -20:21]
    for disc, radius in zip(labels, radii, strict=True):
        disc[np.hypot(row, column) <= radius] = 2
        disc[np.hypot(row, column) <= radius - 3] = 1
    return Volume(labels, (8.0, 1.0, 1.0), (0.0, 0.0, 0.0), direction)


def _frame(labels: Volume, rv_insertion: tuple[float, float, float] | None = None) -> HeartFrame:
    return find_frame(find_regions(labels, labels), rv_insertion)


AXIAL = np.eye(3)
CORONAL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # slices towards the back


@pytest.mark.parametrize(
    "grid", [Grid(apex_first=first, mirrored=m) for first in (False, True) for m in (False, True)], ids=str
)
def test_directions_of_a_mean_heart_come_from_geometry(grid: Grid) -> None:
    frame = find_frame(find_regions(*make_shell(Shell(), grid)))
    assert frame.apex_source == "geometry"
    assert frame.towards_apex == pytest.approx(TOWARDS_APEX)
    assert frame.insertion_source == "estimated"
    assert frame.towards_insertion == pytest.approx(INSERTION)


def test_geometry_decides_against_shape_in_a_plausible_short_axis() -> None:
    direction = np.stack([UPWARD, SEPTAL, TOWARDS_APEX], axis=1)
    frame = _frame(_cone([8, 12, 16, 18], direction))  # the smaller end is stored first, at the base
    assert frame.apex_source == "geometry"
    assert frame.towards_apex == pytest.approx(TOWARDS_APEX)


@pytest.mark.parametrize(("radii", "towards_apex_z"), [([8, 12, 16, 18], -1.0), ([18, 16, 12, 8], 1.0)])
def test_smaller_end_is_the_apex_on_an_axial_grid(radii: list[int], towards_apex_z: float) -> None:
    frame = _frame(_cone(radii, AXIAL))
    assert frame.apex_source == "shape"
    assert frame.towards_apex == pytest.approx([0.0, 0.0, towards_apex_z])


def test_lower_end_is_the_apex_of_a_cylinder_on_an_axial_grid() -> None:
    frame = _frame(_cone([15, 15, 15, 15], AXIAL))
    assert frame.apex_source == "geometry"
    assert frame.towards_apex == pytest.approx([0.0, 0.0, -1.0])


def test_anterior_wall_faces_the_front_on_an_axial_grid() -> None:
    # anterior middle at the front (0, -1, 0), insertion 30 degrees from it to the patient's right (-x)
    frame = _frame(_cone([15, 15, 15, 15], AXIAL))
    assert frame.towards_insertion == pytest.approx([-0.5, -np.sqrt(3) / 2, 0.0])


def test_anterior_wall_faces_the_head_on_a_coronal_grid() -> None:
    # apex at the front; seen from there the patient's right is on the left hand, as in a short-axis picture
    frame = _frame(_cone([15, 15, 15, 15], CORONAL))
    assert frame.towards_apex == pytest.approx([0.0, -1.0, 0.0])
    assert frame.towards_insertion == pytest.approx([-0.5, 0.0, np.sqrt(3) / 2])


def test_given_insertion_is_taken_whatever_slice_it_lies_in() -> None:
    image, labels = make_shell(Shell())
    point = CENTRE + 34.0 * SEPTAL  # in the middle of the stack
    frame = find_frame(find_regions(image, labels), (float(point[0]), float(point[1]), float(point[2])))
    assert frame.insertion_source == "given"
    assert frame.towards_insertion == pytest.approx(SEPTAL, abs=0.01)


def test_insertion_on_the_axis_raises() -> None:
    image, labels = make_shell(Shell())
    with pytest.raises(QuantificationError, match="on the heart's axis"):
        find_frame(find_regions(image, labels), (float(CENTRE[0]), float(CENTRE[1]), float(CENTRE[2])))


def test_angles_run_from_the_insertion_through_the_septum() -> None:
    labels = _cone([15, 15, 15, 15], AXIAL)
    frame = _frame(labels)
    centre = frame.centres_yx[0]
    front_right_back = centre + np.array([[-9.0, 0.0], [0.0, -9.0], [9.0, 0.0]])
    # the front is 30 degrees before the insertion, the septum's middle 60 after it, the inferior wall's 150
    assert frame.angles_deg(0, front_right_back) == pytest.approx([330.0, 60.0, 150.0])
