"""The tables of `scarnet benchmark`: scores of cases, their summary, and the cost of a model."""

from typing import Final

import pyarrow as pa

from scarnet_cli.tables.columns import block, column, record

_MODEL: Final = "Name of the model, or of whatever labelled the cases."
_REGION: Final = "Scored region: blood_pool, myocardium (scar with it), scar (MVO with it), mvo."


@record
class ScoreRow:
    """Scores of one model on one region of one case."""

    model: str = column(_MODEL, required=True)
    case_id: str = column("The case.", required=True)
    region: str = column(_REGION, required=True)
    fold: int = column("Fold that held the case out, from 0.", required=True)
    has_scar: bool = column("Whether the expert drew scar or MVO in this case.", required=True)
    dice: float = column("Overlap over the whole stack, 0-1; two empty regions: 1.", required=True)
    hd95_mm: float | None = column("95th percentile of the distances between the surfaces; null if one is empty.", "mm")
    hausdorff_mm: float | None = column("Greatest distance between the surfaces; null if one is empty.", "mm")
    volume_ml: float = column("Volume of the model's region.", "ml", required=True)
    reference_volume_ml: float = column("Volume of the expert's region.", "ml", required=True)
    scar_share: float = column("Decision: part of the myocardium's probability above which a voxel is scar.")
    least_expected_scar_percent: float = column("Decision: a study that lets expect less scar has none.", "percent")
    least_mvo_percent: float = column("Decision: a smaller piece of MVO, of the myocardium, is scar.", "percent")
    crop_holds_percent: float | None = column("Expert's myocardium inside the crop; null without a crop.", "percent")


@record
class SummaryRow:
    """Summary of the scores of one model on one region."""

    model: str = column(_MODEL, required=True)
    region: str = column(_REGION, required=True)
    cases: int = column("Number of cases.", required=True)
    cases_with_scar: int = column("Number of cases with scar or MVO drawn by the expert.", required=True)
    dice_mean: float = column("Mean Dice over all cases.", required=True)
    dice_median: float = column("Median Dice over all cases.", required=True)
    dice_lower_quartile: float = column("Lower quartile of Dice over all cases.", required=True)
    dice_upper_quartile: float = column("Upper quartile of Dice over all cases.", required=True)
    dice_with_scar: float | None = column("Mean Dice over the cases with scar; null without any.")
    dice_without_scar: float | None = column("Mean Dice over the cases without scar; null without any.")
    hd95_median_mm: float | None = column("Median of the 95th percentile distance where it is defined.", "mm")
    hd95_cases: int = column("Number of cases where that is defined.", required=True)
    bias_ml: float = column("Mean of the model's volume minus the expert's, over all cases.", "ml", required=True)
    lower_limit_ml: float | None = column("Lower 95 % limit of agreement: bias - 1.96 SD of the differences.", "ml")
    upper_limit_ml: float | None = column("Upper 95 % limit of agreement.", "ml")
    bias_percent: float | None = column("The bias, of the expert's mean volume.", "percent")
    cov_percent: float | None = column("SD of the differences, of the expert's mean volume.", "percent")
    icc: float | None = column("Intraclass correlation ICC(2,1) of both volumes: absolute agreement, single readings.")


@record
class CostMeasures:
    """Cost of one pass of a network over one view of one slice, on this machine."""

    model_sha256: str = column("SHA-256 of the weights that were timed, those of the first fold.")
    parameters: int = column("Number of trained values.", arrow=pa.int64(), required=True)
    gflop_per_slice: float = column("Billions of operations for one slice; a multiplication and an addition are two.")
    slices_per_second: float = column("Speed of the network alone, one slice at a time.")
    slices_per_second_best: float = column("Speed at the batch size that was fastest.")
    best_batch: int = column("That batch size, in slices.")
    device: str = column("What it was timed on.")
    threads: int = column("CPU threads that the network had.")


@record
class CostRow:
    """Cost of one model."""

    model: str = column(_MODEL, required=True)
    cost: CostMeasures = block()


@record
class RobustnessRow:
    """Scores of one model on one case under one disturbance of its image."""

    model: str = column(_MODEL, required=True)
    case_id: str = column("The case.", required=True)
    disturbance: str = column("The disturbance: rician_noise, turns ...; none for the image as it is.", required=True)
    severity: float = column("How strong it is, in its own unit (docs/validation.md); 0 for none.", required=True)
    repeat: int = column("Draw of the random numbers, from 0; above 0 only for repeated noise.", required=True)
    fold: int = column("Fold that held the case out, from 0.", required=True)
    has_scar: bool = column("Whether the expert drew scar or MVO in this case.", required=True)
    myocardium_dice: float = column("Overlap of the myocardium, scar with it, over the whole stack.", required=True)
    scar_dice: float = column("Overlap of the scar, MVO with it; two empty regions: 1.", required=True)
    scar_percent_lv: float = column("Model's scar, of its myocardium.", "percent", required=True)
    reference_scar_percent_lv: float = column("The same of the expert's labels.", "percent", required=True)
    crop_holds_percent: float | None = column("Expert's myocardium inside the crop; null without a crop.", "percent")
