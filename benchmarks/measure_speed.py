"""Print the time on one core and the peak memory for all measures of one study of 12 slices of 256 x 256.

.venv/bin/python -m benchmarks.measure_speed [--runs 5]
"""

import argparse
import resource
import statistics
import sys
import time
from dataclasses import replace

from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.make import make_phantom
from scarnet_cli.phantom.spec import Heart, PhantomSpec, Scan, Scar
from scarnet_cli.quantify.measures import measure_study

# A large heart on fine pixels, with two scars and MVO: more work than most studies.
_SCARS = (Scar(270.0, 110.0, 10.0, 80.0, 0.9, mvo_fraction=0.5), Scar(100.0, 60.0, 20.0, 60.0, 0.5))
SPEC = PhantomSpec(
    heart=Heart(epicardial_radius_mm=38.0, length_mm=100.0, scars=_SCARS),
    scan=replace(Scan(), shape_zyx=(12, 256, 256), spacing_zyx_mm=(8.0, 1.2, 1.2)),
)


def main() -> None:
    """Measure a phantom several times and print seconds and MiB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="How often; the first one warms up and is not counted.")
    runs = parser.parse_args().runs
    phantom = make_phantom(0, SPEC)
    seconds = [_seconds(phantom.image, phantom.labels) for _ in range(runs + 1)][1:]
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{statistics.median(seconds):.3f} s of CPU time (median of {runs}), peak {peak_mib:.0f} MiB")  # noqa: T201


def _seconds(image: Volume, labels: Volume) -> float:
    start = time.process_time()
    measure_study(image, labels)
    return time.process_time() - start


if __name__ == "__main__":
    main()
