"""One run in MLflow's own terms; every method calls the store and raises whatever MLflow raises."""

import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock

from unroll.base.errors import UserError
from unroll.base.workspace import Workspace
from unroll.tracking.provenance import provenance

MODEL = "model"         # a run's name for its model: runs:/<run>/model
NOTE = "mlflow.note.content"    # the tag whose Markdown MLflow's pages show
PARAMS_PER_REQUEST = 100
METRICS_PER_REQUEST = 1000


class Run:
    """A run in the store at `uri`; `local` is the database beside the project, which is made when it is missing."""

    def __init__(self, uri: str, local: bool, experiment: str, workspace: Workspace, job: Mapping[str, Any]) -> None:
        self._uri, self._local, self._name, self._workspace, self._job = uri, local, experiment, workspace, job
        self.id = self._model_id = ""
        self._started = 0

    def connect(self) -> None:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        for name in ("mlflow", "alembic"):      # after the import, which sets levels of its own
            logging.getLogger(name).setLevel(logging.ERROR)
        # two processes that create the database at the same time fail
        one_by_one = FileLock(self._workspace.home / "mlflow.db.lock") if self._local else nullcontext()
        with one_by_one:
            self._client = MlflowClient(self._uri)
            found = self._client.get_experiment_by_name(self._name)
        if found is None:
            # beside the database; a server decides for itself
            place = (self._workspace.home / "mlartifacts").as_uri() if self._local else None
            try:
                self._experiment = self._client.create_experiment(self._name, place)
                return
            except MlflowException:     # another process was faster
                found = self._client.get_experiment_by_name(self._name)
        self._experiment = found.experiment_id

    def start(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str], dataset: Mapping[str, Any] | None,
              run_id: str | None, opened: Callable[[str], None]) -> None:
        if run_id is None or not self._reopen(run_id):
            self._create(name, tags)
            self._log_inputs(params, dataset)
        opened(self.id)

    def attach(self, digest: str) -> None:
        wanted = f"tags.`unroll.root` = '{self._workspace.root.resolve()}'"
        if digest:
            wanted += f" and tags.`model.sha256` = '{digest}'"
        runs = self._client.search_runs([self._experiment], wanted, order_by=["attributes.start_time DESC"],
                                        max_results=1)
        if runs:
            self.id, self._started = runs[0].info.run_id, runs[0].info.start_time
            self._model_id = next((output.model_id for output in runs[0].outputs.model_outputs), "")
        else:
            self._create(f"model {digest[:8]}", {"model.sha256": digest} if digest else {})

    def send(self, points: list[tuple[str, float, int]], of_model: bool = False) -> None:
        """Log points of curves, each (name, value, step)."""
        from mlflow.entities import Metric

        model = (self._model_id or None) if of_model else None
        entities = [Metric(name, value, self._started + step, step, model_id=model) for name, value, step in points]
        for first in range(0, len(entities), METRICS_PER_REQUEST):
            self._client.log_batch(self.id, metrics=entities[first : first + METRICS_PER_REQUEST])

    def text(self, content: str, name: str) -> None:
        self._client.log_text(self.id, content, name)

    def files(self, path: Path, folder: str | None) -> None:
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        log(self.id, str(path), folder)

    def tag(self, name: str, value: str) -> None:
        self._client.set_tag(self.id, name, value)

    def describe(self, text: str) -> None:
        self.tag(NOTE, text)
        if self._model_id:
            self._client.set_logged_model_tags(self._model_id, {NOTE: text})

    def finish(self, status: str) -> None:
        self._client.set_terminated(self.id, status)

    def model(self, folder: Path, tags: Mapping[str, str]) -> None:
        from mlflow.entities import LoggedModelOutput

        from unroll.prediction.archive import foreign_code
        from unroll.tracking.models import write_model

        try:
            foreign_code(folder)
        except UserError as error:
            print(f"unroll: MLflow gets no model to serve: {error} [{error.code}]", file=sys.stderr)
            return
        run = self._client.get_run(self.id)
        wanted = f"source_run_id = '{self.id}' AND name = '{MODEL}'"
        found = self._client.search_logged_models([run.info.experiment_id], wanted)
        logged = found[0] if found else self._client.create_logged_model(
            run.info.experiment_id, MODEL, self.id, params=run.data.params)
        self._model_id = logged.model_id
        if self._model_id not in [output.model_id for output in run.outputs.model_outputs]:
            self._client.log_outputs(self.id, [LoggedModelOutput(self._model_id, step=0)])
        with TemporaryDirectory() as place:
            write_model(Path(place), folder, self.id, self._model_id)
            self._client.log_model_artifacts(self._model_id, place)
        self._client.set_logged_model_tags(self._model_id, dict(tags))
        self._client.finalize_logged_model(self._model_id, "READY")

    def _create(self, name: str, tags: Mapping[str, str]) -> None:
        everything = {**provenance(self._workspace), **tags}
        if self._job:
            name = self._job["name"]
            everything["unroll.group"] = self._job["group"]
            if self._job["parent"]:       # empty where the sweep itself is not tracked
                everything["mlflow.parentRunId"] = self._job["parent"]
        elif "dvc.experiment" in everything:
            name = f"{everything['dvc.experiment']}: {name}"
        run = self._client.create_run(self._experiment, run_name=name, tags=everything)
        self.id, self._started = run.info.run_id, run.info.start_time

    def _reopen(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_run(run_id).info
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False        # in another store
        if found.lifecycle_stage != "active":
            return False
        self._client.update_run(run_id, "RUNNING")
        self.id, self._started = run_id, found.start_time
        return True

    def _log_inputs(self, params: Mapping[str, Any], dataset: Mapping[str, Any] | None) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param

        flat = [Param(name, str(value)) for name, value in flatten(params).items()]
        for first in range(0, len(flat), PARAMS_PER_REQUEST):
            self._client.log_batch(self.id, params=flat[first : first + PARAMS_PER_REQUEST])
        if dataset is None:
            return
        described = Dataset(str(dataset["name"]), dataset["digest"][:36], "local", str(dataset["name"]), profile=None)
        self._client.log_inputs(self.id, [DatasetInput(described, [InputTag("mlflow.data.context", "training")])])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections as dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
