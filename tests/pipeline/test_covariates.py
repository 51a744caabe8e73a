"""Sales with a price and promotions known ahead, visitors known afterwards, and a kind of each store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import unroll
from tests.conftest import refused, run, tiny
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.commands.predict import predict
from unroll.commands.sample import sample
from unroll.config.schema import Config
from unroll.data.batches import all_batches
from unroll.data.store import open_prepared
from unroll.data.windows import WindowLayout
from unroll.models.folder import load_model
from unroll.prediction.served import open_served, signature

HORIZON, CONTEXT, DAYS = 4, 8, 160
COLUMNS = {"sales": ["sales"], "price": ["price"], "promo": ["promo"], "visitors": ["visitors"], "kind": ["kind"]}
DATA = {
    "time_zone": None, "frequency": "D", "gaps": "ignore",
    "kind": "table", "path": "data/raw/sales.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": COLUMNS,
    "series": "store", "time": "day", "time_format": None, "tokenizer": None,
    "inputs": {"sales": "real", "price": "future_real", "promo": "future_categories", "visitors": "real",
               "kind": "static_categories"},
    "targets": {"sales": "forecast"}, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None,
    "forecast": {"horizon": HORIZON, "context": CONTEXT, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None},
    "validation": 0.2, "test": 0.2, "seed": 1, "licence": "none",
}
CATEGORY = {"size": 3, "dropout": 0.0}
MODEL = {
    "inputs": {"sales": {"kind": "real", "size": None, "dropout": 0.0}, "price": {"kind": "real", "size": None, "dropout": 0.0},
               "promo": {"kind": "category", **CATEGORY}, "visitors": {"kind": "real", "size": None, "dropout": 0.0},
               "kind": {"kind": "static_category", "joins": "steps", **CATEGORY}},
    "heads": {"sales": {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "none", "decoder": None,
                        "pooling": "last", "dropout": 0.0}},
}
PROMOTIONS = {"none": 0.0, "flyer": 5.0, "radio": 10.0}


def rows() -> pd.DataFrame:
    draw, made = np.random.default_rng(0), []
    for number in range(4):
        price, promo = draw.uniform(1, 3, DAYS).round(2), draw.choice([*PROMOTIONS], DAYS)
        effect = np.array([PROMOTIONS[name] for name in promo])
        sales = 50 + 10 * (number % 2) - 4 * price + effect + draw.standard_normal(DAYS) * 0.2
        made.append(pd.DataFrame({
            "store": f"s{number}", "day": pd.date_range("2020-01-01", periods=DAYS).strftime("%Y-%m-%d"),
            "sales": sales.round(3), "price": price, "promo": promo,
            "visitors": (2 * sales + draw.standard_normal(DAYS)).round(1), "kind": ["small", "large"][number % 2]}))
    return pd.concat(made)


def values(data: dict[str, Any] | None = None, **train: Any) -> Config:
    found: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.max_steps=null", "train.batch_size=32",
                                 "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    found["data"] = {**DATA, **(data or {})}
    found["model"] |= MODEL
    found["train"] |= {"epochs": 15, **train}
    return Config.model_validate(found)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("sales")
    (folder / "data" / "raw").mkdir(parents=True)
    rows().to_csv(folder / "data" / "raw" / "sales.csv", index=False)
    workspace = Workspace(folder, folder)
    run(workspace, values(), "prepare", "train", "evaluate", "generate")
    return workspace


@pytest.fixture
def split(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """The table up to an origin, and what is known of the steps after it, each changed as a test likes."""
    def made(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table) -> tuple[Path, Path]:
        table = rows()
        days = sorted(table["day"].unique())
        past, future = table[table["day"] < days[-HORIZON]], table[table["day"] >= days[-HORIZON]]
        past.to_csv(tmp_path / "past.csv", index=False)
        change(future.drop(columns=["sales", "visitors", "kind"])).to_csv(tmp_path / "future.csv", index=False)
        return tmp_path / "past.csv", tmp_path / "future.csv"
    return made


def values_of(config: Config, **changes: Any) -> Config:
    """Other settings of the head and of the series' encoder."""
    found = config.model_dump(mode="json")
    found["model"]["heads"]["sales"] |= changes.pop("head", {})
    found["model"]["inputs"]["sales"] = changes.pop("series", found["model"]["inputs"]["sales"])
    found["data"]["forecast"] |= changes
    return Config.model_validate(found)


def predicted(done: Workspace, past: Path, future: Path) -> pd.DataFrame:
    out = past.parent / "out.csv"
    predict(past, out, str(done.model), None, None, {}, future)
    return pd.read_csv(out)


def test_what_is_known_ahead_is_used(done):
    """Of what is not noise, the seasonal naive forecast misses all that changes from one day to the next."""
    found = json.loads((done.metrics / "test.json").read_text())
    assert found["test/mae"] < 1.0 < 3.0 < found["baseline/naive_mae"]


def test_the_future_is_read_from_a_table_as_from_the_test_split(done, split):
    """The last origin of the test split, whose steps ahead the data has."""
    own = pd.read_csv(done.samples / "predictions.csv")
    own = own[own["origin"] == DAYS - HORIZON].drop(columns="origin").reset_index(drop=True)
    table = predicted(done, *split())
    assert table["time"].tolist() == [*rows()["day"].iloc[-HORIZON:]] * 4
    pd.testing.assert_frame_equal(table.drop(columns="time"), own, atol=1e-3)


def test_another_promotion_is_another_forecast(done, split):
    flyer, radio = (predicted(done, *split(lambda table, name=name: table.assign(promo=name))) for name in ("flyer", "radio"))
    assert (radio["sales"] - flyer["sales"]).mean() == pytest.approx(5, abs=1)


def test_a_recurrent_decoder_reads_it_too(done, split, tmp_path):
    """With segments of half the window, each divided by its level, and compared with the last value."""
    workspace = Workspace(done.project, tmp_path / "root")
    config = values_of(values(epochs=12), head={"decoder": {"kind": "recurrent", "segment": 2}}, start="last", window="level",
                       series={"kind": "segments", "steps": 4, "size": 16, "channels": "shared", "dropout": 0.0})
    workspace.root.mkdir()
    run(workspace, config, "prepare", "train", "evaluate", "generate")
    found = json.loads((workspace.metrics / "test.json").read_text())
    assert found["test/mae"] < 1.5 < 3.0 < found["baseline/naive_mae"]
    own = pd.read_csv(workspace.samples / "predictions.csv")
    own = own[own["origin"] == DAYS - HORIZON].drop(columns="origin").reset_index(drop=True)
    table = predicted(workspace, *split()).drop(columns="time")
    pd.testing.assert_frame_equal(table, own, atol=1e-3)


def test_rows_of_a_future_table_are_found_by_their_times(done, split):
    plain = predicted(done, *split())
    extra = predicted(done, *split(lambda table: pd.concat([rows().drop(columns=["sales", "kind"]).iloc[:3], table])))
    pd.testing.assert_frame_equal(plain, extra)


def test_nothing_after_the_origin_is_read_of_what_is_not_known_ahead(done):
    prepared = open_prepared(done.prepared)
    layout = WindowLayout(prepared.sequences("test"), 8, None)
    for batch in all_batches(layout):
        assert {name: len(value) for name, value in batch.inputs.items()} == {
            "sales": CONTEXT, "visitors": CONTEXT, "price": CONTEXT + 2 * HORIZON, "promo": CONTEXT + 2 * HORIZON, "kind": 8}
    data = prepared.sequences("test")
    batch, field = layout.batch(0), data.inputs["price"]
    first = data.bounds[batch.items, 1]
    np.testing.assert_array_equal(batch.inputs["price"][CONTEXT : CONTEXT + HORIZON, :, 0],
                                  field.show(field.values[first + np.arange(HORIZON)[:, None]])[..., 0])
    np.testing.assert_array_equal(batch.inputs["price"][CONTEXT + HORIZON :, :, 0],
                                  np.tile(batch.inputs["price"][CONTEXT - 1, :, 0], (HORIZON, 1)))


def sequence(number: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    table = rows()
    own = table[table["store"] == f"s{number}"]
    past, future = own.iloc[:-HORIZON], own.iloc[-HORIZON:]
    return ({name: past[name].to_numpy() for name in ("sales", "price", "promo", "visitors")}
            | {"kind": [past["kind"].iloc[0]]}, {name: future[name].to_numpy() for name in ("price", "promo")})


def test_python_takes_the_future_beside_a_series_or_behind_it(done, split):
    model = unroll.load(done.model)
    past, future = sequence()
    beside = model.predict([past], future=[future])[0]
    behind = {name: np.concatenate([value, future[name]]) if name in future else value for name, value in past.items()}
    np.testing.assert_array_equal(beside, model.predict([behind])[0])
    assert predicted(done, *split())["sales"].iloc[:HORIZON].tolist() == pytest.approx(beside[:, 0, 1].tolist(), rel=1e-6)


@pytest.mark.parametrize(("change", "code", "where"), [
    (lambda future: {**future, "visitors": future["price"]}, "unknown-name", "future of sequence 1"),
    (lambda future: {"price": future["price"]}, "missing-value", "future of sequence 1"),
    (lambda future: {name: value[:3] for name, value in future.items()}, "too-short", "future of sequence 1, price"),
    (lambda future: [1, 2], "wrong-type", "future of sequence 1"),
])
def test_a_future_that_does_not_fit_is_refused(done, change, code, where):
    past, future = sequence()
    with refused(code, where):
        unroll.load(done.model).predict([past], future=[change(future)])


def test_a_series_without_its_future_is_refused(done):
    with refused("unequal-lengths", "sequence 1, price", f"{DAYS - HORIZON} steps", "the last 4"):
        unroll.load(done.model).predict([sequence()[0]])


def test_it_is_served_with_a_column_of_futures(done):
    past, future = sequence()
    record = {name: np.asarray(value).tolist() for name, value in past.items()}
    ahead = {name: value.tolist() for name, value in future.items()}
    served = open_served(done.model)
    table = served.predict(pd.DataFrame([{**record, "future": ahead}]))
    assert table["sales"].tolist() == pytest.approx(unroll.load(done.model).predict([past], future=[future])[0][:, 0, 1])
    columns = {column["name"]: column["required"] for column in json.loads(signature(done.model)["inputs"])}
    assert columns == {**dict.fromkeys(COLUMNS, True), "future": False}


@pytest.mark.parametrize(("change", "code", "where", "words"), [
    (lambda table: table[table["day"] < "2020-06-08"], "too-short", "sequence 's0'", ["3 of the 4", "2020-06-08"]),
    (lambda table: table[table["day"] != "2020-06-06"], "bad-time", "sequence 's0'", ["2020-06-06"]),
    (lambda table: table[table["store"] != "s2"], "missing-value", "future.csv", ["'s2'"]),
    (lambda table: table.drop(columns=["promo", "price"]), "missing-value", "future.csv", ["'price', 'promo'"]),
    (lambda table: table.assign(price=table["price"].where(table["store"] != "s1")), "missing-number", "column 'price'", ["row 6"]),
])
def test_a_future_table_that_does_not_fit_is_named(done, split, capsys, change, code, where, words):
    past, future = split(change)
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(past), "-o", str(past.parent / "out.csv"), "--model", str(done.model), "--future", str(future)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.endswith(f"[{code}]\n") and where in said and all(word in said for word in words)


def test_a_future_is_asked_for(done, split):
    past, _ = split()
    with refused("missing-value", "--future", "price, promo"):
        predict(past, past.parent / "out.csv", str(done.model), None, None)


def test_it_has_no_paths(done):
    assert not (done.samples / "paths.csv").exists() and load_model(done.model).generates is None
    with refused("unsupported", "--model", "price, promo, visitors"):
        sample({"model": str(done.model)})


@pytest.mark.parametrize("change", [
    {"inputs": {**DATA["inputs"], "kind": "context_real"}},
    {"targets": {"sales": "forecast", "price": "forecast"}},
    {"targets": {"sales": "next"}, "forecast": None},
])
def test_settings_that_do_not_fit_are_refused(change):
    with pytest.raises(ValidationError):
        values(change)


def test_what_is_forecast_is_not_known_ahead(done, tmp_path):
    config = values({"columns": {**COLUMNS, "price": ["price", "sales"]}})
    with refused("conflict", "data.columns.price"):
        run(Workspace(done.root, tmp_path), config, "prepare")


def test_a_class_of_each_step_beside_what_is_known_ahead_is_written(tmp_path: Path) -> None:
    """Windows that go on to the end of their series, for the class alone, have no steps ahead, and no row."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    table = rows()
    table["busy"] = np.where(table["sales"] > table["sales"].mean(), "yes", "no")
    table.to_csv(tmp_path / "data" / "raw" / "sales.csv", index=False)
    inputs = ("sales", "price")
    found: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.max_steps=3", "train.batch_size=32",
                                 "runtime.tracking.enabled=false").model_dump(mode="json")
    found["data"] = {**DATA, "inputs": {name: DATA["inputs"][name] for name in inputs}, "targets": {"sales": "forecast", "busy": "tag"},
                     "columns": {"sales": ["sales"], "price": ["price"], "busy": ["busy"]}}
    found["model"] |= {"inputs": {name: MODEL["inputs"][name] for name in inputs},
                       "heads": {**MODEL["heads"], "busy": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}}}
    found["train"] |= {"monitor": "busy/loss"}
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, Config.model_validate(found), "prepare", "train", "generate")
    made = pd.read_csv(workspace.samples / "predictions.csv")
    origins = open_prepared(workspace.prepared).sequences("test").with_forecasts()
    assert made.groupby(["sequence", "origin"]).ngroups == len(origins) < len(open_prepared(workspace.prepared).sequences("test"))
