"""The run of MLflow that the runs of a sweep or a study belong to."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.config.schema import Config
from unroll.jobs import Job
from unroll.tracking import Tracker

SUMMARY = "summary.md"      # in the folder of a sweep or study: what it came to


class Group:
    """Opened anew, or again where the same sweep or study was begun before: `known`, or by this folder."""

    def __init__(self, project: Path, folder: Path, name: str, config: Config, command: str, known: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._command, self._known = folder, name, command, known
        self._config, self._workspace = config.runtime.tracking, Workspace(project, folder)

    def __enter__(self) -> Self:
        note = self._folder / "group.json"
        tags = {"unroll.group": self._name, "mlflow.note.content": f"`unroll {self._command}`"}
        # processes may begin a study at the same time: one makes store and run, the others find them
        with FileLock(self._folder / "group.lock"):
            self._tracker = Tracker(self._config, self._workspace)
            if not self._known and note.exists():
                self._known = json.loads(note.read_text(encoding="utf-8"))["run"]
            self._tracker.start(self._name, {}, tags, None, self._known or None)
            if self.run_id:
                write_json(note, {"run": self.run_id})
        return self

    @property
    def run_id(self) -> str:
        """Nothing where nothing is tracked."""
        return self._tracker.run_id

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if kind is not None:
            self._tracker.finish("KILLED" if issubclass(kind, KeyboardInterrupt | SystemExit) else "FAILED")

    def admit(self, job: Job) -> None:
        """Write what the job's process reads, the run that it belongs to among it."""
        job.write(self._name, self.run_id)

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
        if (self._folder / SUMMARY).exists():
            text = (self._folder / SUMMARY).read_text(encoding="utf-8")
            self._tracker.tags({"mlflow.note.content": f"`unroll {self._command}`\n\n{text}"})
        made = sorted(file for file in self._folder.iterdir() if file.suffix in (".csv", ".md", ".png"))
        self._tracker.files(*made)
        self._tracker.finish()
