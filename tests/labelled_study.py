"""What CONVERT and SEGMENT say of a made study."""

from scarnet_cli.dicom.study_entry import Geometry, StudyRecord
from scarnet_cli.stage.records import Margins, SegmentRecord

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
    deidentified=False,
    pipeline_version="0",
)
MARGINS = Margins(scar_percent=5.0, scar_ml=200.0, mvo_percent=1.5)
SEGMENTED = SegmentRecord("", 0.9, 0.75, MARGINS, "unet", "ab12", "default", "cpu", ("low_confidence",))
