"""Models in MLflow's own form: written to be logged, and fetched by the name that they are registered under."""

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

from unroll.base.errors import UserError

LOADER = "unroll.tracking.served"


def write_model(place: Path, folder: Path, run_id: str, model_id: str) -> None:
    """Write what MLflow calls a model: `MLmodel`, the model folder, and the code and requirements that open it.

    The code is one archive to import from, since uploading a hundred files takes a server a second.
    """
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import add_to_model

    from unroll.prediction import archive, served

    shutil.copytree(folder, place / "model")
    archive.write_code(place / "unroll.zip", folder)
    needed = "".join(f"{name}=={version(name).split('+')[0]}\n" for name in ("mlflow", *served.packages(folder)))
    (place / "requirements.txt").write_text(needed, encoding="utf-8")
    (place / "python_env.yaml").write_text(
        f"python: {platform.python_version()}\ndependencies:\n- -r requirements.txt\n", encoding="utf-8")
    columns = served.signature(folder)
    signature = None if columns is None else ModelSignature.from_dict(columns)
    described = Model(run_id=run_id, model_id=model_id, model_uuid=model_id, signature=signature)
    add_to_model(described, LOADER, data="model", code="unroll.zip", python_env="python_env.yaml")
    described.model_size_bytes = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    described.save(place / "MLmodel")


def fetch_model(uri: str, folder: Path) -> Path:
    """The files of a registered version, `models:/NAME@alias` or `models:/NAME/1`; raises `UserError` if not found."""
    local = Path("mlflow.db").resolve()
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{local}"
    if store == f"sqlite:///{local}" and not local.is_file():
        raise UserError("not-found", "--model", f"{uri}: there is no {local}. Run in the folder of the project, or set "
                        "MLFLOW_TRACKING_URI.")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        found = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder), tracking_uri=store,
                                                         registry_uri=store))
    except (MlflowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError("not-found", "--model", f"{uri} cannot be fetched from {store} ({reason}). Check name and "
                        "alias, or set MLFLOW_TRACKING_URI.") from None
    return next((file.parent for file in sorted(found.rglob("model.json"))), found)
