"""The codes of SEG and SR: what each is called in the DICOM standard's own vocabulary, and where it stands there.

CID names a context group of DICOM PS3.16. Where the standard has no code we use our own scheme, `99SCARNET`; its code
values are the names of the columns in the tables, or short words for a method.
"""

from dataclasses import dataclass
from typing import Final

from pydicom.sr.coding import Code

from scarnet_cli.image.labels import Label

OWN_SCHEME: Final = "99SCARNET"
OWN_SCHEME_NAME: Final = "ScarNet pipeline"

# CID 7150, categories of a segmented property.
_ANATOMY: Final = Code("91723000", "SCT", "Anatomical Structure")
_SUBSTANCE: Final = Code("91720002", "SCT", "Body Substance")
_ABNORMAL: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
# CID 4, anatomic regions.
LEFT_VENTRICLE: Final = Code("87878005", "SCT", "Left ventricle")
# CID 12305, basic anatomic sites of echocardiography: the standard's only one of the myocardium of this ventricle.
LV_MYOCARDIUM: Final = Code("49848007", "SCT", "Left Ventricle Myocardium")
# CID 7166, tissues, which CID 7151 includes.
_BLOOD: Final = Code("87612001", "SCT", "Blood")
# CID 7191, tissues, which CID 7151 includes.
_SCAR: Final = Code("12402003", "SCT", "Scar tissue")
# CID 3810. The standard has no code for microvascular obstruction: this, in the myocardium, is the nearest; the
# segment's label says the rest.
_OBSTRUCTION: Final = Code("26036001", "SCT", "Occlusion")


@dataclass(frozen=True, slots=True)
class Property:
    """What a label, or a region of several, is.

    Attributes:
        label: For people.
        category: Of CID 7150.
        kind: What it is.
        site: Where it is.
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

# CID 270, types of observers.
DEVICE: Final = Code("121007", "DCM", "Device")
# CID 3820.
CARDIAC_MRI: Final = Code("241620005", "SCT", "Cardiac MRI")
# CID 7469 and 12304, measured properties.
VOLUME: Final = Code("118565006", "SCT", "Volume")
MASS: Final = Code("118538004", "SCT", "Mass")
# CID 7162, families of algorithms.
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")

SCAR_PERCENT: Final = Code("scar_percent_lv", OWN_SCHEME, "Scar, MVO included, of the LV myocardium's volume")
MVO_PERCENT: Final = Code("mvo_percent_lv", OWN_SCHEME, "MVO of the LV myocardium's volume")

# How scar was told from other myocardium.
LABELLED: Final = Code("LABELLED", OWN_SCHEME, "Voxels labelled by a neural network")
FIVE_SD: Final = Code("5SD", OWN_SCHEME, "Signal above mean + 5 SD of remote myocardium")
FWHM: Final = Code("FWHM", OWN_SCHEME, "Signal above half of the scar's maximum (FWHM)")

# UCUM.
MILLILITRE: Final = Code("mL", "UCUM", "mL")
GRAM: Final = Code("g", "UCUM", "g")
PERCENT: Final = Code("%", "UCUM", "%")
