"""The MLflow run of a sweep or a study, the parent of its jobs' runs."""

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

SUMMARY = "summary.md"      # in the folder of a sweep or study: its results


class Group:
    """Opens a run, or reopens the one that the same sweep or study had before: `known`, or noted in its folder."""

    def __init__(self, project: Path, folder: Path, name: str, config: Config, command: str, known: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._project, self._folder, self._name, self._command, self._known = project, folder, name, command, known
        self._config = config.runtime.tracking

    def __enter__(self) -> Self:
        note = self._folder / "group.json"
        tags = {"unroll.group": self._name, "mlflow.note.content": f"`unroll {self._command}`"}
        # several processes may begin a study at the same time: one creates store and run, the others find them
        with FileLock(self._folder / "group.lock"):
            self._tracker = Tracker(self._config, Workspace(self._project, self._folder))
            if not self._known and note.exists():
                self._known = json.loads(note.read_text(encoding="utf-8"))["run"]
            self._tracker.start(self._name, {}, tags, None, self._known or None)
            if self.run_id:
                write_json(note, {"run": self.run_id})
        return self

    @property
    def run_id(self) -> str:
        """Empty where nothing is tracked."""
        return self._tracker.run_id

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if kind is not None:
            self._tracker.finish("KILLED" if issubclass(kind, KeyboardInterrupt | SystemExit) else "FAILED")

    def admit(self, job: Job) -> None:
        """Write what the job's process reads, its parent run included."""
        job.write(self._project, self._name, self.run_id)

    def pruned(self, job: Job, step: int) -> None:
        """Tag the run of a job that was ended early, and remove its checkpoints.

        The job may have ended before its process opened a run in MLflow; then one is opened here, so that every trial
        of a study has a run.
        """
        tracker = Tracker(self._config, Workspace(self._project, job.root), job.folder.describe())
        tracker.attach()
        tracker.tags({"unroll.pruned": f"after step {step}"})
        tracker.finish("KILLED")
        if work := job.folder.work():
            shutil.rmtree(work, ignore_errors=True)

    def close(self, summary: Mapping[str, float], failed: int) -> None:
        """Log the results: metrics, and every table and picture in the folder."""
        self._tracker.metrics({**summary, "jobs/failed": failed})
        if (self._folder / SUMMARY).exists():
            text = (self._folder / SUMMARY).read_text(encoding="utf-8")
            self._tracker.tags({"mlflow.note.content": f"`unroll {self._command}`\n\n{text}"})
        written = sorted(file for file in self._folder.iterdir() if file.suffix in (".csv", ".md", ".png"))
        self._tracker.files(*written)
        self._tracker.finish()
