"""ScarNet pipeline: from late gadolinium enhancement MRI to the scar burden of the left ventricle.

From Python: `import scarnet_cli as scarnet`, then `scarnet.convert`, `read`, `segment`, `measure` (docs/python.md).
They are imported when they are first used, so that importing the package, as every command does, costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scarnet_cli.api import Conversion, Segmentation, Study, columns, convert, measure, read, segment, write

__all__ = [
    "Conversion",
    "Segmentation",
    "Study",
    "__version__",
    "columns",
    "convert",
    "measure",
    "read",
    "segment",
    "write",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever the name stands for)
    if name in __all__:
        return getattr(import_module("scarnet_cli.api"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
