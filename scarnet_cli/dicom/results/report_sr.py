"""Write a study's measures as a Structured Report: template TID 1500, with TID 1411 for each region and its segments.

The regions are the scored ones: myocardium includes scar, and scar includes microvascular obstruction. A region refers
to all segments of the label map that it consists of.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import highdicom as hd
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from scarnet_cli import __version__
from scarnet_cli.dicom.identity import MANUFACTURER
from scarnet_cli.dicom.results import codes
from scarnet_cli.dicom.results.codes import PROPERTIES, Property
from scarnet_cli.dicom.results.result import MODEL_NAME, Result
from scarnet_cli.dicom.results.source_headers import instances
from scarnet_cli.image.labels import REGIONS, Label
from scarnet_cli.tables.columns import Cell, cells_of
from scarnet_cli.tables.scans import ScanMeasures

_SERIES_NUMBER: Final = 9002


@dataclass(frozen=True, slots=True)
class Group:
    """The measures of one region by one method.

    Attributes:
        name: Name of the region; without one in `REGIONS`, the group refers to no segment.
        known: Property type and anatomic site of the region.
        measured: Column of `scans` -> (concept, unit).
        method: How scar was separated from other myocardium, if that applies.
    """

    name: str
    known: Property
    measured: Mapping[str, tuple[Code, Code]]
    method: Code | None = None


_SCAR: Final = PROPERTIES[Label.SCAR]
_VOLUME: Final = (codes.VOLUME, codes.MILLILITRE)
_MASS: Final = (codes.MASS, codes.GRAM)
_SCAR_PERCENT: Final = (codes.SCAR_PERCENT, codes.PERCENT)
_GROUPS: Final = (
    Group("blood_pool", PROPERTIES[Label.BLOOD_POOL], {"blood_pool_ml": _VOLUME}),
    Group("myocardium", PROPERTIES[Label.MYOCARDIUM], {"myocardium_ml": _VOLUME, "myocardium_g": _MASS}),
    Group("scar", _SCAR, {"scar_ml": _VOLUME, "scar_g": _MASS, "scar_percent_lv": _SCAR_PERCENT}, codes.LABELLED),
    Group(
        "mvo",
        PROPERTIES[Label.MVO],
        {"mvo_ml": _VOLUME, "mvo_percent_lv": (codes.MVO_PERCENT, codes.PERCENT)},
        codes.LABELLED,
    ),
    # No segment shows these: scar by a threshold differs from scar labelled by the network.
    Group("scar by 5 SD", _SCAR, {"scar_5sd_percent_lv": _SCAR_PERCENT}, codes.FIVE_SD),
    Group("scar by FWHM", _SCAR, {"scar_fwhm_percent_lv": _SCAR_PERCENT}, codes.FWHM),
)


def make_report(measures: ScanMeasures, segmentation: hd.seg.Segmentation, result: Result) -> sr.EnhancedSR:
    """Return a report of a study's defined measures that refers to its segmentation and its source images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from pydicom, about odd values of the source
        report = sr.EnhancedSR(
            evidence=[segmentation, *_evidence(result)],  # patient and study are taken from the first
            content=_content(measures, segmentation, result),
            series_instance_uid=result.uid("report series"),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=result.uid("report"),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=__version__,
            is_complete=True,
            series_description="ScarNet measurements",
            coding_schemes=[
                CodingSchemeIdentificationItem(
                    codes.OWN_SCHEME, name=codes.OWN_SCHEME_NAME, responsible_organization=MANUFACTURER
                )
            ],
            content_date=result.made.date(),
            content_time=result.made.time(),
        )
        result.settle(report)
    return report


def _evidence(result: Result) -> list[Dataset]:
    """Return for each source image the attributes needed to refer to it."""
    headers = []
    for source, _ in instances(result.slices):
        header = Dataset()
        for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(header, keyword, source.get(keyword, ""))
        headers.append(header)
    return headers


def _content(measures: ScanMeasures, segmentation: hd.seg.Segmentation, result: Result) -> sr.MeasurementReport:
    cells = cells_of(measures)
    observer = sr.DeviceObserverIdentifyingAttributes(
        uid=result.uid("observer"), name=MODEL_NAME, manufacturer_name=MANUFACTURER, model_name=result.model or None
    )
    context = sr.ObserverContext(
        observer_type=sr.CodedConcept.from_code(codes.DEVICE), observer_identifying_attributes=observer
    )
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=context),
        procedure_reported=codes.CARDIAC_MRI,
        imaging_measurements=[
            _group(group, numbers, segmentation, result)
            for group in _GROUPS
            if (numbers := _measurements(group, cells)) or group.name in REGIONS
        ],
    )


def _measurements(group: Group, cells: Mapping[str, Cell]) -> list[sr.Measurement]:
    return [
        sr.Measurement(name=concept, value=value, unit=unit)
        for column, (concept, unit) in group.measured.items()
        if isinstance(value := cells[column], int | float)
    ]


def _group(
    group: Group, measurements: list[sr.Measurement], segmentation: hd.seg.Segmentation, result: Result
) -> sr.MeasurementsAndQualitativeEvaluations | sr.VolumetricROIMeasurementsAndQualitativeEvaluations:
    common: dict[str, Any] = {
        "tracking_identifier": sr.TrackingIdentifier(result.uid("tracking", group.name), group.name),
        "finding_category": group.known.category,
        "finding_type": group.known.kind,
        "finding_sites": [sr.FindingSite(group.known.site)],
        "method": group.method,
        "measurements": measurements,
    }
    if group.name not in REGIONS:
        return sr.MeasurementsAndQualitativeEvaluations(**common)
    parameters = [f"{key}={value}" for key, value in result.parameters.items()]
    algorithm = sr.AlgorithmIdentification(result.model, __version__, parameters) if result.model else None
    segment = _segments(REGIONS[group.name], segmentation, result)
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        **common, referenced_segment=segment, algorithm_id=algorithm
    )


def _segments(labels: Sequence[Label], segmentation: hd.seg.Segmentation, result: Result) -> sr.ReferencedSegment:
    sources = [
        sr.SourceImageForSegmentation(header.SOPClassUID, header.SOPInstanceUID, frames)
        for header, frames in instances(result.slices)
    ]
    segment = sr.ReferencedSegment(
        segmentation.SOPClassUID, segmentation.SOPInstanceUID, int(labels[0]), source_images=sources
    )
    # highdicom takes one number; the attribute may hold the numbers of all the region's segments
    segment[0].ReferencedSOPSequence[0].ReferencedSegmentNumber = [int(label) for label in labels]
    return segment
