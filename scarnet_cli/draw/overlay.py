"""One picture per study: all slices in a grid, cropped around the heart, with thin contours over the LGE image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import find_contours

from scarnet_cli.files import atomic_path
from scarnet_cli.image.labels import Label, region_mask
from scarnet_cli.image.volume import Volume, require_same_grid, same_grid

Rgb = tuple[int, int, int]

TILE_PX: Final = 240
_GAP_PX: Final = 4
_LEGEND_PX: Final = 34
_MARGIN_MM: Final = 16.0  # around the heart on each side, so that a reader sees its surroundings
_LEAST_SIDE_MM: Final = 90.0
_WINDOW_PERCENTILES: Final = (0.5, 99.3)
_HEADROOM: Final = 1.2  # factor on the heart's brightest signal, so that contours stand out from bright scar
_LINE_PX: Final = 1.5
_SUPERSAMPLING: Final = 3  # lines are drawn this much larger, then shrunk, because Pillow does not antialias them
_DASH_PX: Final = 5.0
_REFERENCE: Final = "reference"
_PLAIN_QUALITY: Final = 85
_SCALE_BAR_MM: Final = 20.0
_PAPER: Final[Rgb] = (17, 20, 24)
_CAPTION: Final[Rgb] = (235, 238, 242)
_QUIET: Final[Rgb] = (140, 148, 158)

# Okabe and Ito's colour-blind-safe hues, lightened for lines on dark grey. Contours are drawn in this order.
CONTOURS: Final[dict[str, Rgb]] = {
    "blood pool": (86, 180, 233),
    "epicardium": (20, 200, 150),
    "scar": (255, 159, 28),
    "microvascular obstruction": (255, 105, 190),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of the slices in the picture.

    Attributes:
        columns: Slices in a row of the grid.
        rows: Rows of the grid.
        top_left_yx_mm: Top left corner of the view, relative to the corner of voxel (0, 0) of a slice.
        side_mm: Side of the square view, which is `TILE_PX` pixels wide.
    """

    columns: int
    rows: int
    top_left_yx_mm: tuple[float, float]
    side_mm: float

    @property
    def px_per_mm(self) -> float:
        """Scale of the picture, in pixels per mm."""
        return TILE_PX / self.side_mm

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture, legend included."""
        step = TILE_PX + _GAP_PX
        return self.columns * step + _GAP_PX, self.rows * step + _GAP_PX + _LEGEND_PX

    def tile_xy_px(self, index: int) -> tuple[int, int]:
        """Return the top left corner of a slice's tile."""
        row, column = divmod(index, self.columns)
        step = TILE_PX + _GAP_PX
        return _GAP_PX + column * step, _GAP_PX + row * step

    def in_tile_xy_px(self, index_yx: NDArray[np.float64], spacing_yx_mm: tuple[float, float]) -> NDArray[np.float64]:
        """Return the (n, 2) x, y pixel positions in a tile of (n, 2) y, x indices (voxel centres are whole numbers)."""
        position_yx_mm = (index_yx + 0.5) * spacing_yx_mm - self.top_left_yx_mm
        return position_yx_mm[:, ::-1] * self.px_per_mm


def draw_overlay(image: Volume, labels: Volume, path: Path, *, plain: Path, reference: Volume | None = None) -> None:
    """Write the study's picture as PNG, and the same without contours as WebP; equal volumes give equal bytes.

    Args:
        image: LGE stack, (z, y, x); each slice is windowed by its own percentiles, of the heart or else of the view.
        labels: Label map on the same grid; if it is empty, whole slices are shown without contours.
        path: PNG file to write, atomically.
        plain: WebP file to write, likewise.
        reference: Label map whose contours are dashed; one on another grid is left out.

    Raises:
        GeometryError: The grids of image and labels differ.
    """
    require_same_grid(image, labels)
    layout = plan_layout(labels)
    tiles = _tiles(image, labels, layout, _slice_captions(image))
    with atomic_path(plain) as temporary:
        _framed(tiles, layout).save(temporary, format="WEBP", quality=_PLAIN_QUALITY)
    with atomic_path(path) as temporary:
        _with_contours(tiles, image, labels, layout, reference).save(temporary, format="PNG")


def render_tiles(
    image: Volume, labels: Volume, layout: Layout, captions: Sequence[str], reference: Volume | None = None
) -> Image.Image:
    """Return the slices of a stack in a grid, with contours, captions and a legend.

    Args:
        image: LGE slices, (z, y, x); each is windowed by its own percentiles, of the heart or else of the view.
        labels: Label map on the same grid.
        layout: Layout of the slices, and the view.
        captions: One per slice; grey if the slice has no heart.
        reference: Label map whose contours are dashed; one on another grid is left out.
    """
    return _with_contours(_tiles(image, labels, layout, captions), image, labels, layout, reference)


def _with_contours(
    tiles: Sequence[Image.Image], image: Volume, labels: Volume, layout: Layout, reference: Volume | None
) -> Image.Image:
    """Return the picture of tiles, in which the contours are drawn; see `render_tiles`."""
    drawn = None if reference is None or not same_grid(image, reference) else reference
    for index, tile in enumerate(tiles):
        _draw_contours(tile, labels.array[index], labels.spacing_zyx_mm[1:], layout)
        if drawn is not None:
            _draw_contours(tile, drawn.array[index], drawn.spacing_zyx_mm[1:], layout, dashed=True)
    picture = _framed(tiles, layout)
    _draw_legend(picture, layout, [*CONTOURS, *([_REFERENCE] if drawn is not None else [])])
    return picture


def _slice_captions(image: Volume) -> list[str]:
    return [f"slice {index}" for index in range(image.shape_zyx[0])]


def _tiles(image: Volume, labels: Volume, layout: Layout, captions: Sequence[str]) -> list[Image.Image]:
    """Return the view of each slice, with its caption and without contours."""
    tiles: list[Image.Image] = []
    for index, caption in enumerate(captions):
        tile = _grey_tile(image.array[index], labels.array[index], image.spacing_zyx_mm[1:], layout)
        has_heart = bool((labels.array[index] != Label.BACKGROUND).any())
        _text(tile, (7, 4), caption, _CAPTION if has_heart else _QUIET)
        tiles.append(tile)
    return tiles


def _framed(tiles: Sequence[Image.Image], layout: Layout) -> Image.Image:
    picture = Image.new("RGB", layout.size_px, _PAPER)
    for index, tile in enumerate(tiles):
        picture.paste(tile, layout.tile_xy_px(index))
    return picture


def plan_layout(labels: Volume) -> Layout:
    """Return the layout with one square view for all slices: all labels with a margin, or else the whole slice."""
    slices, *shape_yx = labels.shape_zyx
    spacing_yx_mm = np.array(labels.spacing_zyx_mm[1:])
    heart = (labels.array != Label.BACKGROUND).any(axis=0)
    if heart.any():
        first_yx = np.array([np.flatnonzero(heart.any(axis=axis))[0] for axis in (1, 0)])
        last_yx = np.array([np.flatnonzero(heart.any(axis=axis))[-1] + 1 for axis in (1, 0)])
        side_mm = max(_LEAST_SIDE_MM, float(((last_yx - first_yx) * spacing_yx_mm).max()) + 2 * _MARGIN_MM)
    else:
        first_yx, last_yx = np.zeros(2), np.array(shape_yx)
        side_mm = float((last_yx * spacing_yx_mm).max())
    top, left = (first_yx + last_yx) / 2 * spacing_yx_mm - side_mm / 2
    columns = _columns(slices)
    return Layout(columns, -(-slices // columns), (float(top), float(left)), side_mm)


def _columns(slices: int) -> int:
    """Return the number of columns that leaves few gaps, makes the grid wider than high, and fits the legend."""
    widths = [3] if slices <= 3 else range(4, 7)  # noqa: PLR2004 (up to three slices are one row)
    return min(widths, key=lambda width: (-slices % width, abs(width - 5)))


def _grey_tile(
    pixels: NDArray[np.generic], labels: NDArray[np.integer], spacing_yx_mm: tuple[float, ...], layout: Layout
) -> Image.Image:
    """Return the windowed view of one slice; everything outside the slice is black.

    White is a little above the heart's brightest signal, if there is a heart; windowed for fat, scar would be grey.
    """
    first_yx = np.floor(np.array(layout.top_left_yx_mm) / spacing_yx_mm).astype(int)
    last_yx = np.ceil((np.array(layout.top_left_yx_mm) + layout.side_mm) / spacing_yx_mm).astype(int)
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
    inside = values[_bounded(first_yx[0], last_yx[0]), _bounded(first_yx[1], last_yx[1])]
    low, high = np.percentile(inside if inside.size else values, _WINDOW_PERCENTILES)
    heart = values[labels != Label.BACKGROUND]
    if heart.size:
        high = low + _HEADROOM * (np.percentile(heart, _WINDOW_PERCENTILES[1]) - low)
    before = np.maximum(-first_yx, 0)
    after = np.maximum(last_yx - values.shape, 0)
    padded = np.pad(values, tuple(zip(before, after, strict=True)), constant_values=low)
    y, x = (np.array(layout.top_left_yx_mm) / spacing_yx_mm + before).tolist()
    height, width = (layout.side_mm / np.array(spacing_yx_mm)).tolist()
    view = Image.fromarray(padded).resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC, (x, y, x + width, y + height))
    grey = np.clip((np.asarray(view) - low) / max(high - low, 1e-6), 0, 1) * 255
    return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")


def _bounded(first: int, last: int) -> slice:
    return slice(max(first, 0), max(last, 0))


def _draw_contours(
    tile: Image.Image,
    labels: NDArray[np.integer],
    spacing: tuple[float, ...],
    layout: Layout,
    *,
    dashed: bool = False,
) -> None:
    spacing_yx_mm = (spacing[0], spacing[1])
    for name, region in _regions(labels).items():
        if not region.any():
            continue
        lines = Image.new("L", (TILE_PX * _SUPERSAMPLING, TILE_PX * _SUPERSAMPLING))
        pen = ImageDraw.Draw(lines)
        for contour_yx in find_contours(np.pad(region, 1).astype(float), 0.5):
            points = layout.in_tile_xy_px(contour_yx - 1, spacing_yx_mm) * _SUPERSAMPLING
            width = round(_LINE_PX * _SUPERSAMPLING)
            for part in _dashes(points) if dashed else [points]:
                pen.line([(float(x), float(y)) for x, y in part], fill=255, width=width, joint="curve")
        tile.paste(CONTOURS[name], mask=lines.resize(tile.size, Image.Resampling.BOX))


def _dashes(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the dashes of a (n, 2) line; between two of them is as much again."""
    along = np.r_[0.0, np.hypot(*np.diff(points, axis=0).T).cumsum()]
    steps = np.arange(0.0, along[-1], 1.0)  # a contour's own points may lie farther apart than a dash is long
    fine = np.column_stack([np.interp(steps, along, points[:, axis]) for axis in (0, 1)])
    number = (steps / (_DASH_PX * _SUPERSAMPLING)).astype(int)
    return np.split(fine, np.flatnonzero(np.diff(number)) + 1)[::2]


def _regions(labels: NDArray[np.integer]) -> dict[str, NDArray[np.bool_]]:
    """Return the (y, x) masks whose borders are drawn, by their names in `CONTOURS`."""
    blood_pool = region_mask(labels, "blood_pool")
    return {
        "blood pool": blood_pool,
        "epicardium": blood_pool | region_mask(labels, "myocardium"),
        "scar": region_mask(labels, "scar"),
        "microvascular obstruction": region_mask(labels, "mvo"),
    }


def _draw_legend(picture: Image.Image, layout: Layout, names: Sequence[str]) -> None:
    """Draw the names of the contours and a scale bar along the bottom edge."""
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    middle = picture.height - _LEGEND_PX / 2
    x = 12.0
    for name in names:
        for start, end in ((0, 7), (11, 18)) if name == _REFERENCE else ((0, 18),):
            pen.line([(x + start, middle), (x + end, middle)], fill=CONTOURS.get(name, _CAPTION), width=3)
        pen.text((x + 24, middle), name, fill=_CAPTION, font=font, anchor="lm")
        x += 24 + font.getlength(name) + 18
    caption = f"{_SCALE_BAR_MM:.0f} mm"
    right = picture.width - 12 - font.getlength(caption)
    pen.text((right, middle), caption, fill=_CAPTION, font=font, anchor="lm")
    pen.line([(right - 8 - _SCALE_BAR_MM * layout.px_per_mm, middle), (right - 8, middle)], fill=_CAPTION, width=2)


def _text(tile: Image.Image, xy: tuple[int, int], text: str, colour: Rgb) -> None:
    """Draw text with a dark outline, so that it is legible on bright fat."""
    font = ImageFont.load_default(12)
    ImageDraw.Draw(tile).text(xy, text, fill=colour, font=font, stroke_width=2, stroke_fill=_PAPER)
