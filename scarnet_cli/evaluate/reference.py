"""A study's label map against the reference that the samplesheet gives."""

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.region import score_region
from scarnet_cli.image.volume import Volume
from scarnet_cli.tables.scans import ReferenceMeasures


def compare(labels: NDArray[np.integer], reference: Volume) -> ReferenceMeasures:
    """Compare a (z, y, x) label map with the reference on the same grid; both hold values of `Label`.

    Where both have no scar its Dice is 1; a distance to an empty region, and the scar percent of a reference without
    myocardium, are undefined.
    """
    myocardium, scar = (score_region(labels, reference, region) for region in ("myocardium", "scar"))
    whole = myocardium.reference_volume_ml
    return ReferenceMeasures(
        reference_myocardium_ml=whole,
        reference_scar_ml=scar.reference_volume_ml,
        reference_scar_percent_lv=100.0 * scar.reference_volume_ml / whole if whole else None,
        myocardium_dice=myocardium.dice,
        scar_dice=scar.dice,
        myocardium_hd95_mm=myocardium.distance.hd95_mm,
        scar_hd95_mm=scar.distance.hd95_mm,
    )
