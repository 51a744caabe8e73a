"""One job: a frozen configuration, its root, and what is kept of it there besides the outputs."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll.config import Config
from unroll.files import to_json, write_json, write_text
from unroll.jobs.inputs import digest

STAGES = ("prepare", "train", "evaluate", "generate")


@dataclass(frozen=True, eq=False)
class Job:
    """A job of a sweep or a trial of a study."""

    differs: tuple[str, ...]        # what tells it from the others, in Hydra's grammar
    overrides: tuple[str, ...]      # all of them
    choices: Mapping[str, str]      # the file that each group of conf/ was taken from
    text: str                       # of params.yaml
    config: Config
    root: Path

    @classmethod
    def below(cls, folder: Path, differs: Sequence[str], overrides: Sequence[str], choices: Mapping[str, str],
              text: str, config: Config) -> "Job":
        """Its root is called by a key of its configuration, so that a sweep started again finds it."""
        values = config.model_dump(mode="json", exclude={"runtime"})
        root = folder / hashlib.sha256(to_json(values).encode()).hexdigest()[:16]
        return cls(tuple(differs), tuple(overrides), choices, text, config, root)

    @property
    def name(self) -> str:
        return " ".join(self.differs) or "as it stands"

    @property
    def folder(self) -> "JobFolder":
        return JobFolder(self.root)

    def write(self, group: str, parent: str) -> None:
        """What its process reads; `parent` is the run of MLflow that it belongs to, if there is one."""
        write_text(self.root / "params.yaml", self.text)
        write_json(self.folder.description, {
            "name": self.name, "group": group, "parent": parent, "overrides": list(self.overrides),
            "choices": dict(self.choices),
        })

    def finished(self, project: Path) -> bool:
        """Whether all its stages ran, with the code, the libraries and the data that are there now."""
        state = self.folder.state()
        return state["inputs"] == digest(project, STAGES) and list(state["seconds"]) == list(STAGES)

    def metrics(self) -> dict[str, float]:
        """Of the training and of the test split."""
        files = [self.root / "metrics" / name for name in ("train.json", "test.json")]
        return {name: value for file in files for name, value in json.loads(file.read_text(encoding="utf-8")).items()}


    def curve(self) -> list[tuple[int, float]]:
        """(step, loss) of every validation."""
        with (self.root / "plots" / "validation.csv").open(encoding="utf-8", newline="") as file:
            return [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]


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
