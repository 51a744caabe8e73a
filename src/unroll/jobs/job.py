"""One job: a frozen configuration and its root."""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unroll.base.deps import digest
from unroll.base.extensions import Extension, kept, read_lock, write_lock
from unroll.base.files import to_json, write_json, write_text
from unroll.base.job_folder import JobFolder
from unroll.base.workspace import Workspace
from unroll.config.load import extensions_of
from unroll.config.objective import Objective, objective
from unroll.config.schema import Config
from unroll.evaluation.comparison import Comparison, read_comparisons

STAGES = ("prepare", "train", "evaluate", "generate")


@dataclass(frozen=True, eq=False)
class Job:
    """A job of a sweep or a trial of a study."""

    differs: tuple[str, ...]        # the overrides in which it differs from the others, in Hydra's grammar
    overrides: tuple[str, ...]      # all overrides
    choices: Mapping[str, str]      # the chosen file of each group of conf/
    text: str                       # of params.yaml
    config: Config
    root: Path

    @classmethod
    def below(cls, folder: Path, differs: Sequence[str], overrides: Sequence[str], choices: Mapping[str, str],
              text: str, config: Config) -> "Job":
        """A job whose root is named by a key of its configuration, so that a sweep that is started again finds it."""
        values = config.model_dump(mode="json", exclude={"runtime"})
        root = folder / hashlib.sha256(to_json(values).encode()).hexdigest()[:16]
        return cls(tuple(differs), tuple(overrides), choices, text, config, root)

    @property
    def name(self) -> str:
        return " ".join(self.differs) or "as it stands"

    @property
    def folder(self) -> JobFolder:
        return JobFolder(self.root)

    def write(self, project: Path, group: str, parent: str) -> None:
        """Write what the job's process reads; `parent` is the id of the MLflow run that it belongs to, or empty."""
        write_text(self.root / "params.yaml", self.text)
        write_lock(Workspace(project, self.root).extensions, self._extensions(project))
        write_json(self.folder.description, {
            "name": self.name, "group": group, "parent": parent, "overrides": list(self.overrides),
            "choices": dict(self.choices),
        })

    def finished(self, project: Path) -> bool:
        """Whether all stages have run with the code, libraries, extensions and data that are there now."""
        state, workspace = self.folder.state(), Workspace(project, self.root)
        return (state["inputs"] == digest(workspace, STAGES) and list(state["seconds"]) == list(STAGES)
                and read_lock(workspace.extensions) == self._extensions(project))

    def _extensions(self, project: Path) -> list[Extension]:
        """The extensions that it names: as the project's lock has them, or else as they are installed."""
        return kept(extensions_of(self.text), read_lock(project / "extensions.lock"))

    def metrics(self) -> dict[str, float]:
        """Metrics of the training and of the test split."""
        files = [self.root / "metrics" / name for name in ("train.json", "test.json")]
        return {name: value for file in files for name, value in json.loads(file.read_text(encoding="utf-8")).items()}

    @property
    def objective(self) -> Objective:
        return objective(self.config.train.monitor, self.config.model.heads)

    def best(self) -> float:
        """The objective of the best weights, on the validation split."""
        return self.metrics()[f"val/best_{self.objective.name}"]

    def curve(self) -> list[tuple[int, float]]:
        """(step, objective) of every validation."""
        with (self.root / "plots" / "validation.csv").open(encoding="utf-8", newline="") as file:
            return [(int(row["step"]), float(row[self.objective.name])) for row in csv.DictReader(file)]

    def comparison(self) -> Comparison:
        """The model beside its baselines: the target of the objective, or the first one."""
        comparisons = read_comparisons(Workspace(self.root, self.root).comparison)
        return comparisons[self.objective.target or next(iter(comparisons))]
