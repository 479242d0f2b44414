"""`scarnet versions`: the versions of the software behind a result."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import rich_click as click

from scarnet_cli import __version__

# Packages that can change a number in a table or a label map.
PACKAGES: Final = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "pyarrow", "torch", "safetensors")


@click.command(epilog="Example: scarnet versions > versions.json")
def versions() -> None:
    """Print the versions of the pipeline, of Python and of the packages that results depend on, as JSON."""
    click.echo(json.dumps(software_versions(), indent=2))


def software_versions() -> dict[str, str | None]:
    """Return name -> version, None for a package that is not installed."""
    return {"scarnet": __version__, "python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
