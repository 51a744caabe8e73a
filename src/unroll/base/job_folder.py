"""What a job of a sweep or study keeps beside its outputs: name, log, validations, the stages that have ended."""

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
        """A line of JSON for each validation."""
        return self.path / "validation.jsonl"

    def describe(self) -> dict[str, Any]:
        """`name`, `group`, `parent` run, `overrides`, `choices`; empty when the root is not one of a sweep or study."""
        return _read(self.description)

    def begin(self, work: Path) -> None:
        """Note that a training begins or resumes in the folder `work`, if this is the root of a job."""
        if self.description.exists():
            self.validation.unlink(missing_ok=True)     # a training that resumes reports the earlier ones again
            write_json(self.path / "training.json", {"work": str(work)})

    def work(self) -> Path | None:
        """The work folder of the last training, which is gone when the training ended well."""
        work = _read(self.path / "training.json").get("work")
        return Path(work) if work else None

    def validated(self, step: int, loss: float) -> None:
        if self.description.exists():
            with self.validation.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "loss": loss}) + "\n")

    def validations(self) -> Iterator[tuple[int, float]]:
        """(step, loss) of every validation, each step once although a resumed training reports some again."""
        if not self.validation.exists():
            return
        last = 0
        for line in self.validation.read_text(encoding="utf-8").splitlines(keepends=True):
            # the last line may be half written
            if line.endswith("\n") and (row := json.loads(line))["step"] > last:
                last = row["step"]
                yield last, row["loss"]

    def state(self) -> dict[str, Any]:
        """`inputs`: digest of what the stages depend on; `seconds`: of each stage that has ended, in order."""
        return {"inputs": "", "seconds": {}} | _read(self.path / "state.json")

    def write_state(self, inputs: str, seconds: Mapping[str, float]) -> None:
        # a list keeps the order, which JSON with sorted names does not
        write_json(self.path / "state.json", {"inputs": inputs, "stages": [[name, seconds[name]] for name in seconds]})

    def slurm_id(self) -> str:
        """The job's number in Slurm, or an empty string."""
        return str(_read(self.path / "slurm.json").get("id", ""))

    def write_slurm_id(self, number: str) -> None:
        write_json(self.path / "slurm.json", {"id": number})

    def reason(self) -> str:
        """Why the job failed, from the end of its log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        errors = [line for line in lines if line.startswith("unroll: ")] or [line for line in lines if line.strip()]
        return errors[-1].removeprefix("unroll: ") if errors else "its log is empty"


def _read(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if "stages" in values:
        values["seconds"] = dict(values.pop("stages"))
    return values
