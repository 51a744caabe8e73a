"""A model of every head as MLflow loads it: what it says is what the model folder says."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import mlflow
import pandas as pd
import pytest

import unroll
from tests.prediction.conftest import ZOO, Make, refused, some
from unroll.prediction import archive, served
from unroll.prediction.table import as_table
from unroll.tracking.models import write_model


@pytest.mark.parametrize("name", ZOO)
def test_mlflow_predicts_as_the_folder_does(zoo: Make, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = zoo(name)
    write_model(tmp_path, made.model, "", "m-1")
    model = mlflow.pyfunc.load_model(str(tmp_path))
    if made.predictor.kind == "next_token":
        asked = {"length": 7, "temperature": 0.9, "top_k": 4, "top_p": 0.9, "seed": 3}
        expected = made.predictor.generate(["ab", ""], **asked)
        assert model.predict(["ab", ""], params=asked)["text"].tolist() == expected
        assert model.predict(pd.DataFrame({"prompt": ["ab", ""]}), params=asked)["text"].tolist() == expected
        assert model.predict([""])["text"].tolist() == made.predictor.generate()
        return
    given = some(made, 3)
    expected = as_table(made.predictor, made.predictor.predict_all(given), ["1", "2", "3"])
    pd.testing.assert_frame_equal(model.predict(pd.DataFrame({"sequence": given})), expected)
    # as JSON has them
    plain = [each if isinstance(each, str) else each.tolist() for each in given]
    pd.testing.assert_frame_equal(model.predict(pd.DataFrame({"sequence": plain})), expected)


def test_whole_numbers_are_numbers(zoo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path, zoo("class").model, "", "m-1")
    model = mlflow.pyfunc.load_model(str(tmp_path))
    whole, decimal = (model.predict(pd.DataFrame({"sequence": [rows]})) for rows in ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]))
    pd.testing.assert_frame_equal(whole, decimal)


def test_what_is_wrong_is_said_as_elsewhere(zoo: Make) -> None:
    model = served.open_served(zoo("class").model)
    assert refused(lambda: model.predict(pd.DataFrame({"sequence": [[[1, 2, 3]]]}))).startswith("sequence 1: of shape (1, 3)")


def test_the_code_that_goes_with_a_model_is_all_of_it_and_always_the_same(zoo: Make, tmp_path: Path) -> None:
    archive.write_code(tmp_path / "one.zip", zoo("class").model)
    archive.write_code(tmp_path / "two.zip", zoo("class").model)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    package = Path(unroll.__file__).parent
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        names = set(packed.namelist())
    assert names == {file.relative_to(package.parent).as_posix() for file in package.rglob("*.py")}


@pytest.mark.parametrize("name", ["class", "stream"])
def test_every_package_that_opens_a_folder_is_named(tmp_path: Path, zoo: Make, name: str) -> None:
    write_model(tmp_path, zoo(name).model, "", "m-1")
    lines = (tmp_path / "requirements.txt").read_text().splitlines()
    assert [line.split("==")[0] for line in lines] == ["mlflow", *served.packages(zoo(name).model)]
    assert not any("+" in line for line in lines), "no package index has a build's own name"


ALONE = """
import sys
import mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
model.predict(["ab"], params={"length": 5, "pattern": "[a-e]*"})
print(*{name.split(".")[0] for name in sys.modules})
"""


def test_a_generator_needs_no_torch(zoo: Make, tmp_path: Path) -> None:
    write_model(tmp_path, zoo("stream").model, "", "m-1")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", ALONE, str(tmp_path)], env=environment, cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "onnxruntime" in done.stdout.split()
    assert not {"torch", "onnx", "safetensors"} & set(done.stdout.split())
