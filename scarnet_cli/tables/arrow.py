"""Arrow without pandas, which no table here needs and which takes most of a second to import in each process."""

import sys

import pyarrow as pa


class _WithoutPandas:
    """An import finder that hides pandas."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Reject pandas and leave every other module to the next finders."""
        if name == "pandas":
            message = "pyarrow needs no pandas here"
            raise ModuleNotFoundError(message, name=name)


def keep_pandas_out() -> None:
    """Make pyarrow look for pandas now and find none; otherwise the first array made from a list would import it.

    Other code can still import pandas later, and pyarrow's `to_pandas` then finds it.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _WithoutPandas)
        try:
            pa.array([])
        finally:
            sys.meta_path.remove(_WithoutPandas)
