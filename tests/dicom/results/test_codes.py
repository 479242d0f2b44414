"""Every code of ours that is of a public scheme is the standard's own, in the context group that is named beside it."""

import pytest
from pydicom.sr import _concepts_dict  # the standard's PS3.16 as pydicom has it; codedict shows it by name only
from pydicom.sr.coding import Code

from scarnet_cli.dicom.results import codes

GROUPS = {
    codes.LEFT_VENTRICLE: 4,
    codes.LV_MYOCARDIUM: 12305,
    codes.CARDIAC_MRI: 3820,
    codes.VOLUME: 7469,
    codes.MASS: 12304,
    codes.ARTIFICIAL_INTELLIGENCE: 7162,
    **{known.category: 7150 for known in codes.PROPERTIES.values()},
    codes.PROPERTIES[codes.Label.BLOOD_POOL].kind: 7166,
    codes.PROPERTIES[codes.Label.SCAR].kind: 7191,
    codes.PROPERTIES[codes.Label.MVO].kind: 3810,
}
CODES = [value for value in vars(codes).values() if isinstance(value, Code)]


@pytest.mark.parametrize("code", GROUPS, ids=lambda code: code.meaning)
def test_a_public_code_is_in_its_context_group_with_its_meaning(code: Code) -> None:
    known = [
        (meaning.lower(), groups)
        for concepts in _concepts_dict.concepts[code.scheme_designator].values()
        for value, (meaning, groups) in concepts.items()
        if value == code.value
    ]
    groups = {group for meaning, found in known if meaning == code.meaning.lower() for group in found}
    assert GROUPS[code] in groups


def test_every_other_code_is_a_unit_or_our_own() -> None:
    others = {code.scheme_designator for code in CODES if code not in GROUPS}
    assert others == {"UCUM", codes.OWN_SCHEME, "DCM"}  # DCM: the type of observer
    assert all(len(code.value) <= 16 and len(code.meaning) <= 64 for code in CODES)  # SH and LO
