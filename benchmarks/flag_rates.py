"""Print in how many cases each flag is raised, with the experts' labels and with a network's, as a Markdown table.

.venv/bin/python -m benchmarks.flag_rates EMIDEC --segmented OUT/segment [--segmented OTHER/segment …]

The folders are outputs of `scarnet segment`, in which each study has its case's name. For held-out labels, crop and
segment each fold's cases with weights that were trained without them.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.files import read_json
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.quantify.measures import measure_study
from scarnet_cli.tables.flags import FLAGS


def flags_with_experts_labels(cases: Iterable[Case]) -> list[set[str]]:
    """Return the flags of each case with its expert's labels."""
    return [set(measure_study(case.image, case.labels).flags) for case in cases]


def flags_with_networks_labels(cases: Mapping[str, Case], folders: Iterable[Path]) -> list[set[str]]:
    """Return the flags of each segmented case, including those of CROP and SEGMENT."""
    found: list[set[str]] = []
    for path in sorted(path for folder in folders for path in folder.glob("studies/*/segment.json")):
        record = read_json(path)
        labels = read_nifti(path.parent / "labels.nii.gz")
        measured = measure_study(cases[record["study_id"]].image, labels)
        found.append({*record["flags"], *measured.flags})
    return found


def rates_markdown(columns: Mapping[str, list[set[str]]]) -> str:
    """Return a table with a line per flag that any case has, and one for cases with flags other than findings."""
    raised = {name: Counter(code for flags in cases for code in flags) for name, cases in columns.items()}
    lines = ["| flag | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for code, flag in FLAGS.items():
        if any(counter[code] for counter in raised.values()):
            name = f"`{code}`" + (" (finding)" if flag.finding else "")
            cells = (_cell(raised[column][code], len(cases)) for column, cases in columns.items())
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    doubts = {code for code, flag in FLAGS.items() if not flag.finding}
    totals = (_cell(sum(bool(flags & doubts) for flags in cases), len(cases)) for cases in columns.values())
    lines.append("| any but findings | " + " | ".join(totals) + " |")
    return "\n".join(lines)


def _cell(count: int, cases: int) -> str:
    return f"{count} ({100 * count / cases:.0f} %)"


def main() -> None:
    """Read the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="Folder in EMIDEC's layout, or a table of cases.")
    parser.add_argument("--segmented", type=Path, action="append", default=[], help="Output of `scarnet segment`.")
    arguments = parser.parse_args()
    cases = {case.case_id: case for case in read_cases(arguments.cases)}
    columns = {f"experts' labels, {len(cases)}": flags_with_experts_labels(cases.values())}
    if arguments.segmented:
        found = flags_with_networks_labels(cases, arguments.segmented)
        columns[f"the network's labels, {len(found)}"] = found
    print(rates_markdown(columns))  # noqa: T201 (a tool's output)


if __name__ == "__main__":
    main()
