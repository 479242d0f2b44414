"""What CONVERT and SEGMENT say of a made study."""

from scarnet_cli.dicom.study_entry import Geometry, StudyRecord
from scarnet_cli.stage.records import Margins, SegmentRecord
from scarnet_cli.tables.scans import AcquisitionFacts, PatientFacts

CONVERTED = StudyRecord(
    study_id="",
    study_instance_uid="1.2.3",
    manufacturer="Siemens",
    slices=5,
    spacing_mm=1.5,
    slice_spacing_mm=8.0,
    geometry=Geometry((0.0, 0.0, 0.0), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (8.0, 1.5, 1.5)),
    component="psir",
    rules=(),
    flags=("repeated_slice",),
    rv_insertion=None,
    patient_facts=PatientFacts("2025-03-04", "F", 63.0, 160.0, 90.0, 2.0),
    acquisition=AcquisitionFacts("Aera", 1.5, "*tfl2d1_16", 300.0, 6.0, 2.0, "Gadovist", 12.5),
    deidentified=False,
    pipeline_version="0",
)
MARGINS = Margins(scar_percent=5.0, scar_ml=200.0, mvo_percent=1.5)
SEGMENTED = SegmentRecord("", 0.9, 0.75, MARGINS, "unet", "ab12", "default", "cpu", ("low_confidence",))
