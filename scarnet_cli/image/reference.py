"""Reading a reference: a label map from elsewhere to compare ours with."""

import numpy as np

from scarnet_cli.buckets.place import Place
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.foreign_nifti import like, read_foreign_nifti
from scarnet_cli.image.labels import Label, whole_values
from scarnet_cli.image.volume import Volume, grid_text, same_grid


def read_reference(path: Place, grid: Volume) -> Volume:
    """Read a NIfTI label map and check that it can be compared with ours voxel by voxel.

    Returns:
        The label map, (z, y, x) uint8.

    Raises:
        GeometryError: The file is not a volume, lies on another grid, or has values that are not in `Label`. The
            message leaves out the file's name, which may identify a patient.
    """
    try:
        reference = like(read_foreign_nifti(path).volume, grid)
    except GeometryError as error:
        message = f"The reference cannot be compared. {error}"
        raise GeometryError("reference_unusable", message) from error
    if not same_grid(reference, grid):
        message = (
            f"The reference is not on the stack's grid: it has {grid_text(reference)}, the stack {grid_text(grid)}. "
            "Draw it on image.nii.gz, or resample it to that."
        )
        raise GeometryError("reference_unusable", message)
    array = whole_values(reference.array)
    values = np.unique(array)
    if not np.isin(values, list(Label)).all():
        message = f"The reference holds the values {values[:8].tolist()}; they must be 0 to {max(Label)}."
        raise GeometryError("reference_unusable", message)
    return reference.with_array(array.astype(np.uint8))
