"""Cases of multi-frame objects: frames in any order, facts in functional groups."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from dicom_series import GAP_MM, LONG_AXIS_PLANE, NORMAL, make_series, place, save, stored_pixels
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage, RLELossless

from dicom_cases.edits import put, rename
from dicom_cases.truth import TrueStack, Truth, case, true_stack

MULTIFRAME: Final = "multi-frame objects"
_SHUFFLED: Final = (3, 0, 6, 1, 5, 2, 4)
_DIMENSIONS: Final = "1.2.840.99.60"
_INDICES: Final = (
    ("StackID", "FrameContentSequence"),
    ("InStackPositionNumber", "FrameContentSequence"),
    ("ComplexImageComponent", "MRImageFrameTypeSequence"),
)
_MOVED_TO_FRAMES: Final = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "AcquisitionTime",
    "AcquisitionDate",
    "RescaleSlope",
    "RescaleIntercept",
)


def item(**values: object) -> Dataset:
    """Return a data set of the given elements."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced(slices: Sequence[Dataset], stack_ids: Sequence[str] | None = None) -> Dataset:
    """Return an enhanced object that holds classic slices as its frames, in the order given."""
    dataset = copy.deepcopy(slices[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.NumberOfFrames = len(slices)
    dataset.PixelData = b"".join(s.PixelData for s in slices)
    measures = item(PixelSpacing=slices[0].PixelSpacing, SliceThickness=slices[0].SliceThickness)
    dataset.SharedFunctionalGroupsSequence = Items([item(PixelMeasuresSequence=Items([measures]))])
    ids = stack_ids or ["1"] * len(slices)
    dataset.PerFrameFunctionalGroupsSequence = Items([_frame(s, i) for s, i in zip(slices, ids, strict=True)])
    dataset.DimensionOrganizationSequence = Items([item(DimensionOrganizationUID=_DIMENSIONS)])
    dataset.DimensionIndexSequence = Items(
        [
            item(
                DimensionOrganizationUID=_DIMENSIONS,
                DimensionIndexPointer=tag_for_keyword(index),
                FunctionalGroupPointer=tag_for_keyword(macro),
            )
            for index, macro in _INDICES
        ]
    )
    for stack_id in set(ids):
        _number(
            [group for group, i in zip(dataset.PerFrameFunctionalGroupsSequence, ids, strict=True) if i == stack_id]
        )
    for keyword in _MOVED_TO_FRAMES:
        if keyword in dataset:
            delattr(dataset, keyword)
    return dataset


def _frame(dataset: Dataset, stack_id: str) -> Dataset:
    real = not {"PSIR", "R"}.isdisjoint(dataset.ImageType)
    group = item(
        FrameContentSequence=Items(
            [item(FrameAcquisitionDateTime=dataset.AcquisitionDate + dataset.AcquisitionTime, StackID=stack_id)]
        ),
        PlanePositionSequence=Items([item(ImagePositionPatient=dataset.ImagePositionPatient)]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=dataset.ImageOrientationPatient)]),
        MRImageFrameTypeSequence=Items(
            [
                item(
                    FrameType=["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"],
                    ComplexImageComponent="REAL" if real else "MAGNITUDE",
                )
            ]
        ),
    )
    if "RescaleSlope" in dataset:
        rescale = item(
            RescaleSlope=dataset.RescaleSlope, RescaleIntercept=dataset.RescaleIntercept, RescaleType="normalized"
        )
        group.PixelValueTransformationSequence = Items([rescale])
    return group


def _number(groups: Sequence[Dataset]) -> None:
    """Number the frames of one stack by their place along the normal, and give them their dimension index."""
    places = [np.array(g.PlanePositionSequence[0].ImagePositionPatient, float) for g in groups]
    cosines = np.array(groups[0].PlaneOrientationSequence[0].ImageOrientationPatient, float)
    depths = np.round(np.array(places) @ np.cross(cosines[:3], cosines[3:]), 3)
    for group, depth in zip(groups, depths, strict=True):
        content, number = group.FrameContentSequence[0], int((np.unique(depths) < depth).sum()) + 1
        component = 1 + (group.MRImageFrameTypeSequence[0].ComplexImageComponent == "REAL")
        content.InStackPositionNumber = number
        content.DimensionIndexValues = [int(content.StackID), number, component]


@case(MULTIFRAME, "enhanced")
def enhanced_object(folder: Path) -> Truth:
    save([enhanced(make_series())], folder)
    return Truth(true_stack())


@case(MULTIFRAME, "enhanced, frames shuffled")
def shuffled_frames(folder: Path) -> Truth:
    series = make_series()
    save([enhanced([series[i] for i in _SHUFFLED])], folder)
    return Truth(true_stack())


@case(MULTIFRAME, "enhanced, RescaleSlope a frame")
def slope_a_frame(folder: Path) -> Truth:
    series = make_series()
    for i, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + i, -10
    save([enhanced([series[i] for i in _SHUFFLED])], folder)
    return Truth(true_stack(values=stored_pixels(7) * (1 + np.arange(7.0)[:, None, None]) - 10))


@case(MULTIFRAME, "enhanced, RLE")
def compressed_frames(folder: Path) -> Truth:
    dataset = enhanced(make_series())
    dataset.compress(RLELossless, generate_instance_uid=False)
    save([dataset], folder)
    return Truth(true_stack())


@case(MULTIFRAME, "enhanced, one object a slice")
def object_a_slice(folder: Path) -> Truth:
    save([enhanced([dataset]) for dataset in make_series()], folder)
    return Truth(true_stack())


@case(MULTIFRAME, "enhanced, a concatenation of two objects")
def concatenation(folder: Path) -> Truth:
    series = make_series()
    parts = [enhanced(series[:4]), enhanced(series[4:])]
    for number, part in enumerate(parts, start=1):
        part.ConcatenationUID, part.InConcatenationNumber, part.InConcatenationTotalNumber = "1.2.840.99.5", number, 2
        part.ConcatenationFrameOffsetNumber = 4 * (number - 1)
    save(parts, folder)
    return Truth(true_stack())


@case(MULTIFRAME, "enhanced, magnitude and real frames")
def two_components(folder: Path) -> Truth:
    magnitude = make_series(image_type=("ORIGINAL", "PRIMARY", "M"), seed=1)
    save([enhanced([*magnitude, *make_series()])], folder)
    return Truth(true_stack(), rules=("phase_sensitive_chosen",), others=(true_stack(seed=1),))


@case(MULTIFRAME, "enhanced, short- and long-axis stacks")
def two_views(folder: Path) -> Truth:
    long_axis, truth = long_axis_slices(seed=4)
    save([enhanced([*long_axis, *make_series()], ["1"] * 3 + ["2"] * 7)], folder)
    return Truth(true_stack(), others=(truth,))


@case(MULTIFRAME, "enhanced, two stacks that interleave")
def interleaved_stacks(folder: Path) -> Truth:
    """Two stacks of one orientation, the second half a gap further: only StackID tells them apart."""
    first, second = make_series(), make_series(seed=1)
    for i, dataset in enumerate(second):
        place(dataset, (i + 0.5) * GAP_MM)
        dataset.AcquisitionTime = f"1045{i:02d}"
    frames = [d for pair in zip(first, second, strict=True) for d in pair]
    save([enhanced(frames, ["1", "2"] * 7)], folder)
    stack = true_stack(seed=1)
    later = TrueStack(stack.values, stack.positions_xyz_mm + NORMAL * GAP_MM / 2, stack.direction, stack.spacing_yx_mm)
    return Truth(later, flags=("latest_stack_chosen",), others=(true_stack(),))


@case(MULTIFRAME, "legacy-converted enhanced")
def legacy_converted(folder: Path) -> Truth:
    save([legacy(make_series())], folder)
    return Truth(true_stack())


@case(MULTIFRAME, "legacy-converted enhanced, RescaleSlope a frame, shuffled")
def legacy_converted_with_slopes(folder: Path) -> Truth:
    series = make_series()
    for i, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1 + i, -10, "US"
    save([legacy([series[i] for i in _SHUFFLED])], folder)
    return Truth(true_stack(values=stored_pixels(7) * (1 + np.arange(7.0)[:, None, None]) - 10))


@case(MULTIFRAME, "frames without functional groups")
def frames_without_groups(folder: Path) -> Truth:
    dataset = make_series(1)[0]
    dataset.NumberOfFrames = 7
    dataset.PixelData = stored_pixels(7).astype("<u2").tobytes()
    save([dataset], folder)
    return Truth(true_stack(), refusal="no_geometry")


def legacy(series: Sequence[Dataset]) -> Dataset:
    """Return classic slices as one legacy-converted enhanced object, made by highdicom."""
    for dataset in series:
        dataset.PatientSex, dataset.AccessionNumber, dataset.StudyID = "O", "", "1"
        dataset.SoftwareVersions, dataset.ReferringPhysicianName = "1", ""
        dataset.ManufacturerModelName, dataset.DeviceSerialNumber, dataset.ContentDate = "Aera", "1", "20210304"
        dataset.ContentTime, dataset.PositionReferenceIndicator, dataset.SeriesDate = "101500", "", "20210304"
        dataset.SeriesTime, dataset.Laterality = "101500", ""
    return LegacyConvertedEnhancedMRImage(series, "1.2.840.99.6", 40, "1.2.840.99.6.1", 1)


def long_axis_slices(seed: int) -> tuple[list[Dataset], TrueStack]:
    """Return three slices of a long axis in the same series as the short axis, with their truth."""
    slices = make_series(3, seed=seed)
    x, y = LONG_AXIS_PLANE
    direction = np.stack([x, y, np.cross(x, y)], axis=1)
    positions = np.outer(np.arange(3) * GAP_MM, direction[:, 2]) - 20.0
    for i, dataset in enumerate(slices):
        put(dataset, positions[i], (*x, *y))
        rename(dataset, f"1.2.840.99.1.4.{i}")
    plain = true_stack(3, seed)
    return slices, TrueStack(plain.values, positions, direction, plain.spacing_yx_mm)
