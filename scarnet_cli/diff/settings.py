"""What changed in how two runs were made: version, model, mode, device, parameters and software."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scarnet_cli.diff.compare import MADE_BY, Comparison
from scarnet_cli.diff.outcome import Outcome
from scarnet_cli.draw.text import UNDEFINED

# Parameters that say where a run writes, what it leaves and what it may use, not what it measures.
_ELSEWHERE: Final = frozenset(
    {
        "outdir",
        "tidy",
        "max_cpus",
        "max_memory",
        "max_time",
        "queue",
        "account",
        "qos",
        "cluster_options",
        "region",
        "project",
        "namespace",
        "claim",
        "study_minutes",
    }
)
_DIGESTS: Final = frozenset({"model_sha256", "localiser_sha256"})
_SHOWN_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs: its name, and its value in both runs as text."""

    name: str
    old: str
    new: str


def changed_settings(comparison: Comparison, old: Outcome, new: Outcome) -> tuple[Setting, ...]:
    """Return the settings that differ, as far as known: columns of scans, then parameters, then software."""
    return (
        *_of_scans(comparison, old, new),
        *_of_records("--", old.parameters, new.parameters),
        *_of_records("", _flat(old.versions), _flat(new.versions)),
    )


def _of_scans(comparison: Comparison, old: Outcome, new: Outcome) -> Iterator[Setting]:
    for name in MADE_BY:
        if name not in old.columns & new.columns:
            continue
        # A label map that a reader corrected was made by no model: of the others the setting may be the same.
        before, after = (_known(comparison.used(side, name)) for side in ("old", "new"))
        if before and after and {value for value, _ in before} != {value for value, _ in after}:
            yield Setting(name, _used(name, before), _used(name, after))


def _known(values: list[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Return the values that are defined, or all where none is."""
    return [(value, studies) for value, studies in values if value is not None] or values


def _used(name: str, values: list[tuple[Any, int]]) -> str:
    """Return the values of a column, with the number of studies of each where there are several."""
    texts = [
        UNDEFINED if value is None else str(value)[: _SHOWN_DIGITS if name in _DIGESTS else None] for value, _ in values
    ]
    if len(values) == 1:
        return texts[0]
    return ", ".join(f"{text} ({studies:,})" for text, (_, studies) in zip(texts, values, strict=True))


def _of_records(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Setting]:
    if not old or not new:
        return
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before != after and name not in _ELSEWHERE:
            yield Setting(f"{prefix}{name}", _text(before), _text(after))


def _text(value: Any) -> str:  # noqa: ANN401 (anything that JSON can hold)
    """Return a value as text; of a path only the last part, as folders may bear a name."""
    if value is None:
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).rstrip("/").rpartition("/")[2]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested maps as one: {"a": {"b": 1}} is {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = (
            {f"{name}.{key}": part for key, part in _flat(value).items()} if isinstance(value, dict) else {name: value}
        )
        flat |= inner
    return flat
