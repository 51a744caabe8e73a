"""Many runs: Hydra's grammar gives the grid, each job is one plain subprocess in a root of its own."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from unroll.compose import compose, grid
from unroll.errors import UserError
from unroll.files import to_json, write_text
from unroll.measures import measure_of
from unroll.processes import own_environment


def sweep(project: Path, overrides: Sequence[str], name: str) -> None:
    """Run every combination one after another and print a table; all are validated before the first starts."""
    jobs = [(job, *compose(project / "conf", job)) for job in grid(overrides)]
    folder = project / ".unroll" / "sweeps" / name
    environment = own_environment()
    environment["PYTHONPATH"] = str((project / "src").resolve())
    rows, failed = [], []
    for number, (job, text, config) in enumerate(jobs, 1):
        root = folder / hashlib.sha256(to_json(config.model_dump(mode="json")).encode()).hexdigest()[:16]
        write_text(root / "params.yaml", text)
        print(f"sweep: job {number} of {len(jobs)}: {' '.join(job)} → {root}")
        command = [sys.executable, "-m", "unroll", "run", "--root", str(root), "--project", str(project)]
        if subprocess.run(command, env=environment, check=False).returncode:
            failed.append(" ".join(job))
            continue
        metrics = {**_metrics(root / "metrics" / "train.json"), **_metrics(root / "metrics" / "test.json")}
        measure = measure_of(metrics)
        rows.append((metrics["val/best_loss"], metrics[f"test/{measure}"], measure, " ".join(job), root))
    for at, (loss, test, measure, job_name, root) in enumerate(sorted(rows)):
        if not at:
            print(f"\n{'val loss':>10} {'test ' + measure:>13}  job")
        print(f"{loss:10.4f} {test:13.4f}  {job_name}  {root}")
    if failed:
        raise UserError(f"sweep: {len(failed)} of {len(jobs)} jobs failed, for the reasons above: {'; '.join(failed)}.")


def _metrics(path: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return values
