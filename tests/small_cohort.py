"""Rows of a small cohort: two measured studies and two failures, with markup where text from the input may be."""

SCARRED = {
    "study_id": "s1",
    "manufacturer": "<script>alert('maker')</script>",
    "slices": 10,
    "spacing_mm": 1.4,
    "slice_spacing_mm": 10.0,
    "myocardium_g": 105.0,
    "scar_percent_lv": 12.34,
    "scar_5sd_percent_lv": 15.0,
    "mvo_percent_lv": 0.02,
    "scar_components": 2,
    "flags": ["missing_slice", "<b>new_flag"],
    "model": "unet",
    "model_sha256": "ab" * 32,
}
HEALTHY = {
    "study_id": "s2",
    "myocardium_g": 95.0,
    "scar_percent_lv": 0.0,
    "mvo_percent_lv": 0.0,
    "confidence": 0.5,
    "flags": ["no_scar"],
}
SEGMENTS = [
    {"study_id": "s1", "segment": n, "scar_percent": 60.0 if n == 1 else 0.0, "transmurality": 80.0 if n == 1 else 0.0}
    for n in range(1, 17)
]
SERIES = [
    {"study_id": study, "series_instance_uid": study, "description": f"<u>LGE {study}", "chosen": True, "reason": "<i>"}
    for study in ("f1", "s1", "s2")
]
FAILURES = [
    {"study_id": "f1", "stage": "index", "code": "no_lge_stack", "message": "No <i>LGE</i> series; add a rule."},
    {"study_id": "f2", "stage": "quantify", "code": "odd", "message": "Odd; measure it again."},
]
