import xml.etree.ElementTree as ET
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from scarnet_cli.train.record import EpochReport, Record, read_log

REGIONS = ("myocardium", "scar")
EPOCHS = [EpochReport(1, 1.5, ()), EpochReport(2, 0.75, (0.5, 0.25)), EpochReport(3, 0.5, ())]


def keep(out: Path, epochs: list[EpochReport], finished: int = 0) -> None:
    record = Record(out, REGIONS, finished)
    for entry in epochs:
        record.add(entry)
    record.close()


def test_the_log_has_one_line_an_epoch_and_dice_where_validated(tmp_path: Path) -> None:
    keep(tmp_path, EPOCHS)
    lines = ["epoch,loss,myocardium_dice,scar_dice", "1,1.50000,,", "2,0.75000,0.5000,0.2500", "3,0.50000,,"]
    assert (tmp_path / "log.csv").read_text().splitlines() == lines
    assert read_log(tmp_path / "log.csv") == EPOCHS


def test_epochs_beyond_the_checkpoint_are_logged_again_in_place(tmp_path: Path) -> None:
    keep(tmp_path, EPOCHS)
    names = ("log.csv", "curve.svg")
    whole = [(tmp_path / name).read_bytes() for name in names]
    keep(tmp_path, EPOCHS[1:], finished=1)
    assert [(tmp_path / name).read_bytes() for name in names] == whole


def test_a_log_without_a_header_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("1,1.50000\n2,0.75000,0.5000,0.2500\n")
    assert read_log(tmp_path / "log.csv") == EPOCHS[:2]


def test_tensorboard_reads_loss_and_dice(tmp_path: Path) -> None:
    keep(tmp_path, EPOCHS)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    assert [(e.step, e.value) for e in events.Scalars("dice/scar")] == [(2, 0.25)]


def test_the_curve_is_a_picture_with_a_line_for_the_loss_and_for_each_region(tmp_path: Path) -> None:
    keep(tmp_path, EPOCHS)
    root = ET.parse(tmp_path / "curve.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    lines = [path.get("d", "") for path in root.iter(f"{space}path")]
    assert sorted(line.count(",") for line in lines) == [1, 1, 3]
    words = [text.text for text in root.iter(f"{space}text")]
    assert {"loss 0.500", "myocardium 0.500", "scar 0.250"} <= set(words)
    # the loss: 3 of 3 epochs at the right edge; 1.5, 0.75 and 0.5 of a scale to 2 that is 220 high and ends at 236
    (loss,) = [line for line in lines if line.count(",") == 3]
    assert loss == "M234.0,71.0 412.0,153.5 590.0,181.0"


def test_without_held_out_cases_the_curve_has_the_loss_alone(tmp_path: Path) -> None:
    keep(tmp_path, [EpochReport(1, 0.5, ())])
    assert (tmp_path / "curve.svg").read_text().count("<path") == 1
