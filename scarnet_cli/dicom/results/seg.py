"""Write the label map as a DICOM Segmentation: a binary segment each for blood pool, myocardium, scar and MVO.

A segment's number is its label's value. Segments do not overlap, so a viewer shows what the report's pictures show and
any reader can restore the label map. Every object describes all four segments, even empty ones, to state that they were
looked for. Each frame refers to the source frame that it was drawn on.
"""

import logging
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Final

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, MRImageStorage
from pydicom.valuerep import format_number_as_ds

from scarnet_cli import __version__
from scarnet_cli.dicom.geometry import direction_of
from scarnet_cli.dicom.headers import number_of, text
from scarnet_cli.dicom.identity import MANUFACTURER, make_uid
from scarnet_cli.dicom.results.codes import ARTIFICIAL_INTELLIGENCE, PROPERTIES
from scarnet_cli.dicom.results.result import MODEL_NAME, Result
from scarnet_cli.dicom.results.source_headers import SourceSlice, instances, patient_and_study
from scarnet_cli.draw.overlay import CONTOURS
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import GRID_TOLERANCE_MM, Volume

# highdicom's warnings quote values, patients' names among them.
logging.getLogger("highdicom").setLevel(logging.CRITICAL)

_SERIES_NUMBER: Final = 9001
_COLOURS: Final = {
    Label.BLOOD_POOL: CONTOURS["blood pool"],
    Label.MYOCARDIUM: CONTOURS["epicardium"],
    Label.SCAR: CONTOURS["scar"],
    Label.MVO: CONTOURS["microvascular obstruction"],
}


def make_segmentation(labels: Volume, result: Result) -> hd.seg.Segmentation:
    """Return a label map on its source's own grid as a Segmentation that belongs to the study of that source."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from pydicom, about odd values of the source
        segmentation = hd.seg.Segmentation(
            source_images=_plain_headers(labels, result.slices),
            pixel_array=labels.array.astype(np.uint8),
            segmentation_type="BINARY",
            segment_descriptions=[_describe(label, result) for label in PROPERTIES],
            series_instance_uid=result.uid("segmentation series"),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=result.uid("segmentation"),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=__version__,
            device_serial_number=result.model_sha256,
            content_label="SCARNET",
            content_description="Left ventricle, scar and microvascular obstruction",
            omit_empty_frames=False,  # so that a reader gets all slices, even those beyond the heart
            series_description="ScarNet segmentation",
            content_date=result.made.date(),
            content_time=result.made.time(),
        )
        segmentation.ContentCreatorName = ""  # created by no person
        _refer(segmentation, result.slices)
        # highdicom gives them a random UID
        for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
            item.DimensionOrganizationUID = result.uid("dimensions")
        result.settle(segmentation)
    return segmentation


def _describe(label: Label, result: Result) -> hd.seg.SegmentDescription:
    known = PROPERTIES[label]
    network = hd.AlgorithmIdentificationSequence(
        name=result.model,
        family=ARTIFICIAL_INTELLIGENCE,
        version=__version__,
        source=MANUFACTURER,
        parameters=result.parameters,
    )
    return hd.seg.SegmentDescription(
        segment_number=int(label),
        segment_label=known.label,
        segmented_property_category=known.category,
        segmented_property_type=known.kind,
        algorithm_type="AUTOMATIC" if result.model else "MANUAL",
        algorithm_identification=network if result.model else None,
        tracking_id=label.name.lower(),
        tracking_uid=result.uid("tracking", label.name.lower()),
        anatomic_regions=[known.site],
        display_color=hd.color.CIELabColor.from_rgb(*_COLOURS[label]),
    )


def _plain_headers(labels: Volume, slices: Sequence[SourceSlice]) -> list[Dataset]:
    """Return one classic single-frame header per slice, all in one series, a form that highdicom always accepts.

    A series per slice, frames of several objects and missing attributes then cause no trouble. `_refer` replaces these
    stand-ins by the true references.
    """
    direction, _ = direction_of(np.median(np.array([source.facts.orientation for source in slices]), axis=0))
    z, y, x = labels.spacing_zyx_mm
    known = patient_and_study(slices[0].header)
    headers = []
    for number, (source, position) in enumerate(zip(slices, _positions(labels, slices), strict=True)):
        header = deepcopy(known)
        header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, _stand_in(number)
        header.StudyInstanceUID, header.SeriesInstanceUID = slices[0].header.StudyInstanceUID, _stand_in("series")
        header.FrameOfReferenceUID = _frame_of_reference(slices[0])
        header.Modality = "MR"
        header.Rows, header.Columns = labels.shape_zyx[1:]
        header.PixelSpacing = _decimals([y, x])
        header.SliceThickness, header.SpacingBetweenSlices = _decimals([_thickness_mm(source, z), z])
        header.ImagePositionPatient = _decimals(position)
        header.ImageOrientationPatient = _decimals([*direction[:, 0], *direction[:, 1]])
        headers.append(header)
    return headers


def _positions(labels: Volume, slices: Sequence[SourceSlice]) -> NDArray[np.float64]:
    """Return the (n, 3) positions of n frames, LPS in mm: the source's own, or the even grid's if the source jitters.

    Readers refuse a volume whose slice spacing varies by more than rounding.
    """
    even = labels.world(np.array([[z, 0, 0] for z in range(len(slices))]))
    own = np.array([source.facts.position_xyz_mm for source in slices])
    return own if np.abs(own - even).max() <= GRID_TOLERANCE_MM else even


def _stand_in(what: object) -> UID:
    return make_uid("stand-in", what)


def _decimals(values: Iterable[float]) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]


def _thickness_mm(source: SourceSlice, spacing_mm: float) -> float:
    given = number_of(source.header, "SliceThickness")
    return given if given and given > 0 else spacing_mm


def _frame_of_reference(source: SourceSlice) -> str:
    """Return the source's FrameOfReferenceUID, or one derived from its series if it has none."""
    given = source.facts.frame_of_reference
    return given or make_uid(source.facts.study_uid, source.facts.series_uid, "frame of reference")


def _refer(segmentation: hd.seg.Segmentation, slices: Sequence[SourceSlice]) -> None:
    """Replace the stand-ins by the true references."""
    by_stand_in = {_stand_in(number): source for number, source in enumerate(slices)}
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        for image in group.DerivationImageSequence[0].SourceImageSequence:
            source = by_stand_in.get(image.ReferencedSOPInstanceUID)
            if source is None:  # replaced already: segments of one slice share the item
                continue
            image.ReferencedSOPClassUID = source.header.SOPClassUID
            image.ReferencedSOPInstanceUID = source.header.SOPInstanceUID
            if source.frame is not None:
                image.ReferencedFrameNumber = source.frame + 1
    series: dict[str, list[Dataset]] = defaultdict(list)
    for header, _ in instances(slices):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
        series[text(header, "SeriesInstanceUID") or ""].append(item)
    items = []
    for uid, images in series.items():
        item = Dataset()
        item.SeriesInstanceUID, item.ReferencedInstanceSequence = uid, images
        items.append(item)
    segmentation.ReferencedSeriesSequence = items
