"""Repeat the choice of series for one study in order to explain it, reading as little of the input as possible."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

import pyarrow as pa

from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.facts import Frame
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.dicom.series.selection import Selection
from scarnet_cli.errors import InputError
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.inputs import read_input
from scarnet_cli.index.planning import Choice
from scarnet_cli.index.records import Index

NO_SUCH_STUDY: Final = "no_such_study"
_NEAR: Final = 5
# A digest of rules that no remembered plan has: every study is chosen anew.
_NO_PLAN: Final = "explain"
# The choice for studies other than the wanted one.
_OTHER: Final = Selection(None, (), None)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A study and the choice made for it.

    Attributes:
        study_id: The study's id.
        selection: The choice; None if none of its files holds a readable image.
        failure: Why it cannot be converted, if `selection` is None.
    """

    study_id: str
    selection: Selection | None
    failure: str | None


def explain_choices(
    source: Place, wanted: str, memory: pa.Table | None, options: IndexOptions
) -> tuple[Explanation, ...]:
    """Return the choice made for a study, or for each study in a folder or archive below the input.

    Args:
        source: Folder, archive or samplesheet, as for `index_input`.
        wanted: A study_id, a samplesheet's name, a StudyInstanceUID, or a folder or archive below the input.
        memory: What the last index of the same input remembered.
        options: How to index the input.

    Raises:
        InputError: There is no such study (`NO_SUCH_STUDY`; the message lists similar ids), or the input is wrong.
    """
    rows = {row.study: row for row in read_input(source).rows or ()}
    if wanted in rows:
        if rows[wanted].is_nifti:
            message = f"Study '{wanted}' is given as a NIfTI file, so there are no series to choose from."
            raise InputError("no_series", message)
        choices = _choices(rows[wanted].dicom, None, options)[0]
        return tuple(replace(choice, study_id=wanted) for choice in choices)
    if part := _part(source, wanted):
        return _choices(part, None, options)[0]
    choices, known = _choices(source, memory, options, wanted)
    if not choices:
        near = get_close_matches(wanted, known, _NEAR) or [name for name in known if name.startswith(wanted[:4])]
        hint = f"near are {', '.join(near[:_NEAR])}" if near else f"there are {len(known)} studies"
        message = (
            f"There is no study '{wanted}' in the input; {hint}. Give a study_id of the table 'studies', a "
            "samplesheet's name, a StudyInstanceUID, or a folder below the input."
        )
        raise InputError(NO_SUCH_STUDY, message)
    return choices


def _part(source: Place, wanted: str) -> Place | None:
    """Return the folder or archive that `wanted` names below the input, or None."""
    if isinstance(source, ObjectPath):
        return part if (part := source / wanted).exists() else None
    part = (source / wanted).resolve()
    return part if source.is_dir() and part.exists() and part.is_relative_to(source.resolve()) else None


def _choices(
    source: Place, memory: pa.Table | None, options: IndexOptions, wanted: str | None = None
) -> tuple[tuple[Explanation, ...], list[str]]:
    """Return the choice for every study, or for the wanted one only, and the ids of all studies."""
    kept: list[Selection] = []

    def choose(frames: Sequence[Frame]) -> Selection:
        uid = frames[0].facts.study_uid if frames else ""
        if not frames or wanted not in (None, uid, study_id_from_uid(uid)):
            return _OTHER
        kept.append(options.choice.choose(frames))
        return kept[-1]

    index = index_input(source, memory, replace(options, choice=Choice(choose, _NO_PLAN)))
    known = [study.study_id for study in index.studies]
    of_series = {id(selection.series): selection for selection in kept if selection.series}
    chosen = [(study.study_id, of_series.get(id(study.series))) for study in index.studies]
    found = [Explanation(study_id, selection, None) for study_id, selection in chosen if selection is not None]
    alone = _without_image(index, wanted)
    if not found and not alone and wanted in known:  # one patient's part of a study, whose id is not from its UID
        every, _ = _choices(source, memory, options)
        return tuple(one for one in every if one.study_id == wanted), known
    return (*found, *alone), known


def _without_image(index: Index, wanted: str | None) -> list[Explanation]:
    return [
        Explanation(study.study_id, None, study.failure.message)
        for study in index.studies
        if study.failure is not None and not study.series and wanted in (None, study.study_id)
    ]
