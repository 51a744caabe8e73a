"""What a run keeps beside its outputs when it is one of many: name, log, validations, which stages have ended."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll.base.files import write_json


@dataclass(frozen=True)
class JobFolder:
    """ROOT/job: nothing in it decides a byte of any output."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "job"

    @property
    def description(self) -> Path:
        return self.path / "job.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def validation(self) -> Path:
        """A line of JSON a validation."""
        return self.path / "validation.jsonl"

    @property
    def training(self) -> Path:
        """Its run of MLflow, and its work folder while it goes on."""
        return self.path / "training.json"

    def begin(self, work: Path) -> None:
        """A training starts, or goes on, if this is the root of a job."""
        if self.description.exists():
            self.validation.unlink(missing_ok=True)     # those before are told again
            write_json(self.training, {"run": "", "work": str(work)})

    def opened(self, run: str) -> None:
        """MLflow knows the training now."""
        if self.description.exists():
            write_json(self.training, {**self.training_state(), "run": run})

    def validated(self, step: int, loss: float) -> None:
        if self.description.exists():
            with self.validation.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "loss": loss}) + "\n")

    def training_state(self) -> dict[str, str]:
        """`run` and `work` of a training that has begun."""
        return _read(self.training)

    def describe(self) -> dict[str, Any]:
        """Nothing in a root that no sweep or study has made."""
        return _read(self.description)

    def state(self) -> dict[str, Any]:
        """`inputs`: the digest of what the stages ran on; `seconds`: of each that has ended, in order."""
        return {"inputs": "", "seconds": {}} | _read(self.path / "state.json")

    def write_state(self, inputs: str, seconds: Mapping[str, float]) -> None:
        # a list keeps the order, which JSON with sorted names does not
        write_json(self.path / "state.json", {"inputs": inputs, "stages": [[name, seconds[name]] for name in seconds]})

    def slurm_id(self) -> str:
        """What Slurm knows it by, or nothing."""
        return str(_read(self.path / "slurm.json").get("id", ""))

    def write_slurm_id(self, number: str) -> None:
        write_json(self.path / "slurm.json", {"id": number})

    def validations(self) -> Iterator[tuple[int, float]]:
        """(step, loss) of each; a training that was stopped and goes on writes those before again."""
        if not self.validation.exists():
            return
        last = 0
        for line in self.validation.read_text(encoding="utf-8").splitlines(keepends=True):
            # the last one may be half written
            if line.endswith("\n") and (row := json.loads(line))["step"] > last:
                last = row["step"]
                yield last, row["loss"]

    def reason(self) -> str:
        """Why it failed, from the end of its log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        said = [line for line in lines if line.startswith("unroll: ")] or [line for line in lines if line.strip()]
        return said[-1].removeprefix("unroll: ") if said else "it said nothing"


def _read(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if "stages" in values:
        values["seconds"] = dict(values.pop("stages"))
    return values
