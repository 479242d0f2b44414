"""Comparison of a study's label map with the samplesheet's reference, and of the network's with a corrected one."""

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.region import dice_of_region, score_region
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume
from scarnet_cli.tables.scans import NetworkMeasures, ReferenceMeasures


def compare(labels: NDArray[np.integer], reference: Volume) -> ReferenceMeasures:
    """Return the agreement of a (z, y, x) label map with the reference on the same grid; both hold values of `Label`.

    If neither has scar, its Dice is 1. Distances to an empty region are None, as is the scar percentage of a reference
    without myocardium.
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


def compare_network(network: Volume, measured: Volume) -> NetworkMeasures:
    """Return the network's volumes and its agreement with the label map that was measured in its place, on one grid."""
    myocardium, scar = (int(np.count_nonzero(region_mask(network.array, r))) for r in ("myocardium", "scar"))
    return NetworkMeasures(
        network_myocardium_ml=myocardium * network.voxel_ml,
        network_scar_ml=scar * network.voxel_ml,
        network_scar_percent_lv=100.0 * scar / myocardium if myocardium else None,
        network_myocardium_dice=dice_of_region(network.array, measured.array, "myocardium"),
        network_scar_dice=dice_of_region(network.array, measured.array, "scar"),
    )
