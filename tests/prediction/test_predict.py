"""`unroll predict`: whole or not at all, and one line with exit code 2 when it cannot be."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import unroll.commands.predict as module
from tests.conftest import tiny
from tests.outputs import of_sequences, of_stream
from tests.prediction.conftest import LEVELS, RUNTIME, ZOO, Made, Make, asked, read_table, refused, shops
from tests.specs import make_spec
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.config.generate import GenerateConfig
from unroll.data.batches import ItemLayout, StreamLayout
from unroll.data.encoders import Scaler
from unroll.data.frame import frame_of
from unroll.data.parts import decode
from unroll.data.windows import WindowLayout
from unroll.prediction.inputs import Inputs
from unroll.prediction.table_files import TableFile
from unroll.stages.generate import generate


@pytest.fixture(scope="module")
def settings() -> GenerateConfig:
    return tiny().generate


def data_of(zoo: Make, name: str) -> Path:
    made = zoo(name)
    return made.workspace.root / made.predictor.spec.source.name


def generated(made: Made, settings: GenerateConfig, folder: Path) -> Workspace:
    """A root in which the stage has written predictions for the test split."""
    workspace = Workspace(folder, folder)
    shutil.copytree(made.model, workspace.model)
    shutil.copytree(made.prepared.folder, workspace.prepared)
    workspace.params.write_text("")
    generate(workspace, RUNTIME, settings)
    return workspace


def unroll_predict(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, what is printed, and what is complained of."""
    code = 0
    try:
        main(["predict", *map(str, arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


# -- the same as what is measured -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ZOO)
def test_predictions_are_what_evaluate_measures(zoo: Make, name: str) -> None:
    """Against the network itself on batches of the test split, padding and all."""
    made = zoo(name)
    predictor, prepared = made.predictor, made.prepared
    test = prepared.sequences("test")
    field, target = predictor.input, predictor.target
    values = np.asarray(prepared.values(field, "test"))
    if test.bounds is None:
        found, _ = of_stream(predictor.model.network, StreamLayout(test, 1, 64), target, len(test))
        expected, given = [found], [values[: len(test)]]
    else:
        kind = ItemLayout if test.frame is None else WindowLayout
        expected, _ = of_sequences(predictor.model.network, kind(test, 4, seed=None), target)
        given = [values[first:last] for first, last in test.bounds]
    scale = prepared.spec.targets[target].scale
    for one, raw, sequence in zip(predictor.predict(given), expected, given, strict=True):
        if predictor.kind == "next_token":
            raw = np.take_along_axis(raw, sequence[:, None].astype(int), axis=-1)[:, 0]
        elif predictor.kind == "forecast":
            window = sequence[-test.frame.rows :, None].astype(np.float64)      # type: ignore[union-attr]
            raw = frame_of(prepared.spec).decode(window, raw[None])[0]
        elif scale is not None:
            raw = Scaler.restore(scale).decode(raw)
        np.testing.assert_allclose(one, raw, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in ZOO if ZOO[name][1]["kind"] != "next_token"])
def test_the_stage_writes_what_predict_says_of_the_test_split(
    zoo: Make, settings: GenerateConfig, tmp_path: Path, name: str
) -> None:
    made = zoo(name)
    workspace = generated(made, settings, tmp_path)
    paths = {"paths.csv", "paths.png"} if name.startswith("forecast") else set()
    assert {each.name for each in workspace.samples.iterdir()} == {"predictions.csv"} | paths
    written = read_table(workspace.samples / "predictions.csv")

    values, test = made.prepared.values(made.predictor.input, "test"), made.prepared.sequences("test")
    bounds = test.bounds if test.frame is not None else np.stack([
        made.prepared.offsets("test")[:-1], made.prepared.offsets("test")[1:]], axis=1)     # type: ignore[index]
    columns = list(made.predictor.spec.inputs[made.predictor.input].names)
    parts = []
    for number, (first, last) in enumerate(bounds, 1):
        if made.predictor.spec.inputs[made.predictor.input].kind == "tokens":
            text = decode(made.predictor.model.tokenizers["text"], values[first:last], None)
            rows = pd.DataFrame({columns[0]: list(text) if "letter" in columns else [text]})
        else:
            rows = pd.DataFrame(np.asarray(values[first:last], np.float64), columns=columns)
        parts.append(rows.assign(series=number, shop=number, month=range(len(rows))))
    pd.concat(parts).to_csv(tmp_path / "given.csv", index=False)
    asked_for = asked(made, tmp_path / "given.csv", tmp_path / "out.csv")
    called = ["sequence", "origin", "time"]
    pd.testing.assert_frame_equal(asked_for.drop(columns=called, errors="ignore"),
                                  written.drop(columns=called, errors="ignore"), rtol=2e-6)
    metrics = (workspace.metrics / "generate.json").read_text()
    assert f'"predictions/rows": {len(written)}' in metrics and f'"predictions/sequences": {len(bounds)}' in metrics


@pytest.mark.parametrize("name", ["class", "tag", "text_class", "forecast", "forecast_two"])
def test_the_stage_calls_a_sequence_as_its_table_does(
    zoo: Make, settings: GenerateConfig, tmp_path: Path, name: str
) -> None:
    """What it says of a name is what the model says of the rows of that name, up to the origin of a forecast."""
    made = zoo(name)
    workspace = generated(made, settings, tmp_path)
    written = read_table(workspace.samples / "predictions.csv")
    field = made.predictor.spec.inputs[made.predictor.input]
    given = pd.read_csv(data_of(zoo, name), keep_default_na=False)
    given["row"] = np.arange(1, len(given) + 1)
    series, columns = made.predictor.spec.reading.table.series or "row", list(field.names)
    by = ["sequence", "origin"] if "origin" in written else ["sequence"]
    assert len(written.groupby(by)) > 3
    for key, own in written.groupby(by):
        rows = given[given[series] == key[0]][columns]
        sequence = rows.iloc[0, 0] if field.kind == "tokens" and columns == ["text"] else rows.to_numpy()
        (said,) = made.predictor.predict([sequence[: key[1]] if len(by) > 1 else sequence])
        numbers = own.drop(columns=[*by, "step", "variable"], errors="ignore").select_dtypes("number").to_numpy()
        said = np.atleast_2d(said).reshape(len(numbers), -1)
        np.testing.assert_allclose(numbers[:, -said.shape[1] :], said, rtol=1e-4)
    if len(by) > 1:
        assert set(written["origin"]) == set(range(45, 57))     # of 60 steps the last quarter, a horizon of four


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_the_command_says_what_it_wrote(
    zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    out, made = tmp_path / "new" / "folder" / f"out{ending}", zoo("class")
    capsys.readouterr()         # of whoever asks for the model first
    code, said, error = unroll_predict(capsys, data_of(zoo, "class"), "-o", out, "--model", made.model)
    assert (code, error) == (0, "")
    assert said == f"predict: 24 rows for 24 sequences → {out}\n"
    assert read_table(out)["sequence"].tolist() == [f"s{number}" for number in range(24)]


def test_the_model_of_the_project_is_the_default(
    zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = data_of(zoo, "class")
    code, _, error = unroll_predict(capsys, given, "-o", "out.csv")
    assert code == 2 and error.startswith("unroll: artifacts/model/model.json: no such file")
    shutil.copytree(zoo("class").model, "artifacts/model")
    assert unroll_predict(capsys, given, "-o", "out.csv")[0] == 0


def test_a_forecast_says_when(zoo: Make, tmp_path: Path) -> None:
    table = asked(zoo("forecast_two"), data_of(zoo, "forecast_two"), tmp_path / "out.csv")
    assert list(table.columns) == ["sequence", "step", "time", "variable", "x", *(f"q{level}" for level in LEVELS)]
    assert table["sequence"].unique().tolist() == ["north", 'the "inner", one', "süd"]
    first = table[table["sequence"] == "süd"]
    assert first["time"].tolist() == [f"2020-0{month}-01" for month in (1, 2, 3, 4) for _ in range(2)]
    assert first["step"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]


def test_numbers_go_on_as_numbers(zoo: Make, tmp_path: Path) -> None:
    shops(np.arange(60)).to_csv(tmp_path / "given.csv", index=False)
    table = asked(zoo("forecast"), tmp_path / "given.csv", tmp_path / "out.csv")
    assert str(table["time"].iloc[0]) == "60"


def test_without_times_there_is_no_such_column(zoo: Make, tmp_path: Path) -> None:
    table = shops()
    table.loc[table["shop"] == "süd", "month"] = [f"{9995 + at // 12}-{at % 12 + 1:02}-01" for at in range(60)]
    table.to_csv(tmp_path / "given.csv", index=False)
    assert "time" not in asked(zoo("forecast"), tmp_path / "given.csv", tmp_path / "out.csv")


def test_the_bytes_do_not_depend_on_the_order_of_sequences(zoo: Make, tmp_path: Path) -> None:
    for name in ("tag", "class", "forecast"):
        made, given = zoo(name, "rnn"), pd.read_csv(data_of(zoo, name))
        column = "shop" if name == "forecast" else "series"
        parts = [rows for _, rows in given.groupby(column, sort=False)]
        pd.concat(parts[::-1]).to_csv(tmp_path / "given.csv", index=False)
        asked(made, data_of(zoo, name), tmp_path / "one.csv")
        asked(made, tmp_path / "given.csv", tmp_path / "other.csv")
        lines = [(tmp_path / file).read_text(encoding="utf-8").splitlines() for file in ("one.csv", "other.csv")]
        assert lines[0] != lines[1] and sorted(lines[0]) == sorted(lines[1])


# -- whole or not at all ----------------------------------------------------------------------------------------------


def test_what_is_written_replaces_neither_folders_nor_what_is_read(zoo: Make, tmp_path: Path) -> None:
    made = zoo("class")
    given = tmp_path / "given.csv"
    shutil.copy(data_of(zoo, "class"), given)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    (tmp_path / "link.csv").symlink_to(given)
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    before = given.read_bytes()
    for options, said in (
        ({"out": folder}, f"{folder}: is a folder"),
        ({"save_state": folder}, f"{folder}: is a folder"),
        ({"save_state": made.model}, f"{made.model}: is a folder"),
        ({"out": given}, f"{given}: would be written over {given}"),
        ({"out": tmp_path / "link.csv"}, "would be written over"),
        ({"out": tmp_path / "loop.csv"}, "loop.csv"),
        ({"save_state": given}, "would be written over"),
        ({"save_state": tmp_path / "out.csv"}, "would be written over"),
        ({"out": given / "out.csv"}, f"{given} is not a folder"),
        ({"save_state": given / "deep" / "state"}, f"{given} is not a folder"),
        ({"model": made.model / "model.json"}, "is a file. Give the folder"),
        ({"out": tmp_path / "out.xlsx"}, ".csv, .jsonl, .parquet"),
    ):
        given_options = {"out": tmp_path / "out.csv", **options}
        assert said in refused(lambda given_options=given_options: asked(made, given, **given_options))     # type: ignore
    assert given.read_bytes() == before and (folder / "mine").read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir()} == {"given.csv", "folder.csv", "link.csv", "loop.csv"}


def test_state_and_save_state_may_be_the_same_file(zoo: Make, tmp_path: Path) -> None:
    made = zoo("class", "lstm")
    options = {"save_state": tmp_path / "state"}
    first = asked(made, data_of(zoo, "class"), tmp_path / "out.csv", **options)
    state = (tmp_path / "state").read_bytes()
    second = asked(made, data_of(zoo, "class"), tmp_path / "out.csv", state=tmp_path / "state", **options)
    assert not first.equals(second) and (tmp_path / "state").read_bytes() != state


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("name", ["class", "forecast"])
def test_predictions_in_parts_are_those_of_all_at_once(zoo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str,
                                                       ending: str) -> None:
    made, out = zoo(name), tmp_path / f"out{ending}"
    whole = asked(made, data_of(zoo, name), out)
    monkeypatch.setattr(module, "PART", 1)
    parts = asked(made, data_of(zoo, name), out)
    assert whole.equals(parts) and whole["sequence"].nunique() > 1


def test_both_files_are_written_or_none(zoo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = zoo("class")
    for name in ("out.csv", "state"):
        (tmp_path / name).write_text("mine")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    for owner, part in ((module, "write_memory"), (TableFile, "write")):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr(owner, part, full)
            asked(made, data_of(zoo, "class"), tmp_path / "out.csv", save_state=tmp_path / "state")
        assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"out.csv": "mine", "state": "mine"}


def test_a_failure_is_one_line_and_exit_code_2(zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = zoo("class").model
    (tmp_path / "given.csv").write_text("series,a,b\ns,1,x\n")
    for arguments in ((tmp_path / "given.csv",), (tmp_path / "none.csv",), (data_of(zoo, "class"), "--state", "none"),
                      (data_of(zoo, "class"), "--model", "none")):
        code, said, error = unroll_predict(capsys, "--model", model, "-o", tmp_path / "out.csv", *arguments)
        assert (code, said) == (2, "") and error.startswith("unroll: ") and error.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["given.csv"]


def test_unseen_categories_of_every_step_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """In arrays, too, where a sequence with one category per step is (T,)."""
    fields = {"k": {"kind": "categories", "size": 2, "width": 1, "categories": [["a"]]},
              "w": {"kind": "categories", "size": 2, "width": 1, "per": "sequence", "categories": [["a"]]}}
    spec = make_spec(fields, {"y": {"kind": "reals", "per": "sequence", "size": 1}}, layout="items")
    module._report_unseen(spec, Inputs(["1"], [{"k": np.array(["a", "b", "c"]), "w": np.array("a")}]))
    assert "k: 2 of 3" in capsys.readouterr().out
