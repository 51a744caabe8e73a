"""Models as MLflow keeps them: what is logged as one, and what is fetched of a registered one."""

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

from unroll.base.errors import UserError

LOADER = "unroll.tracking.served"


def write_model(place: Path, folder: Path, run_id: str, model_id: str) -> None:
    """What MLflow calls a model: `MLmodel`, the model folder, and the code and the packages that open it.

    The code is one archive, which Python imports from: a server takes a second for a hundred files.
    """
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import add_to_model

    from unroll.prediction import served

    shutil.copytree(folder, place / "model")
    served.write_code(place / "unroll.zip", folder)
    needed = "".join(f"{name}=={version(name).split('+')[0]}\n" for name in ("mlflow", *served.packages(folder)))
    (place / "requirements.txt").write_text(needed, encoding="utf-8")
    (place / "python_env.yaml").write_text(
        f"python: {platform.python_version()}\ndependencies:\n- -r requirements.txt\n", encoding="utf-8")
    asked = served.signature(folder)
    signature = None if asked is None else ModelSignature.from_dict(asked)
    described = Model(run_id=run_id, model_id=model_id, model_uuid=model_id, signature=signature)
    add_to_model(described, LOADER, data="model", code="unroll.zip", python_env="python_env.yaml")
    described.model_size_bytes = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    described.save(place / "MLmodel")


def fetch_model(uri: str, folder: Path) -> Path:
    """The files of a registered version, `models:/NAME@alias` or `models:/NAME/1`; raises `UserError` without one."""
    local = Path("mlflow.db").resolve()
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{local}"
    if store == f"sqlite:///{local}" and not local.is_file():
        raise UserError(f"--model: {uri} is not to be had: no {local}. Run in the folder of the project, or set "
                        "MLFLOW_TRACKING_URI.")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        found = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder), tracking_uri=store,
                                                         registry_uri=store))
    except (MlflowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"--model: {uri} is not to be had from {store} ({reason}). Check name and alias, or set "
                        "MLFLOW_TRACKING_URI.") from None
    return next((file.parent for file in sorted(found.rglob("model.json"))), found)
