"""Measures as Structured Report, judged by dciodvfy and read back by highdicom and dcmqi."""

import json
from pathlib import Path
from typing import Any

import pytest
from dicom_series import make_series, save
from exported_study import SHA256, Labelled, dcmqi, judge, label
from highdicom import sr
from pydicom import dcmread

from scarnet_cli.dicom.results.codes import FIVE_SD, FWHM, LABELLED, MASS, MVO_PERCENT, SCAR_PERCENT, VOLUME
from scarnet_cli.image.labels import Label

# Our own codes are in no table of the program's.
KNOWN_WARNING = "Warning - Unrecognized defined term <99SCARNET> for value 1 of attribute <Coding Scheme Designator>"
# Region -> its labels in the label map, and the columns of `scans` that are reported of it.
REGIONS = {
    "blood_pool": ([1], {VOLUME: "blood_pool_ml"}),
    "myocardium": ([2, 3, 4], {VOLUME: "myocardium_ml", MASS: "myocardium_g"}),
    "scar": ([3, 4], {VOLUME: "scar_ml", MASS: "scar_g", SCAR_PERCENT: "scar_percent_lv"}),
    "mvo": ([4], {VOLUME: "mvo_ml", MVO_PERCENT: "mvo_percent_lv"}),
}


@pytest.fixture
def study(tmp_path: Path) -> Labelled:
    save(make_series(), tmp_path / "in")
    return label(tmp_path / "in", tmp_path)


def read(study: Labelled) -> sr.MeasurementReport:
    content = sr.srread(study.export() / "report.dcm").content
    assert isinstance(content, sr.MeasurementReport)
    return content


def test_the_report_is_valid(study: Labelled) -> None:
    assert set(judge(study.export() / "report.dcm")) <= {
        KNOWN_WARNING,
        # of the series in this test, which has neither
        "Warning - Missing attribute or value that would be needed to build DICOMDIR - Study Time",
        "Warning - Missing attribute or value that would be needed to build DICOMDIR - Study ID",
    }


def test_each_region_has_its_measures_and_names_its_segments_and_images(study: Labelled) -> None:
    folder = study.export()
    groups = read(study).get_volumetric_roi_measurement_groups()
    assert {group.tracking_identifier for group in groups} == set(REGIONS)
    segmentation = dcmread(folder / "seg.dcm")
    images = {f"1.2.840.99.1.{n}" for n in range(1, 8)}
    for group in groups:
        labels, columns = REGIONS[str(group.tracking_identifier)]
        found: dict[Any, tuple[float, str]] = {m.name: (m.value, m.unit.value) for m in group.get_measurements()}
        assert set(found) == set(columns)
        for concept, column in columns.items():
            value, unit = found[concept]
            assert value == pytest.approx(study.record[column], rel=1e-9)
            assert unit.lower() == {"percent_lv": "%"}.get(column.split("_", 1)[1], column.split("_")[-1])
        segment = group.referenced_segment
        assert segment is not None
        (reference,) = segment[0].ReferencedSOPSequence
        numbers = reference.ReferencedSegmentNumber
        assert ([numbers] if isinstance(numbers, int) else list(numbers)) == labels
        assert reference.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
        sources = {item.referenced_sop_instance_uid for item in segment[1:]}
        assert sources == images
    evidence = {
        item.ReferencedSOPInstanceUID
        for known in dcmread(folder / "report.dcm").CurrentRequestedProcedureEvidenceSequence
        for series in known.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert evidence == {*images, str(segmentation.SOPInstanceUID)}


def test_the_method_of_telling_scar_is_named(study: Labelled) -> None:
    content = read(study)
    by_region = {g.tracking_identifier: g.method for g in content.get_volumetric_roi_measurement_groups()}
    assert by_region == {"blood_pool": None, "myocardium": None, "scar": LABELLED, "mvo": LABELLED}
    others = {g.method: g.get_measurements()[0].value for g in content.get_image_measurement_groups()}
    assert others == {
        FIVE_SD: pytest.approx(study.record["scar_5sd_percent_lv"]),
        FWHM: pytest.approx(study.record["scar_fwhm_percent_lv"]),
    }


def test_what_is_undefined_is_left_out(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    study = label(tmp_path / "in", tmp_path, Label.BLOOD_POOL)
    assert study.record["scar_percent_lv"] is None
    content = read(study)
    assert content.get_image_measurement_groups() == []
    scar = next(g for g in content.get_volumetric_roi_measurement_groups() if g.tracking_identifier == "scar")
    assert {m.name: m.value for m in scar.get_measurements()} == {VOLUME: 0.0, MASS: 0.0}


def test_dcmqi_reads_the_same_numbers(study: Labelled, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    dcmqi("tid1500reader", "--inputDICOM", study.export() / "report.dcm", "--outputMetadata", target)
    groups = {group["TrackingIdentifier"]: group for group in json.loads(target.read_text())["Measurements"]}
    for region, (labels, columns) in REGIONS.items():
        found = {m["quantity"]["CodeValue"]: float(m["value"]) for m in groups[region]["measurementItems"]}
        assert found == {code.value: pytest.approx(study.record[name], rel=1e-9) for code, name in columns.items()}
        assert groups[region]["ReferencedSegment"] == labels[0]  # it reads the first of several
        algorithm = groups[region]["measurementAlgorithmIdentification"]
        assert (algorithm["AlgorithmName"], algorithm["AlgorithmParameters"]) == (
            "scarnet",
            [f"weights_sha256={SHA256}"],
        )
