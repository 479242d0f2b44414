"""Time the index and the conversion of studies in a bucket against the same files in a folder.

.venv/bin/python -m benchmarks.bucket_speed --out DIR [--objects 100000] [--read 10000] [--latency-ms 10]

The server is SeaweedFS on this machine, so its own work counts on the clock but not as CPU seconds of ours. A proxy
adds the latency to each request and counts requests and bytes. Objects as in dicom_speed, 3 KB each; the studies that
are converted are phantoms.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from bucket_server import BUCKET, BucketServer, bucket_server_in, weed

from benchmarks.dicom_speed import A_STUDY, Cost, make_studies
from benchmarks.slow_proxy import SlowProxy, slow_proxy
from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.phantom.cohort import write_cohort

_KIB: Final = 1024


def main() -> None:
    """Make the files, put them into a bucket, and print what listing, index and conversion cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="Directory of the files, the server and the results.")
    parser.add_argument("--objects", type=int, default=100_000, help="Objects that are listed.")
    parser.add_argument("--read", type=int, default=10_000, help="Of these, those whose headers are read.")
    parser.add_argument("--studies", type=int, default=20, help="Phantoms that are converted.")
    parser.add_argument("--latency-ms", type=float, default=10.0)
    arguments = parser.parse_args()
    out: Path = arguments.out.absolute()
    few, many, phantoms = out / "few", out / "many", out / "phantoms"
    make_studies(few, arguments.read // A_STUDY)
    make_studies(many, arguments.objects // A_STUDY)
    write_cohort(arguments.studies, phantoms)
    with bucket_server_in(out / "server") as server:
        for folder in (few, many, phantoms / "dicom"):
            copy_into(server, folder)
        shutil.rmtree(many)
        os.environ.update(server.login())
        time_listing(ObjectPath("s3", f"{BUCKET}/many"))
        ways: list[tuple[str, SlowProxy | None, Mapping[str, str]]] = [("folder", None, {})]
        ways.append(("bucket", None, server.login()))
        with slow_proxy(server.endpoint, 0.0) as near, slow_proxy(server.endpoint, arguments.latency_ms / 1000) as far:
            for name, proxy in (("bucket, counted", near), (f"bucket, {arguments.latency_ms:g} ms away", far)):
                ways.append((name, proxy, {**server.login(), "AWS_ENDPOINT_URL": f"http://{proxy.endpoint}"}))
            for name, proxy, login in ways:
                time_way(out, name, proxy, login, (arguments.read, arguments.studies))


def copy_into(server: BucketServer, folder: Path) -> None:
    """Copy a folder into the bucket, by the server's own program."""
    port, grpc = server.ports["filer.port"], server.ports["filer.port.grpc"]
    filer = f"http://127.0.0.1:{port}.{grpc}/buckets/{BUCKET}/"
    command = [weed() or "weed", "filer.copy", "-c=16", str(folder), filer]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def time_listing(prefix: ObjectPath) -> None:
    """Print what listing all objects below a prefix costs."""
    cpu, wall = time.process_time(), time.perf_counter()
    count = len(prefix.objects())
    Cost(time.process_time() - cpu, time.perf_counter() - wall).show(f"{count} objects listed", count, "objects")


def time_way(out: Path, name: str, proxy: SlowProxy | None, login: Mapping[str, str], counts: tuple[int, int]) -> None:
    """Print what index and conversion cost where the files lie in one way."""
    few, phantoms = (str(out / "few"), str(out / "phantoms/dicom"))
    if login:
        few, phantoms = f"s3://{BUCKET}/few", f"s3://{BUCKET}/dicom"
    shutil.rmtree(out / "made", ignore_errors=True)
    index = ["index", few, "--jobs", "1", "--out", str(out / "made/index")]
    measure(index, login, proxy, counts[0]).show(f"{name}: index of new files", counts[0], "files")
    again = ["index", few, "--jobs", "1", "--previous", str(out / "made/index/index.parquet")]
    again += ["--out", str(out / "made/again")]
    measure(again, login, proxy, counts[0]).show(f"{name}: index of unchanged files", counts[0], "files")
    whole = ["index", phantoms, "--batch-min", str(counts[1]), "--batch-max", str(counts[1])]
    measure([*whole, "--out", str(out / "made/phantoms")], login, proxy, counts[1]).show(
        f"{name}: index of phantoms", counts[1], "studies"
    )
    (batch,) = (out / "made/phantoms/batches").glob("*.json")
    convert = ["convert", str(batch), "--out", str(out / "made/convert")]
    measure(convert, login, proxy, counts[1]).show(f"{name}: conversion", counts[1], "studies")


def measure(words: list[str], login: Mapping[str, str], proxy: SlowProxy | None, count: int) -> Cost:
    """Return the cost of a command, and print how many requests and bytes it took where a proxy counts them."""
    before = (proxy.asked.value, proxy.sent.value) if proxy else (0, 0)
    wall = time.perf_counter()
    environment = {**os.environ, **login}
    command = [sys.executable, "-m", "scarnet_cli", *words]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    if proxy:
        asked, sent = proxy.asked.value - before[0], proxy.sent.value - before[1]
        sys.stdout.write(f"  {asked / count:.2f} requests and {sent / count / _KIB:.1f} KiB for each\n")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - wall)


if __name__ == "__main__":
    main()
