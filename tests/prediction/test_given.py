"""Predictions where steps that are missing in a file are filled in: those of its rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.prediction.conftest import TABLE, core, make, save_random
from unroll.commands.predict import predict

HOURS = pd.date_range("2020-01-01", periods=120, freq="h").strftime("%Y-%m-%dT%H:%M")
VALUES = {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0}
MISSING = [30, 31, 70]


def table() -> pd.DataFrame:
    draw = np.random.default_rng(1)
    return pd.DataFrame({"time": HOURS, "x": draw.normal(size=120).cumsum(), "y": draw.normal(size=120)})


def model_of(folder: Path, targets: dict[str, str]) -> Path:
    data: dict[str, Any] = {
        **TABLE, "path": "data/raw/hours.csv", "series": None, "time": "time", "gaps": "fill", "missing": "forward",
        "inputs": {"x": "real"}, "columns": {"x": ["x"]} | {name: [name] for name in targets}, "targets": targets}
    (folder / "data" / "raw").mkdir(parents=True)
    table().drop(index=MISSING).to_csv(folder / "data/raw/hours.csv", index=False)
    prepared = make(folder, data)[1]
    save_random(prepared, folder / "model", VALUES, core("gru"), 1,
                {"x": {"kind": "real", "size": None, "dropout": 0.0}})
    return folder / "model"


@pytest.mark.parametrize(("targets", "first"), [({"y": "values"}, 1), ({"x": "next"}, 2)])
def test_rows_of_the_file_are_predicted_and_filled_ones_are_read(
    tmp_path: Path, targets: dict[str, str], first: int
) -> None:
    model, name = model_of(tmp_path / "project", targets), next(iter(targets))
    whole, given, out = table(), tmp_path / "given.csv", tmp_path / "out.csv"
    whole.drop(index=MISSING).to_csv(given, index=False)
    predict(given, out, str(model), None, tmp_path / "state")
    found = pd.read_csv(out)
    assert found["step"].tolist() == list(range(first, first + 117))
    whole.loc[MISSING, "x"] = np.nan
    whole.to_csv(given, index=False)
    predict(given, out, str(model), None, None)
    expected = pd.read_csv(out)
    rows = ~np.isin(expected["step"] - 1, MISSING)
    np.testing.assert_allclose(found[name], expected[name][rows])
    later = table()[:5].assign(time=pd.date_range("2020-01-06", periods=5, freq="h").strftime("%Y-%m-%dT%H:%M"))
    later.to_csv(given, index=False)
    predict(given, out, str(model), tmp_path / "state", None)
    assert pd.read_csv(out)["step"].tolist() == list(range(117 + first, 122 + first))
