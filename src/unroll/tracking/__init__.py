"""MLflow: where the runs are, which run is ours, what is logged. The only room that knows MLflow."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock

from unroll.base.errors import UserError
from unroll.base.job_folder import JobFolder
from unroll.base.processes import rank
from unroll.base.workspace import Workspace
from unroll.config.runtime import TrackingConfig
from unroll.tracking.provenance import provenance

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")       # seconds; a dead server must not hold a run up
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

MODEL = "model"         # what a run calls its model: runs:/<run>/model
BATCH_SECONDS = 5       # points are sent together: one transaction costs as much as a thousand points


class Tracker:
    """One MLflow run, or nothing where tracking is off, on another rank, or given up after a failure.

    MLflow is told in the background, in order: a server that is slow or silent does not slow the work. `finish` waits.
    """

    def __init__(self, config: TrackingConfig, workspace: Workspace) -> None:
        self._config, self._workspace = config, workspace
        self._on = config.enabled and rank() == 0
        self._points: list[tuple[str, float, int]] = []
        self._sent = time.monotonic()
        self._started = 0
        self._run_id = self._model_id = ""
        self._background = ThreadPoolExecutor(1)
        self._told: Future[None] | None = None
        self._local = f"sqlite:///{workspace.home / 'mlflow.db'}"
        self._uri = os.environ.get("MLFLOW_TRACKING_URI") or config.uri or self._local
        if self._on:
            import mlflow  # noqa: F401     here: two threads that import much may get in each other's way

            self._do(self._connect)

    @property
    def run_id(self) -> str:
        """Of the run, once it is known; nothing where there is none."""
        self._wait()
        return self._run_id

    def start(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str], dataset: Mapping[str, Any] | None,
              run_id: str | None = None, opened: Callable[[str], None] = lambda run: None) -> None:
        """Open a run for a model about to be trained, or for many of them, or go on with one that was stopped.

        `opened` gets its id, some time later.
        """
        self._do(lambda: self._start(name, params, tags, dataset, run_id, opened))

    def attach(self, digest: str) -> None:
        """Go on with the newest run of the model whose weights have this SHA-256, or open one in a fresh store."""
        self._do(lambda: self._find(digest))

    def point(self, name: str, value: float, step: int) -> None:
        """One point of a curve; sent with others, its time stamp being the run's start plus `step`."""
        self._points.append((name, value, step))
        if time.monotonic() - self._sent > BATCH_SECONDS:
            self.flush()

    def metrics(self, values: Mapping[str, float]) -> None:
        """Figures of the model, which its own page shows, too."""
        self.flush()
        self._do(lambda: self._send([(name, float(value), 0) for name, value in values.items()], self._model_id))

    def flush(self) -> None:
        points, self._points, self._sent = self._points, [], time.monotonic()
        if points:
            self._do(lambda: self._send(points))

    def text(self, content: str, name: str) -> None:
        self._do(lambda: self._client.log_text(self._run_id, content, name))

    def files(self, *paths: Path, folder: str | None = None) -> None:
        for path in paths:
            self._do(lambda path=path: self._files(path, folder))   # type: ignore[misc]

    def model(self, folder: Path, tags: Mapping[str, str]) -> None:
        """A model folder as a model that MLflow registers, loads and serves: one a run, however often it is logged."""
        self._do(lambda: self._model(folder, tags))

    def tags(self, values: Mapping[str, str], run_id: str = "") -> None:
        """Of this run, or of another one of the store."""
        for name, value in values.items():
            self._do(lambda name=name, value=value: self._client.set_tag(run_id or self._run_id, name, value))  # type: ignore[misc]

    def describe(self, text: str) -> None:
        """Markdown that the pages of the run and of its model show."""
        note = "mlflow.note.content"
        self.tags({note: text})
        self._do(lambda: self._model_id and self._client.set_logged_model_tags(self._model_id, {note: text}))

    def finish(self, status: str = "FINISHED") -> None:
        self.flush()
        self._do(lambda: self._client.set_terminated(self._run_id, status))
        self._wait()

    def where(self) -> str:
        """What to tell the user about where the run can be seen."""
        return f"MLflow run {self._run_id[:8]} in {self._uri}" if self._on else "not logged to MLflow"

    def _do(self, act: Callable[[], object]) -> None:
        """Tell MLflow when it has heard all before; to stop when that fails is to wait for it."""
        if self._on and self._config.on_failure == "stop":
            self._try(act)
        elif self._on:
            self._told = self._background.submit(self._try, act)

    def _wait(self) -> None:
        if self._told is not None:
            self._told.result()

    def _try(self, act: Callable[[], object]) -> None:
        """Call MLflow; when it fails, go on without it or stop with the reason, as the configuration says."""
        if not self._on:
            return
        try:
            act()
        except Exception as error:      # a tracking server can fail in any way
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            if self._config.on_failure == "stop":
                raise UserError(
                    f"runtime.tracking: {self._uri} does not answer ({reason}). Start it, or set "
                    "runtime.tracking.on_failure=continue."
                ) from None
            print(f"unroll: tracking is off from here on: {self._uri} does not answer ({reason}).", file=sys.stderr)
            self._on = False

    def _connect(self) -> None:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        for name in ("mlflow", "alembic"):      # after the import, which sets levels of its own
            logging.getLogger(name).setLevel(logging.ERROR)
        # two that make a data base at the same time get in each other's way
        one_by_one = FileLock(self._workspace.home / "mlflow.db.lock") if self._uri == self._local else nullcontext()
        with one_by_one:
            self._client = MlflowClient(self._uri)
            found = self._client.get_experiment_by_name(self._config.experiment)
        if found is None:
            # beside the database; a server knows its own place
            place = (self._workspace.home / "mlartifacts").as_uri() if self._uri == self._local else None
            try:
                self._experiment = self._client.create_experiment(self._config.experiment, place)
                return
            except MlflowException:     # another process was faster
                found = self._client.get_experiment_by_name(self._config.experiment)
        self._experiment = found.experiment_id

    def _start(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str], dataset: Mapping[str, Any] | None,
               run_id: str | None, opened: Callable[[str], None]) -> None:
        if run_id is None or not self._reopen(run_id):
            self._create(name, tags)
            self._describe(params, dataset)
        opened(self._run_id)

    def _create(self, name: str, tags: Mapping[str, str]) -> None:
        everything = {**provenance(self._workspace), **tags}
        job = JobFolder(self._workspace.root).describe()
        if job:
            name = job["name"]
            everything["unroll.group"] = job["group"]
            if job["parent"]:       # none where the sweep itself was not tracked
                everything["mlflow.parentRunId"] = job["parent"]
        elif "dvc.experiment" in everything:
            name = f"{everything['dvc.experiment']}: {name}"
        run = self._client.create_run(self._experiment, run_name=name, tags=everything)
        self._run_id, self._started = run.info.run_id, run.info.start_time

    def _reopen(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_run(run_id).info
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False        # of another store
        if found.lifecycle_stage != "active":
            return False
        self._client.update_run(run_id, "RUNNING")
        self._run_id, self._started = run_id, found.start_time
        return True

    def _describe(self, params: Mapping[str, Any], dataset: Mapping[str, Any] | None) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param

        flat = [Param(name, str(value)) for name, value in flatten(params).items()]
        for first in range(0, len(flat), 100):      # a request holds no more
            self._client.log_batch(self._run_id, params=flat[first : first + 100])
        if dataset is None:
            return
        described = Dataset(str(dataset["name"]), dataset["digest"][:36], "local", str(dataset["name"]), profile=None)
        self._client.log_inputs(self._run_id, [DatasetInput(described, [InputTag("mlflow.data.context", "training")])])

    def _find(self, digest: str) -> None:
        wanted = f"tags.`model.sha256` = '{digest}' and tags.`unroll.root` = '{self._workspace.root.resolve()}'"
        runs = self._client.search_runs([self._experiment], wanted, order_by=["attributes.start_time DESC"],
                                        max_results=1)
        if runs:
            self._run_id, self._started = runs[0].info.run_id, runs[0].info.start_time
            self._model_id = next((each.model_id for each in runs[0].outputs.model_outputs), "")
        else:
            self._create(f"model {digest[:8]}", {"model.sha256": digest})

    def _send(self, points: list[tuple[str, float, int]], model: str = "") -> None:
        from mlflow.entities import Metric

        entities = [Metric(name, value, self._started + step, step, model_id=model or None)
                    for name, value, step in points]
        for first in range(0, len(entities), 1000):
            self._client.log_batch(self._run_id, metrics=entities[first : first + 1000])

    def _files(self, path: Path, folder: str | None) -> None:
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        log(self._run_id, str(path), folder)

    def _model(self, folder: Path, tags: Mapping[str, str]) -> None:
        from mlflow.entities import LoggedModelOutput

        from unroll.tracking.models import write_model

        run = self._client.get_run(self._run_id)
        wanted = f"source_run_id = '{self._run_id}' AND name = '{MODEL}'"
        found = self._client.search_logged_models([run.info.experiment_id], wanted)
        logged = found[0] if found else self._client.create_logged_model(
            run.info.experiment_id, MODEL, self._run_id, params=run.data.params)
        self._model_id = logged.model_id
        if self._model_id not in [each.model_id for each in run.outputs.model_outputs]:
            self._client.log_outputs(self._run_id, [LoggedModelOutput(self._model_id, step=0)])
        with TemporaryDirectory() as place:
            write_model(Path(place), folder, self._run_id, self._model_id)
            self._client.log_model_artifacts(self._model_id, place)
        self._client.set_logged_model_tags(self._model_id, dict(tags))
        self._client.finalize_logged_model(self._model_id, "READY")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections as dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
