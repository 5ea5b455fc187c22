"""How fast rules are evaluated: one line of JSON per measurement.

    python -m bench.rules [--rules 1000] [--seconds 20]

15,000 readings a second of 15,000 points in rounds of a quarter of a second; each rule watches one point of fifteen devices, so that every
reading meets a rule, or (second line) one in ten does. `share` is the part of one core that is used.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.engine.rules.definition import read
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.engine.rules.target import Rule
from yuanmai.devices.store.readings import Readings

RATE = 15_000
SECOND = 1_000_000


def measure(rules: int, seconds: int, watched: int, over: float) -> dict[str, object]:
    """Feed `seconds` of readings to rules that watch `watched` of the 15,000 points; a share `over` of the readings is above its limit."""
    devices = [
        DeviceSpec(n, 1, f"d{n}", "mqtt", f"d{n}", {}, {"v": (PointSpec(n, "v", "v"),)})
        for n in range(1, RATE + 1)
    ]
    each = max(1, watched // rules)
    definition = read(
        {"when": {"kind": "threshold", "point": "v", "compare": "above", "limit": 50, "hysteresis": 2}}
    )
    made = [Rule(i, 1, 3, definition, tuple(range(1 + i * each, 1 + (i + 1) * each))) for i in range(rules)]
    evaluator = Evaluator(made, Registry(devices), begin=0)
    rng, found, spent = np.random.default_rng(1), 0, 0.0
    per_round = RATE // 4
    for turn in range(seconds * 4):
        point = rng.permutation(np.arange(1, RATE + 1, dtype=np.int32))[:per_round]
        moment = (
            np.sort(rng.integers(turn * SECOND // 4, (turn + 1) * SECOND // 4, per_round))
            + 1_600_000_000 * SECOND
        )
        value = rng.uniform(0, 50, per_round)
        value[rng.random(per_round) < over] = 60
        batch = Readings(
            point, moment, value, np.zeros(per_round, np.int16), moment, np.arange(per_round, dtype=np.int64)
        )
        begun = time.process_time()
        found += len(evaluator.feed(batch))
        spent += time.process_time() - begun
    return {
        "bench": "rules", "rules": rules, "points_watched": each * rules, "readings_per_second": RATE, "above_limit": over,
        "transitions": found, "share": round(spent / seconds, 4), "microseconds_per_reading": round(spent / seconds / RATE * 1e6, 2),
    }  # fmt: skip


def main() -> None:
    """Measure with every point watched and with one in ten, quiet and busy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    for watched in (RATE, RATE // 10):
        for over in (0.0, 0.001, 0.02):
            print(json.dumps(measure(asked.rules, asked.seconds, watched, over)))


if __name__ == "__main__":
    main()
