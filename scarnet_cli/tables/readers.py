"""The tables `readers` and `readers_summary`: label maps of two readers compared, by study and over all studies."""

from typing import Final

from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.studies import STUDY_ID

_FIRST: Final = "Folder of --corrected that holds one reader's label maps; of a pair the first by name."
_SECOND: Final = "That of the other reader."
_DICE: Final = "Overlap of both readers' {}, 0-1; two empty regions: 1."


@record
class ReaderMeasures:
    """Measures of one reader's label map."""

    blood_pool_ml: float = column("Volume of this reader's blood pool.", "ml")
    myocardium_ml: float = column("Volume of this reader's myocardium, scar and MVO included.", "ml")
    myocardium_g: float = column("Mass of this reader's myocardium.", "g")
    scar_ml: float = column("Volume of this reader's scar, MVO included.", "ml")
    scar_percent_lv: float | None = column("This reader's scar, MVO included, of the myocardium's volume.", "percent")
    mvo_ml: float = column("Volume of this reader's microvascular obstruction.", "ml")
    mvo_percent_lv: float | None = column(
        "This reader's microvascular obstruction, of the myocardium's volume.", "percent"
    )
    scar_segments: tuple[str, ...] | None = column(
        "AHA segments in which this reader's label map has scar; null where the stack's orientation is unknown."
    )


@record
class ReadersRow:
    """Two readers' label maps of one study."""

    study_id: str = column(STUDY_ID, required=True)
    first_reader: str = column(_FIRST, required=True)
    second_reader: str = column(_SECOND, required=True)
    first: ReaderMeasures = block(names="first_{}")
    second: ReaderMeasures = block(names="second_{}")
    blood_pool_dice: float = column(_DICE.format("blood pool"))
    myocardium_dice: float = column(_DICE.format("myocardium, scar and MVO included"))
    scar_dice: float = column(_DICE.format("scar, MVO included"))
    mvo_dice: float = column(_DICE.format("MVO"))


@record
class ReadersSummaryRow:
    """The agreement of two readers in one measure; None is a statistic that measure or studies do not define."""

    first_reader: str = column(_FIRST, required=True)
    second_reader: str = column(_SECOND, required=True)
    measure: str = column(
        "What is compared: a number's column (scar_percent_lv ...), the Dice of a region (scar_dice ...), or a "
        "yes-or-no question: scar_present and mvo_present of the heart, scar_segments of its AHA segments.",
        required=True,
    )
    unit: str = column("Unit of bias and limits; empty without.", required=True)
    studies: int = column("Number of studies in which both readers have a value.", required=True)
    icc: float | None = column(
        "Of a number: intraclass correlation ICC(2,1): two-way random, absolute agreement, single readings.",
        default=None,
    )
    icc_low: float | None = column("Lower end of its 95 % interval.", default=None)
    icc_high: float | None = column("Upper end of its 95 % interval.", default=None)
    bias: float | None = column("Of a number: mean of the first reader's minus the second's.", default=None)
    lower_limit: float | None = column("Lower 95 % limit of agreement: bias - 1.96 SD of differences.", default=None)
    upper_limit: float | None = column("Upper 95 % limit of agreement.", default=None)
    agreed_percent: float | None = column(
        "Of a question: how many hearts, or segments, both readers answer alike.", "percent", default=None
    )
    kappa: float | None = column("Of a question: Cohen's kappa; null where nobody's answers vary.", default=None)
    kappa_low: float | None = column(
        "Lower end of its 95 % interval, by the jackknife over studies, as a heart's segments are not independent.",
        default=None,
    )
    kappa_high: float | None = column("Upper end of its 95 % interval.", default=None)
    dice_mean: float | None = column("Of a Dice: its mean.", default=None)
    dice_median: float | None = column("Its median.", default=None)
    dice_lower_quartile: float | None = column("Its lower quartile.", default=None)
    dice_upper_quartile: float | None = column("Its upper quartile.", default=None)
