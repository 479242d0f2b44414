"""Files that a training writes beside its weights: log.csv, a learning curve, and events for TensorBoard."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.files import write_bytes
from scarnet_cli.train.curve import draw_curve

LOG: Final = "log.csv"
CURVE: Final = "curve.svg"
EVENTS: Final = "tensorboard"


@dataclass(frozen=True, slots=True)
class EpochReport:
    """Result of one epoch; `dice`, one value per region, is empty if the epoch was not validated."""

    epoch: int
    loss: float
    dice: tuple[float, ...]


class Record:
    """Record of the epochs so far; log and curve are rewritten after each, so that a kill leaves no partial file."""

    def __init__(self, out: Path, regions: Sequence[str], finished: int) -> None:
        """Continue after `finished` epochs: later ones in the log are dropped, and trained and logged again."""
        # Imported here because it takes as long to import as torch.
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        self._out, self._regions = out, regions
        self.epochs = [entry for entry in read_log(out / LOG) if entry.epoch <= finished]
        self._events = SummaryWriter(str(out / EVENTS), purge_step=finished + 1)

    def add(self, entry: EpochReport) -> None:
        """Add an epoch to log, curve and events."""
        self.epochs.append(entry)
        write_bytes(self._out / LOG, log_csv(self.epochs, self._regions).encode())
        curves = {"loss": [(e.epoch, e.loss) for e in self.epochs]}
        for number, region in enumerate(self._regions):
            curves[region] = [(e.epoch, e.dice[number]) for e in self.epochs if e.dice]
        write_bytes(self._out / CURVE, draw_curve(curves).encode())
        self._events.add_scalar("loss", entry.loss, entry.epoch)
        for region, dice in zip(self._regions, entry.dice, strict=False):
            self._events.add_scalar(f"dice/{region}", dice, entry.epoch)
        self._events.flush()

    def close(self) -> None:
        """Close the events file."""
        self._events.close()


def log_csv(epochs: Sequence[EpochReport], regions: Sequence[str]) -> str:
    """Return a CSV with a row per epoch: its number, mean loss and, if it was validated, the Dice of each region."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", "loss", *(f"{region}_dice" for region in regions)])
    for entry in epochs:
        dice = entry.dice or [None] * len(regions)
        writer.writerow([entry.epoch, f"{entry.loss:.5f}", *("" if d is None else f"{d:.4f}" for d in dice)])
    return text.getvalue()


def read_log(path: Path) -> list[EpochReport]:
    """Return the epochs that `log_csv` wrote to a file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [[cell for cell in row if cell] for row in csv.reader(file) if row[0].isdecimal()]
    return [EpochReport(int(epoch), float(loss), tuple(map(float, dice))) for epoch, loss, *dice in rows]
