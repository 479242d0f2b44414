"""The cross-validation's table with one row per case, and its summary."""

import csv
import io
from collections.abc import Sequence
from statistics import mean
from typing import Final

from scarnet_cli.benchmark.crossval import CaseScore
from scarnet_cli.draw.text import number_text
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.image.labels import REGIONS

# More scar than this in a normal heart would concern a reader.
NOTABLE_PERCENT: Final = 1.0


def cases_csv(scores: Sequence[CaseScore]) -> str:
    """Return a CSV with one line per case: Dice of each region, both scar percentages, and the crop's coverage."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [f"{region}_dice" for region in REGIONS]
    writer.writerow(["case_id", "fold", *names, "scar_percent_lv", "reference_scar_percent_lv", "crop_holds_percent"])
    for score in scores:
        dice = [region.dice for region in score.regions.values()]
        values = [*dice, score.scar_percent, score.reference_scar_percent, score.inside_percent]
        writer.writerow([score.case_id, score.fold, *("" if v is None else f"{v:.4f}" for v in values)])
    return text.getvalue()


def summary_markdown(scores: Sequence[CaseScore]) -> str:
    """Return a Markdown table of each region's mean Dice, over all cases and those with and without scar."""
    groups = {
        f"all {len(scores)}": list(scores),
        f"with scar {sum(s.has_scar for s in scores)}": [s for s in scores if s.has_scar],
        f"without scar {sum(not s.has_scar for s in scores)}": [s for s in scores if not s.has_scar],
    }
    lines = ["| cases | " + " | ".join(REGIONS) + " |", "|---" * (len(REGIONS) + 1) + "|"]
    for name, members in groups.items():
        if members:
            cells = (f"{mean(s.regions[region].dice for s in members):.3f}" for region in REGIONS)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    held = [s.inside_percent for s in scores if s.inside_percent is not None]
    error = mean(abs(s.scar_percent - s.reference_scar_percent) for s in scores)
    lines.append("")
    if held:
        lines.append(
            f"The crop holds {mean(held):.2f} % of the experts' myocardium (least of any case {min(held):.2f} %)."
        )
    infarcts = [s for s in scores if s.has_scar]
    missed = sum(s.scar_percent == 0 for s in infarcts)
    normals = [s for s in scores if not s.has_scar]
    invented = sum(s.scar_percent > NOTABLE_PERCENT for s in normals)
    lines.append(
        f"Measured as 0: {missed} of {len(infarcts)} hearts with scar. More than {NOTABLE_PERCENT:.0f} % scar: "
        f"{invented} of {len(normals)} without."
    )
    agreed = agreement([s.scar_percent for s in scores], [s.reference_scar_percent for s in scores])
    lines.append(
        f"Scar percent: mean difference {agreed.bias:+.2f} points, mean absolute difference {error:.2f} points, "
        f"CoV {number_text(agreed.cov_percent)} %, concordance (CCC) {number_text(agreed.ccc, 2)}."
    )
    return "\n".join(lines) + "\n"
