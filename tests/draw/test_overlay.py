"""The picture of a study: contours are where the label map says, in known colours."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scarnet_cli.draw.overlay import CONTOURS, TILE_PX, draw_overlay, plan_layout, render_tiles
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import Volume

# Uneven on purpose: 2 mm between rows, 1 mm between columns.
SPACING_ZYX_MM = (8.0, 2.0, 1.0)
SHAPE_ZYX = (5, 60, 120)


def volume(array: NDArray[np.generic]) -> Volume:
    return Volume(array, SPACING_ZYX_MM, (0.0, 0.0, 0.0), np.eye(3))


@pytest.fixture
def image() -> Volume:
    return volume(np.full(SHAPE_ZYX, 100.0, dtype=np.float32))


@pytest.fixture
def labels() -> Volume:
    """Slice 2 holds a square of myocardium (rows 20-39, columns 40-79) with scar in rows 28-31, columns 56-63."""
    array = np.zeros(SHAPE_ZYX, dtype=np.uint8)
    array[2, 20:40, 40:80] = Label.MYOCARDIUM
    array[2, 28:32, 56:64] = Label.SCAR
    return volume(array)


def drawn_overlay(image: Volume, labels: Volume) -> Image.Image:
    """Return the picture that the stage would write."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "overlay.png"
        draw_overlay(image, labels, path, plain=Path(folder) / "plain.webp")
        with Image.open(path) as picture:
            return picture.copy()


def test_plain_picture_has_the_slices_and_no_contours(image: Volume, labels: Volume, tmp_path: Path) -> None:
    draw_overlay(image, labels, tmp_path / "overlay.png", plain=tmp_path / "plain.webp")
    drawn, plain = (
        np.asarray(Image.open(tmp_path / name).convert("RGB"), int) for name in ("overlay.png", "plain.webp")
    )
    assert drawn.shape == plain.shape
    colour = np.ptp(drawn, axis=2).max(), np.ptp(plain, axis=2).max()
    assert colour[0] > 100
    assert colour[1] < 30  # the compression's


def test_contours_of_a_reference_are_dashed(image: Volume, labels: Volume) -> None:
    empty = labels.with_array(np.zeros(SHAPE_ZYX, np.uint8))
    colour = np.array(CONTOURS["epicardium"])

    def coloured(picture: Image.Image) -> int:
        tiles = np.asarray(picture, int)[: -2 * TILE_PX // 8]  # without the legend
        return int((np.abs(tiles - colour).max(axis=2) < 40).sum())

    layout = plan_layout(labels)
    captions = ["slice"] * SHAPE_ZYX[0]
    line = coloured(render_tiles(image, labels, layout, captions))
    dashes = coloured(render_tiles(image, empty, layout, captions, labels))
    assert 0.3 * line < dashes < 0.7 * line
    elsewhere = Volume(labels.array, SPACING_ZYX_MM, (5.0, 0.0, 0.0), np.eye(3))
    assert coloured(render_tiles(image, empty, layout, captions, elsewhere)) == 0


def distance(picture: Image.Image, xy: tuple[float, float], colour: tuple[int, int, int]) -> float:
    pixel = picture.getpixel((round(xy[0] - 0.5), round(xy[1] - 0.5)))
    return float(np.abs(np.array(pixel) - colour).max())


def at(labels: Volume, slice_index: int, y: float, x: float) -> tuple[float, float]:
    """Return the picture's x, y of a voxel index: the place that the contour between two voxels should have."""
    layout = plan_layout(labels)
    left, top = layout.tile_xy_px(slice_index)
    ((in_x, in_y),) = layout.in_tile_xy_px(np.array([[y, x]]), SPACING_ZYX_MM[1:])
    return float(left + in_x), float(top + in_y)


def _whole(place: tuple[float, float]) -> tuple[int, int]:
    return round(place[0]), round(place[1])


def test_view_is_centred_on_the_heart_with_a_margin(labels: Volume) -> None:
    layout = plan_layout(labels)
    # The heart spans 40-80 mm by 40-80 mm; with 16 mm around it 72 mm, below the least side of 90 mm.
    assert layout.side_mm == 90.0
    assert layout.top_left_yx_mm == (15.0, 15.0)


def test_edges_are_at_the_millimetre_that_the_spacing_says(labels: Volume) -> None:
    left, top = plan_layout(labels).tile_xy_px(2)
    # The upper edge of row 20 is at 40 mm, the left one of column 40 too: 25 mm inside the 90 mm view.
    expected = 25 / 90 * TILE_PX
    assert at(labels, 2, 19.5, 39.5) == pytest.approx((left + expected, top + expected))


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("epicardium", [(19.5, 60), (39.5, 60), (30, 39.5), (30, 79.5)]),
        ("scar", [(27.5, 60), (31.5, 60), (30, 55.5), (30, 63.5)]),
    ],
)
def test_contour_is_drawn_between_the_voxels(
    name: str, edges: list[tuple[float, float]], image: Volume, labels: Volume
) -> None:
    picture = drawn_overlay(image, labels)
    for y, x in edges:
        assert distance(picture, at(labels, 2, y, x), CONTOURS[name]) < 90, (y, x)


def test_inside_of_a_region_and_other_slices_stay_grey(image: Volume, labels: Volume) -> None:
    picture = drawn_overlay(image, labels)
    for place in (at(labels, 2, 30, 60), at(labels, 2, 23, 45), at(labels, 1, 19.5, 60)):
        pixel = picture.getpixel((round(place[0]), round(place[1])))
        assert isinstance(pixel, tuple)
        assert len(set(pixel)) == 1


def test_each_slice_is_windowed_on_its_own(labels: Volume) -> None:
    ramp = np.broadcast_to(np.arange(120, dtype=np.float32), SHAPE_ZYX).copy()
    ramp[3] = ramp[3] * 50 + 1000
    picture = np.asarray(drawn_overlay(volume(ramp), labels).convert("L")).astype(int)
    layout = plan_layout(labels)
    tiles = []
    for index in (1, 3):
        x, y = layout.tile_xy_px(index)
        tiles.append(picture[y + 40 : y + TILE_PX, x : x + TILE_PX])
    assert np.abs(tiles[0] - tiles[1]).max() <= 1
    assert tiles[0][0, 5] < 20
    assert tiles[0][0, -5] > 235


def test_window_is_the_hearts_not_that_of_the_fat_beside_it(labels: Volume) -> None:
    array = np.full(SHAPE_ZYX, 10.0, dtype=np.float32)
    array[2, 20:40, 40:80] = 50.0
    array[2, 28:32, 56:64] = 100.0  # scar
    array[2, 20:40, 82:90] = 400.0  # fat
    picture = drawn_overlay(volume(array), labels)
    myocardium, scar, fat = (np.array(picture.getpixel(_whole(at(labels, 2, 30, x)))) for x in (46, 60, 86))
    # White is at 10 + 1.2 x 90 = 118: myocardium is 40 / 108 of 255, scar 90 / 108; enlarging overshoots a little.
    assert [np.mean(pixel) for pixel in (myocardium, scar, fat)] == pytest.approx([94.4, 212.5, 255.0], abs=3)


def test_empty_label_map_shows_whole_slices_without_contours(image: Volume) -> None:
    empty = volume(np.zeros(SHAPE_ZYX, dtype=np.uint8))
    layout = plan_layout(empty)
    assert layout.side_mm == 120.0
    picture = np.asarray(drawn_overlay(image, empty))[: layout.rows * TILE_PX]
    assert np.ptp(picture.astype(int), axis=2).max() <= 20  # captions and paper are nearly grey


def test_heart_at_the_edge_of_the_image_is_drawn(image: Volume) -> None:
    array = np.zeros(SHAPE_ZYX, dtype=np.uint8)
    array[2, :10, :20] = Label.BLOOD_POOL
    corner = volume(array)
    picture = drawn_overlay(image, corner)
    assert distance(picture, at(corner, 2, 5, 19.5), CONTOURS["epicardium"]) < 90


def test_values_that_are_not_finite_do_not_spoil_the_picture(image: Volume, labels: Volume) -> None:
    image.array[2, 0, 0] = np.nan
    image.array[2, 0, 1] = np.inf
    assert drawn_overlay(image, labels).size == plan_layout(labels).size_px


@pytest.mark.parametrize(("slices", "grid"), [(1, (3, 1)), (3, (3, 1)), (7, (4, 2)), (10, (5, 2)), (12, (4, 3))])
def test_grid_leaves_few_holes(slices: int, grid: tuple[int, int]) -> None:
    layout = plan_layout(volume(np.zeros((slices, 4, 4), dtype=np.uint8)))
    assert (layout.columns, layout.rows) == grid


def test_equal_volumes_give_equal_bytes(image: Volume, labels: Volume, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_overlay(image, labels, tmp_path / name, plain=tmp_path / f"{name}.webp")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == plan_layout(labels).size_px


def test_other_grid_raises(image: Volume, labels: Volume) -> None:
    shifted = Volume(labels.array, SPACING_ZYX_MM, (1.0, 0.0, 0.0), np.eye(3))
    with pytest.raises(GeometryError, match="Image and labels differ"):
        drawn_overlay(image, shifted)
