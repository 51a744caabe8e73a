"""`--model models:/NAME@alias`: a version in a real MLflow store, made of what the train stage logs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unroll
import unroll.commands.predict as module
from tests.conftest import run, tiny
from tests.prediction.conftest import corpus, refused
from unroll.base.workspace import Workspace
from unroll.commands.cli import main


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose trained model is registered as `reader`, with the alias `best`; its model folder is gone."""
    folder = tmp_path_factory.mktemp("registered")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(corpus() * 2, encoding="utf-8")
    workspace = Workspace(folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        run(workspace, tiny("runtime.tracking.enabled=true", "runtime.tracking.sample_length=0"), "prepare", "train")

        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
        (logged,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
        (model,) = logged.outputs.model_outputs
        client.create_registered_model("reader")        # as the button of MLflow's page does
        client.create_model_version("reader", f"models:/{model.model_id}", logged.info.run_id, model_id=model.model_id)
        client.set_registered_model_alias("reader", "best", "1")
    workspace.model.rename(folder / "kept")
    (folder / "given.txt").write_text("abc de", encoding="utf-8")
    return folder


def predict(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    environment["PYTHONPATH"] = str(Path(unroll.__file__).parent.parent)
    return subprocess.run([sys.executable, "-m", "unroll", "predict", "given.txt", *arguments], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)


def test_a_registered_version_predicts_as_its_folder(registered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = predict(registered, "-o", "here.csv", "--model", "models:/reader@best")
    assert (done.returncode, done.stdout) == (0, "predict: 6 rows for 1 sequence → here.csv\n"), done.stderr
    monkeypatch.chdir(registered)
    main(["predict", "given.txt", "-o", "there.csv", "--model", "kept"])
    main(["predict", "given.txt", "-o", "version.csv", "--model", "models:/reader/1"])
    here, there, version = (Path(f"{name}.csv").read_text() for name in ("here", "there", "version"))
    assert here == there == version
    assert "MLFLOW_TRACKING_URI" not in os.environ, "what is tracked later in this process goes where it did"


def test_a_registered_version_goes_on_after_a_prompt(
    registered: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(registered)
    texts = []
    for model in ("models:/reader@best", "kept"):
        main(["sample", "ab", "--length", "20", "--model", model])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] and len(texts[0]) == len("ab") + 20 + len("\n")


def test_fetching_says_nothing(
    registered: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(registered)
    main(["predict", "given.txt", "-o", "here.csv", "--model", "models:/reader@best"])
    assert capfd.readouterr().err == ""


PLAIN = """
import sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
(run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
mlflow.register_model(f"runs:/{run.info.run_id}/model", "again")
model = mlflow.pyfunc.load_model("models:/again/1")
print(model.predict(["ab", ""], params={"length": 9, "temperature": 0.5, "top_k": 3, "seed": 7})["text"].tolist())
import unroll
print(unroll.__file__)
"""


def test_a_process_without_the_package_registers_loads_and_generates(registered: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", PLAIN, f"sqlite:///{registered / 'mlflow.db'}"], cwd=tmp_path,
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts, code = done.stdout.splitlines()
    assert texts == str(unroll.load(registered / "kept").generate(["ab", ""], length=9, temperature=0.5, top_k=3, seed=7))
    assert Path(code).is_relative_to(registered / "mlartifacts"), "the code that was logged with the model"


@pytest.mark.parametrize("version", ["other@best", "reader@worst", "reader/9", "reader@", "reader"])
def test_an_unknown_version_is_one_line(registered: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.chdir(registered)
    said = refused(lambda: module.predict(Path("given.txt"), Path("none.csv"), f"models:/{version}", None, None))
    assert said.startswith(f"--model: models:/{version} ")
    assert not Path("none.csv").exists()


def test_a_folder_without_a_store_gets_none(registered: Path, tmp_path: Path) -> None:
    shutil.copy(registered / "given.txt", tmp_path)
    done = predict(tmp_path, "-o", "out.csv", "--model", "models:/reader@best")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("[not-found]\n") and done.stderr.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["given.txt"]
