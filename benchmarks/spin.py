"""What a busy neighbour costs a training: OpenMP's own spinning against the short spin that unroll sets.

    python benchmarks/spin.py       about two minutes; benchmarks/results/spin.json

Symbols per second of the default LSTM, median of three turns each, alone and beside one process that only counts.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from unroll.base.files import write_json

PROJECT = Path(__file__).parent.parent
SETTINGS = {"GNU OpenMP's own": "300000", "unroll's": "3000"}
STEPS = """
import json, time, torch
torch.set_num_threads(2)
lstm, x = torch.nn.LSTM(64, 256), torch.randn(64, 32, 64)
done, started = 0, time.perf_counter()
while time.perf_counter() - started < 6:
    lstm(x)[0].sum().backward()
    done += 1
print(64 * 32 * done / (time.perf_counter() - started))
"""


def speed(spins: str) -> float:
    environment = {**os.environ, "GOMP_SPINCOUNT": spins}
    done = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure() -> dict[str, float]:
    turns = [{name: speed(spins) for name, spins in SETTINGS.items()} for _ in range(3)]
    return {name: median(turn[name] for turn in turns) for name in SETTINGS}


def main() -> None:
    alone = measure()
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = measure()
    finally:
        neighbour.kill()
    result = {"command": "python benchmarks/spin.py", "cores": os.cpu_count(), "alone": alone, "beside one": beside}
    write_json(PROJECT / "benchmarks" / "results" / "spin.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
