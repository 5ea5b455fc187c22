"""Taking readings in: the store alone beside databases, and end to end from sockets to acknowledgements that are durable.

    python bench/ingest.py [--only store,peers,mqtt,hj212,jt808,http] [--seconds 20] [--rows 2000000] [--connections 5000] [--rate 15000]
    python bench/ingest.py --only mqtt --long        30 minutes with alarm rules, then a burst of 60,000 points/s for a minute

Prints one JSON line per measurement; `load` is the machine's at that moment. Each measurement of the store runs in a process of its own, the
end-to-end ones against a fresh installation in a folder of its own (`yuanmai gateway`, `ingest`, `web`), and after each one every
acknowledged point must be in the lake exactly once: otherwise the bench fails. Peers that are not installed are named and skipped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

BATCHES = (1_000, 60_000)
SOURCES = ("mqtt", "hj212", "jt808", "http")


def measure(options: argparse.Namespace) -> None:
    """One measurement, in the process made for it."""
    from bench.ingesting import end_to_end, peers, store

    what, _colon, argument = options.measure.partition(":")
    if what == "journal":
        store.measure_journal(
            int(argument), options.rows if int(argument) < 10_000 else options.rows * 10, options.seconds
        )
    elif what == "frames":
        store.measure_small(1_000_000, options.seconds)
    elif what == "lake":
        store.measure_lake(int(argument), options.rows, options.seconds)
    elif what == "peer":
        name, _colon, batch = argument.partition(":")
        peers.PEERS[name](int(batch), options.rows, options.seconds)
    else:
        end_to_end.measure(what, options)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="store,peers,mqtt,hj212,jt808,http", help="what to measure, by commas"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="the longest a measurement takes")
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the store's measurements")
    parser.add_argument(
        "--connections",
        type=int,
        default=0,
        help="devices connected (default: 5000 for mqtt and jt808, 500 for hj212)",
    )
    parser.add_argument(
        "--rate", type=int, default=0, help="points a second offered; 0: as fast as they are acknowledged"
    )
    parser.add_argument("--batch", type=int, default=1_000, help="rows of a request (http)")
    parser.add_argument("--rules", type=int, default=0, help="alarm rules on all devices")
    parser.add_argument(
        "--long", type=float, nargs="?", const=1_800.0, default=0.0,
        help="so many seconds (1800) at 15,000 points/s with 20 rules, then 60 s at 60,000 points/s",
    )  # fmt: skip
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options)
        return 0
    chosen = options.only.split(",")
    work: list[str] = []
    if "store" in chosen:
        work += [
            *(f"journal:{batch}" for batch in BATCHES),
            "frames",
            *(f"lake:{batch}" for batch in BATCHES),
        ]
    if "peers" in chosen:
        work += [
            f"peer:{name}:{batch}"
            for name in ("influxdb", "victoria-metrics", "postgresql", "mariadb")
            for batch in BATCHES
        ]
    work += [source for source in SOURCES if source in chosen]
    failed = 0
    for one in work:
        failed += (
            subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--measure", one], check=False
            ).returncode
            != 0
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
