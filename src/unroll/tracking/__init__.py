"""MLflow: which store, which run, what is logged. The only package that imports MLflow."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.base.processes import rank
from unroll.base.workspace import Workspace
from unroll.config.runtime import TrackingConfig
from unroll.tracking.run import Run, flatten

__all__ = ["Tracker", "flatten"]

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")       # seconds; a dead server must not hold a run up
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

BATCH_SECONDS = 5       # points are sent together: one transaction costs as much as a thousand points


class Tracker:
    """One MLflow run, or nothing where tracking is off, on another rank, or given up after a failure.

    MLflow is called in the background, in order: a slow or silent server does not slow the work. `finish` waits.
    `job` holds the `name`, `group` and `parent` run of a sweep's or study's job, when this is the run of one.
    """

    def __init__(self, config: TrackingConfig, workspace: Workspace, job: Mapping[str, Any] | None = None) -> None:
        self._config = config
        self._on = config.enabled and rank() == 0
        self._points: list[tuple[str, float, int]] = []
        self._sent = time.monotonic()
        self._background = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        local = f"sqlite:///{workspace.home / 'mlflow.db'}"
        self._uri = os.environ.get("MLFLOW_TRACKING_URI") or config.uri or local
        self._run = Run(self._uri, self._uri == local, config.experiment, workspace, job or {})
        if self._on:
            # here: two threads that import at the same time may deadlock
            import mlflow  # noqa: F401

            self._call(self._run.connect)

    @property
    def run_id(self) -> str:
        """The run's id, after waiting for MLflow to know it; empty without a run."""
        self._wait()
        return self._run.id

    def start(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str], dataset: Mapping[str, Any] | None,
              run_id: str | None = None, opened: Callable[[str], None] = lambda run: None) -> None:
        """Open a run, or reopen `run_id` where the store still has it; `opened` gets its id once it is known."""
        self._call(lambda: self._run.start(name, params, tags, dataset, run_id, opened))

    def attach(self, digest: str = "") -> None:
        """Continue the newest run of this root, or open one where there is none.

        With the SHA-256 of a model's weights, it continues the newest run of this root that trained them.
        """
        self._call(lambda: self._run.attach(digest))

    def point(self, name: str, value: float, step: int) -> None:
        """One point of a curve, sent together with others; its time stamp is the run's start plus `step`."""
        self._points.append((name, value, step))
        if time.monotonic() - self._sent > BATCH_SECONDS:
            self.flush()

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log metrics of the model; the model's own page shows them as well."""
        self.flush()
        self._call(lambda: self._run.send([(name, float(value), 0) for name, value in values.items()], of_model=True))

    def flush(self) -> None:
        points, self._points, self._sent = self._points, [], time.monotonic()
        if points:
            self._call(lambda: self._run.send(points))

    def text(self, content: str, name: str) -> None:
        self._call(lambda: self._run.text(content, name))

    def files(self, *paths: Path, folder: str | None = None) -> None:
        for path in paths:
            self._call(lambda path=path: self._run.files(path, folder))   # type: ignore[misc]

    def model(self, folder: Path, tags: Mapping[str, str]) -> None:
        """Log a model folder as a model that MLflow registers, loads and serves; a run keeps one."""
        self._call(lambda: self._run.model(folder, tags))

    def tags(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._call(lambda name=name, value=value: self._run.tag(name, value))     # type: ignore[misc]

    def describe(self, text: str) -> None:
        """Set the Markdown that the pages of the run and of its model show."""
        self._call(lambda: self._run.describe(text))

    def finish(self, status: str = "FINISHED") -> None:
        self.flush()
        self._call(lambda: self._run.finish(status))
        self._wait()

    def where(self) -> str:
        """Where the run can be seen, for the last line of a stage."""
        return f"MLflow run {self._run.id[:8]} in {self._uri}" if self._on else "not logged to MLflow"

    def _call(self, act: Callable[[], object]) -> None:
        """Queue a call to MLflow; wait for it where a failure must stop the run."""
        if self._on and self._config.on_failure == "stop":
            self._try(act)
        elif self._on:
            self._last = self._background.submit(self._try, act)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _try(self, act: Callable[[], object]) -> None:
        """Call MLflow; when it fails, continue without it or raise `UserError`, as the configuration says."""
        if not self._on:
            return
        try:
            act()
        except Exception as error:      # a tracking server can fail in any way
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            if self._config.on_failure == "stop":
                raise UserError("server", "runtime.tracking", f"{self._uri} does not answer ({reason}). Start it, or "
                                "set runtime.tracking.on_failure=continue.") from None
            print(f"unroll: tracking is off from here on: {self._uri} does not answer ({reason}).", file=sys.stderr)
            self._on = False
