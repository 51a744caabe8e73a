"""The run of MLflow that the runs of a sweep or a study belong to."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from unroll.config import Config
from unroll.files import write_json
from unroll.jobs import Job
from unroll.tracking import Tracker
from unroll.workspace import Workspace


class Group:
    """Opened anew, or again where the same sweep or study was begun before."""

    def __init__(self, project: Path, folder: Path, name: str, config: Config, command: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._command = folder, name, command
        self._tracker = Tracker(config.runtime.tracking, Workspace(project, folder))

    def __enter__(self) -> Self:
        known = self._folder / "group.json"
        before = json.loads(known.read_text(encoding="utf-8"))["run"] if known.exists() else None
        tags = {"unroll.group": self._name, "mlflow.note.content": f"`unroll {self._command}`"}
        self._tracker.start(self._name, {}, tags, None, before)
        write_json(known, {"run": self._tracker.run_id})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if kind is not None:
            self._tracker.finish("KILLED" if issubclass(kind, KeyboardInterrupt | SystemExit) else "FAILED")

    def admit(self, job: Job) -> None:
        """Write what the job's process reads, the run that it belongs to among it."""
        job.write(self._name, self._tracker.run_id)

    def pruned(self, job: Job, step: int) -> None:
        """Say so in its run, and remove what it was to go on from."""
        training = job.folder.training_state()
        if training:
            if training["run"]:
                self._tracker.tags({"unroll.pruned": f"after step {step}"}, training["run"])
            shutil.rmtree(training["work"], ignore_errors=True)

    def close(self, summary: Mapping[str, float], failed: int) -> None:
        """Log what it all came to: figures, and every table and picture of the folder."""
        self._tracker.metrics({**summary, "jobs/failed": failed})
        made = sorted(file for file in self._folder.iterdir() if file.suffix in (".csv", ".md", ".png"))
        self._tracker.files(*made)
        self._tracker.finish()
