"""What CONVERT does with one indexed study: image.nii.gz and study.json."""

import numpy as np

from scarnet_cli import __version__
from scarnet_cli.buckets.place import Place, located
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.header_columns import deidentified_columns, patient_id_of, read_header_columns
from scarnet_cli.dicom.notes import AppliedRule
from scarnet_cli.dicom.pixels import volume_of
from scarnet_cli.dicom.study_entry import Source, StudyEntry, StudyRecord
from scarnet_cli.dicom.whole_files import read_whole_files, require_as_indexed
from scarnet_cli.errors import DicomError, GeometryError
from scarnet_cli.image.foreign_nifti import as_stack, read_foreign_nifti
from scarnet_cli.image.reference import read_reference
from scarnet_cli.image.volume import Volume
from scarnet_cli.stage.folder import StudyFile, StudyFolder
from scarnet_cli.stage.records import geometry_of
from scarnet_cli.tables.scans import NO_ACQUISITION, NO_PATIENT


def convert_study(study: StudyEntry, root: Place, folder: StudyFolder, pseudonyms: Pseudonyms | None = None) -> None:
    """Convert one study of a batch and copy its reference, if any, so that no later stage needs the input.

    Raises:
        DicomError: The study's files do not form a volume.
        GeometryError: Its NIfTI file does not hold a stack.
        MachineError: One of its files is gone or was changed since it was indexed, or the machine failed.
    """
    flags = list(study.flags)
    rules = list(study.rules)
    if study.reference:
        require_as_indexed(root, [Source(study.reference)])
    if study.kind == "nifti":
        require_as_indexed(root, study.sources)
        volume, found = read_nifti_study(located(root, study.sources[0].path))
        flags += found
        patient, acquisition = NO_PATIENT, NO_ACQUISITION
    else:
        files = read_whole_files(root, study.sources)
        volume, notes = volume_of(files, study.sources, one_uid="no_study_uid" not in flags)
        patient, acquisition, mended = read_header_columns(files, study.sources, volume.spacing_zyx_mm[0])
        if study.deidentified:
            named = patient_id_of(files, study.sources)
            patient, acquisition = deidentified_columns(patient, acquisition, pseudonyms, named)
        notes = [*notes, *mended]
        flags += [note.code for note in notes if note.flag]
        rules += [note.rule for note in notes]
    folder.write_volume(StudyFile.IMAGE, volume)
    if study.reference:
        try:
            folder.write_volume(StudyFile.REFERENCE, read_reference(located(root, study.reference), volume))
        except GeometryError as error:  # the study is measured without the comparison
            flags.append(error.code)
            rules.append(AppliedRule(error.code, str(error)))
    z, y, _ = volume.spacing_zyx_mm
    record = StudyRecord(
        study_id=study.study_id,
        study_instance_uid=study.study_instance_uid,
        manufacturer=study.manufacturer,
        slices=volume.shape_zyx[0],
        spacing_mm=round(float(y), 6),
        slice_spacing_mm=round(float(z), 6),
        geometry=geometry_of(volume),
        component=study.component,
        rules=tuple(rules),
        flags=tuple(sorted(flags)),
        rv_insertion=study.rv_insertion,
        patient_facts=patient,
        acquisition=acquisition,
        deidentified=study.deidentified,
        pipeline_version=__version__,
    )
    folder.write_record(StudyFile.STUDY, record)


def read_nifti_study(path: Place) -> tuple[Volume, tuple[str, ...]]:
    """Return a NIfTI study's float32 volume, slices first whatever the file's order of axes, and its flags.

    Raises:
        DicomError: It has fewer than two slices, or its values are not finite or all the same.
        GeometryError: It does not hold a stack.
    """
    foreign = read_foreign_nifti(path)
    return study_stack(as_stack(foreign.volume), "The NIfTI file"), foreign.flags


def study_stack(stack: Volume, what: str) -> Volume:
    """Return a stack (z, y, x) with float32 values; `what` names it in messages.

    Raises:
        DicomError: It has fewer than two slices, or its values are not finite or all the same.
    """
    values = stack.array.astype(np.float32)
    if stack.shape_zyx[0] < 2:  # noqa: PLR2004 (a stack has two slices at least)
        message = f"{what} holds a single slice; a stack of short-axis slices is needed."
        raise DicomError("single_slice", message)
    if not np.isfinite(values).all() or values.min() == values.max():
        message = f"{what} has values that are not finite or all the same; write it again."
        raise DicomError("blank_image", message)
    return stack.with_array(values)
