"""Arrow without pandas, which no table here needs and which takes most of a second to import in every process."""

import sys

import pyarrow as pa


class _WithoutPandas:
    """An import path on which pandas is not installed."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Refuse pandas and leave every other module to the finders behind this one."""
        if name == "pandas":
            message = "pyarrow needs no pandas here"
            raise ModuleNotFoundError(message, name=name)


def keep_pandas_out() -> None:
    """Let pyarrow look for pandas now, and find none; else the first array made of a list would import it.

    Whoever imports pandas later has it, and pyarrow's `to_pandas` looks for it again.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _WithoutPandas)
        try:
            pa.array([])
        finally:
            sys.meta_path.remove(_WithoutPandas)
