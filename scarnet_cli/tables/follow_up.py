"""The table `follow_up`: each later visit of a patient compared with the first."""

from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.studies import STUDY_ID


@record
class MeasureChanges:
    """Measures at the later visit minus those at the first; None where one of them is undefined."""

    scar_percent_lv: float | None = column("Change of scar, MVO included, of the myocardium's volume.", "percent")
    scar_ml: float | None = column("Change of the scar's volume.", "ml")
    scar_g: float | None = column("Change of the scar's mass.", "g")
    scar_5sd_percent_lv: float | None = column("Change of signal above 5 SD of remote.", "percent")
    scar_fwhm_percent_lv: float | None = column("Change of signal above half of the maximum.", "percent")
    core_percent_lv: float | None = column("Change of the scar's core.", "percent")
    border_percent_lv: float | None = column("Change of the border zone.", "percent")
    mvo_percent_lv: float | None = column("Change of MVO, of the myocardium's volume.", "percent")
    mvo_ml: float | None = column("Change of MVO's volume.", "ml")
    transmurality_mean: float | None = column("Change of the mean transmurality; null without scar.", "percent")
    myocardium_ml: float | None = column("Change of the myocardium's volume.", "ml")
    myocardium_g: float | None = column("Change of the myocardium's mass.", "g")
    blood_pool_ml: float | None = column("Change of the blood pool's volume.", "ml")
    scar_ml_m2: float | None = column("Change of scar by body surface area.", "ml/m2")
    myocardium_g_m2: float | None = column("Change of mass by body surface area.", "g/m2")
    blood_pool_ml_m2: float | None = column("Change of blood pool by body surface area.", "ml/m2")


@record
class FollowUpRow:
    """One later visit of a patient."""

    study_id: str = column(f"Study of the later visit. {STUDY_ID}", required=True)
    first_study_id: str = column("Study of the patient's first visit.", required=True)
    patient: str = column("The samplesheet's label; with --deidentify a pseudonym.", required=True)
    site: str | None = column("Label of the first visit's study.")
    group: str | None = column("Label of the first visit's study.")
    first_visit: str = column("Label of the first visit: by study_date, else by the labels.", required=True)
    visit: str = column("Label of the later visit.", required=True)
    days_between: int | None = column("Days from the first visit to this one; null where a study_date is not known.")
    change: MeasureChanges = block(names="{}_change")
