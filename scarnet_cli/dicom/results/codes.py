"""Define the codes used in SEG and SR, each with the context group of the DICOM standard that it comes from.

CID names a context group of DICOM PS3.16. If the standard has no code, the code is from the private scheme `99SCARNET`;
its values are column names of the tables, or short names of methods.
"""

from dataclasses import dataclass
from typing import Final

from pydicom.sr.coding import Code

from scarnet_cli.image.labels import Label

OWN_SCHEME: Final = "99SCARNET"
OWN_SCHEME_NAME: Final = "ScarNet pipeline"

# CID 7150, categories of segmented properties.
_ANATOMY: Final = Code("91723000", "SCT", "Anatomical Structure")
_SUBSTANCE: Final = Code("91720002", "SCT", "Body Substance")
_ABNORMAL: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
# CID 4, anatomic regions.
LEFT_VENTRICLE: Final = Code("87878005", "SCT", "Left ventricle")
# CID 12305, anatomic sites of echocardiography: the standard's only code for the left ventricle's myocardium.
LV_MYOCARDIUM: Final = Code("49848007", "SCT", "Left Ventricle Myocardium")
# CID 7166, tissues, included in CID 7151.
_BLOOD: Final = Code("87612001", "SCT", "Blood")
# CID 7191, tissues, included in CID 7151.
_SCAR: Final = Code("12402003", "SCT", "Scar tissue")
# CID 3810. The standard has no code for microvascular obstruction. Occlusion in the myocardium is the nearest; the
# segment's label is exact.
_OBSTRUCTION: Final = Code("26036001", "SCT", "Occlusion")


@dataclass(frozen=True, slots=True)
class Property:
    """The segmented property of a label or a region of several labels.

    Attributes:
        label: Name for people.
        category: Category from CID 7150.
        kind: Property type.
        site: Anatomic site.
    """

    label: str
    category: Code
    kind: Code
    site: Code


PROPERTIES: Final[dict[Label, Property]] = {
    Label.BLOOD_POOL: Property("Left ventricular blood pool", _SUBSTANCE, _BLOOD, LEFT_VENTRICLE),
    Label.MYOCARDIUM: Property("Left ventricular myocardium without scar", _ANATOMY, LV_MYOCARDIUM, LEFT_VENTRICLE),
    Label.SCAR: Property("Myocardial scar without MVO", _ABNORMAL, _SCAR, LV_MYOCARDIUM),
    Label.MVO: Property("Microvascular obstruction (MVO)", _ABNORMAL, _OBSTRUCTION, LV_MYOCARDIUM),
}

# CID 270, observer types.
DEVICE: Final = Code("121007", "DCM", "Device")
# CID 3820.
CARDIAC_MRI: Final = Code("241620005", "SCT", "Cardiac MRI")
# CID 7469 and 12304, measured properties.
VOLUME: Final = Code("118565006", "SCT", "Volume")
MASS: Final = Code("118538004", "SCT", "Mass")
# CID 7162, algorithm families.
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")

SCAR_PERCENT: Final = Code("scar_percent_lv", OWN_SCHEME, "Scar, MVO included, of the LV myocardium's volume")
MVO_PERCENT: Final = Code("mvo_percent_lv", OWN_SCHEME, "MVO of the LV myocardium's volume")

# Methods that separate scar from other myocardium.
LABELLED: Final = Code("LABELLED", OWN_SCHEME, "Voxels labelled by a neural network")
FIVE_SD: Final = Code("5SD", OWN_SCHEME, "Signal above mean + 5 SD of remote myocardium")
FWHM: Final = Code("FWHM", OWN_SCHEME, "Signal above half of the scar's maximum (FWHM)")

# Units of UCUM.
MILLILITRE: Final = Code("mL", "UCUM", "mL")
GRAM: Final = Code("g", "UCUM", "g")
PERCENT: Final = Code("%", "UCUM", "%")
