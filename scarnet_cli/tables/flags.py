"""Flags: what a reader should know before trusting a study's numbers, each a code with a phrase and advice.

This is the only list, for all stages: a stage raises codes, the tables hold them, and the report shows their phrases.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag.

    Attributes:
        phrase: A phrase short enough for a table cell.
        meaning: One sentence on what was detected.
        action: One sentence on what the reader should do.
        finding: The flag is shown but is no reason to doubt the study; a study with only such flags is not flagged.
    """

    phrase: str
    meaning: str
    action: str
    finding: bool = False


_CHOSEN = "Look whether the picture shows the right series; name the right one in a file for --series-rules if not."
_ORDER = "Look whether neighbouring slices follow each other; export the series again if not."
_PICTURES = "Look at the pictures; leave the study out where you cannot tell scar from myocardium yourself."
_LABELS = "Look at the contours; correct the label map if they are wrong, and give it with --corrected."

FLAGS: Final[dict[str, Flag]] = {
    # label maps from elsewhere
    "labels_corrected": Flag(
        "label map corrected", "A reader's label map was measured in place of the network's.", "Nothing.", finding=True
    ),
    "labels_given": Flag(
        "label map given",
        "The samplesheet's label map was measured in place of the network's.",
        "Nothing.",
        finding=True,
    ),
    # conversion
    "patients_separated": Flag(
        "several patients told apart",
        "Files of several patients have one StudyInstanceUID, or lie in one folder without any; each is a study.",
        "Look whether all pictures are of one patient; leave the study out if you cannot tell.",
    ),
    "counted_twice": Flag(
        "measured twice",
        "Another row of the samplesheet names the same pictures, so that one examination counts as two studies.",
        "Correct the path in one of the rows; nothing, if both are meant.",
    ),
    "no_study_uid": Flag(
        "files put together without StudyInstanceUID",
        "The files have no StudyInstanceUID, or a new one each; those of one folder were taken for one study.",
        "Look whether all pictures are of one examination.",
    ),
    "latest_stack_chosen": Flag("several stacks, latest taken", "Several complete LGE stacks were found.", _CHOSEN),
    "lge_by_header": Flag(
        "LGE told by header, not by name", "No series is named as LGE; header fields told which one it is.", _CHOSEN
    ),
    "lge_unproven": Flag(
        "LGE told by geometry alone", "Neither name nor header says LGE; the stack has its geometry only.", _CHOSEN
    ),
    "view_uncertain": Flag(
        "short axis uncertain", "Neither name nor direction shows that the stack is a short axis.", _CHOSEN
    ),
    "slices_left_out": Flag(
        "slices on another grid left out",
        "Slices are turned or on another grid, or lie beyond the stack's ends in another series, as of its magnitude.",
        "Look whether the stack reaches from base to apex; export the series again if not.",
    ),
    "duplicate_files": Flag(
        "duplicate files", "Files hold the same image twice; each was read once.", "Nothing.", finding=True
    ),
    "repeated_positions": Flag(
        "repeated slices, latest taken", "Slices were acquired twice; the latest of each was taken.", _ORDER
    ),
    "near_duplicates": Flag(
        "nearly repeated slices", "Slices lie nearly in one place; the one on the even grid was taken.", _ORDER
    ),
    "orientation_repaired": Flag(
        "slice directions repaired", "Row and column direction of the slices were not quite at right angles.", _ORDER
    ),
    "negative_inverted": Flag(
        "negative turned positive",
        "The pictures were stored as negatives (MONOCHROME1) and were turned into positives.",
        "Look whether blood and scar are bright in the picture; leave the study out if not.",
    ),
    "lossy_compressed": Flag(
        "compressed with loss",
        "The pictures' pixels were compressed with loss, which smooths noise: n-SD thresholds become lower.",
        "Export the study without lossy compression, if its archive has it so.",
    ),
    "padding_replaced": Flag(
        "padding taken for background",
        "Pixels outside of what was scanned have a value of their own (PixelPaddingValue); they became background.",
        "Nothing, where the heart is whole in the picture.",
        finding=True,
    ),
    "orientation_disputed": Flag(
        "two orientations in the file",
        "The NIfTI file's sform and qform turn the stack differently; the sform was used.",
        "Look whether the numbers of the segments lie where they should; write the file again from its DICOM if not.",
    ),
    "orientation_unknown": Flag(
        "orientation unknown",
        "The NIfTI file does not say how the stack lies in the patient (sform and qform are not set).",
        "Segments are not measured; write the file again from its DICOM to get them.",
    ),
    "no_frame_of_reference": Flag(
        "a frame of reference in every slice",
        "Slices have a FrameOfReferenceUID each, as some anonymisers write; they were taken to share one.",
        _ORDER,
    ),
    "repeated_instance_uid": Flag(
        "one SOPInstanceUID for several images",
        "Several images have one SOPInstanceUID; they were told apart by place and kind.",
        "Look whether the picture shows one series; results cannot be exported as DICOM.",
    ),
    "philips_scale": Flag(
        "slices brought to one scale",
        "Slices were stored by different private scales, and the standard rescale did not undo it.",
        "Look whether neighbouring slices are equally bright.",
        finding=True,
    ),
    "unreadable_files": Flag(
        "files that cannot be read",
        "Some of the study's files are cut short, damaged, gone or not allowed to be read.",
        "Copy the study again.",
    ),
    "reference_unusable": Flag(
        "reference cannot be compared",
        "The samplesheet's reference is no label map, or not on the image's grid; nothing was compared.",
        "Draw it on image.nii.gz, or resample it to that; its values must be 0 to 4.",
        finding=True,
    ),
    "reader_unusable": Flag(
        "a reader's label map cannot be compared",
        "A label map of one of the study's readers is none, or not on the image's grid; it was not compared.",
        "Draw it on image.nii.gz, or resample it to that; values other than 0 to 4 need --label-values.",
        finding=True,
    ),
    # crop and segmentation
    "heart_crop_cut_off": Flag(
        "heart near the picture's edge",
        "The square of 179 mm round the heart, which the network sees the middle of, reaches beyond the picture.",
        _LABELS,
    ),
    "heart_uncertain": Flag(
        "heart found with little confidence", "The network that finds the heart is not sure.", _LABELS
    ),
    "magnitude_image": Flag(
        "magnitude image",
        "The network learnt from phase-sensitive images; on magnitude images with nulled myocardium it misses scar.",
        "Measure the phase-sensitive series if there is one; else look at the contours and correct the label map.",
    ),
    "scar_uncertain": Flag(
        "scar or none",
        "Whether this heart has scar is open: the network expects little, or draws none although it expects some.",
        _LABELS,
    ),
    "low_confidence": Flag(
        "labelled with little confidence",
        "The network is not sure of much of the myocardium or scar that it draws.",
        _LABELS,
    ),
    "scar_at_crop_edge": Flag(
        "scar at the edge of what the network sees",
        "Scar reaches the edge of the part of the picture that the network sees; there may be more beyond.",
        _LABELS,
    ),
    "faint_scar_dropped": Flag(
        "faint scar dropped",
        "So little scar was found that it is taken for none.",
        "Look for a small scar; measure a corrected label map if there is one.",
        finding=True,
    ),
    # labels and signal
    "no_myocardium": Flag("no myocardium", "The label map holds no myocardium; only volumes are given.", _LABELS),
    "no_cavity": Flag(
        "no blood pool",
        "No slice has a blood pool or a closed ring of myocardium; transmurality is undefined.",
        _LABELS,
    ),
    "no_scar": Flag(
        "no scar", "No scar was found: scar is 0, the mean transmurality undefined.", "Nothing.", finding=True
    ),
    "no_remote": Flag(
        "no remote myocardium",
        "No slice has enough myocardium away from scar; n-SD and the border zone are undefined.",
        "Use scar percent and FWHM.",
    ),
    "remote_borrowed": Flag(
        "remote myocardium from a neighbouring slice",
        "A slice has too little myocardium away from scar; its neighbour's remote region was used.",
        "Read n-SD and border zone with care.",
        finding=True,
    ),
    "mvo_without_scar": Flag("MVO outside scar", "A region of microvascular obstruction touches no scar.", _LABELS),
    "few_slices": Flag(
        "fewer than three slices",
        "Fewer than three slices show myocardium; base, mid and apex are not all covered.",
        "Leave the study out of volumes and mass.",
    ),
    "missing_slice": Flag(
        "slice without myocardium between others", "A slice between others shows no myocardium.", _LABELS
    ),
    "myocardium_in_pieces": Flag(
        "myocardium in pieces", "Besides its largest piece the myocardium has others of at least 5 % of it.", _LABELS
    ),
    "heart_at_picture_edge": Flag(
        "heart cut off by the picture",
        "The labelled heart reaches the picture's edge; a part of it may lie outside.",
        "Leave the study out of volumes and mass.",
    ),
    "slice_gap": Flag(
        "slices far apart",
        "Slices lie more than 12 mm apart; volumes rest on what is between them.",
        "Read volumes and mass with care.",
    ),
    "base_or_apex_missing": Flag(
        "base or apex missing",
        "The heart ends in a wide slice (over 0.6 of the largest) or is shorter than 50 mm: a part is missing.",
        "Leave the study out of volumes and mass; percentages are of what is there.",
    ),
    "implausible_volume": Flag(
        "volume that no heart has", "Myocardium outside 30 to 350 g, or blood pool outside 15 to 400 ml.", _LABELS
    ),
    "slices_shifted": Flag(
        "heart jumps between slices",
        "A slice's heart lies more than 5 mm off the line of its neighbours, as after another breath.",
        "Use percentages; interface area and components suffer from the jump.",
    ),
    "low_scar_contrast": Flag(
        "scar hardly brighter than remote",
        "The scar lies less than 2 SD above remote myocardium in the median slice.",
        _PICTURES,
    ),
    "low_remote_contrast": Flag(
        "remote myocardium lost in noise",
        "Blood lies less than 2 SD above remote myocardium in the median slice: noise, or little contrast.",
        _PICTURES,
    ),
    "wrong_nulling": Flag(
        "remote myocardium as bright as blood",
        "Remote myocardium is not darker than blood by 1 SD: the inversion time did not null it.",
        _PICTURES,
    ),
    "motion_or_ghosts": Flag(
        "motion or ghosts in a slice",
        "In one slice remote myocardium is more than 1.75 times as uneven as in both slices beside it.",
        "Look at that slice (its remote_sd in the table slices); leave the study out if its scar cannot be told.",
    ),
    "methods_disagree": Flag(
        "methods disagree about the scar",
        "Both FWHM and 5-SD lie more than 10 points of the myocardium away from the labelled scar.",
        _LABELS,
    ),
}


def is_finding(code: str) -> bool:
    """Return whether a flag is no reason to doubt its study; an unknown code is a reason to doubt."""
    return code in FLAGS and FLAGS[code].finding
