"""`unroll init` looks, says, asks where it must not guess, and writes what `prepare` then reads."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

import unroll.commands.init
from tests.commands.test_cli import modules_after
from unroll.base.errors import UserError
from unroll.commands.cli import main
from unroll.commands.init.draft import Options
from unroll.commands.init.reading import find_reading
from unroll.commands.init.write import flow
from unroll.compose import compose
from unroll.data.source import SPLITS, Source
from unroll.sources import Access, open_source

DRAW = np.random.default_rng(1)


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def brought(project: Path, name: str, content: Any) -> Path:
    """A file of text, bytes, a table or arrays."""
    path = project.parent / "given" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    match content:
        case str():
            path.write_text(content, encoding="utf-8", newline="")
        case bytes():
            path.write_bytes(content)
        case pd.DataFrame() if path.suffix == ".parquet":
            content.to_parquet(path)
        case pd.DataFrame():
            content.to_csv(path, index=False)
        case _:
            np.savez(path, **content)
    return path


def init(path: Path, *options: str) -> tuple[Any, Source]:
    """What the written files compose to, and the source that it opens."""
    main(["init", "mine", "--from", str(path), *options])
    config = compose(Path("conf"), ["experiment=mine"])[1]
    return config, open_source(config.data, Access(Path()))[0]


def refused(
    capsys: pytest.CaptureFixture[str], project: Path, path: Path, *options: str, name: str = "mine"
) -> tuple[str, str]:
    """The code of the error and the place that its one line begins with; whatever it was, nothing is left behind."""
    before = everything(project)
    with pytest.raises(SystemExit) as stop:
        main(["init", name, "--from", str(path), *options])
    assert stop.value.code == 2 and everything(project) == before
    error = capsys.readouterr().err
    cause = stop.value.__context__
    assert isinstance(cause, UserError) and error == f"unroll: {cause} [{cause.code}]\n"
    return cause.code, cause.where.replace(f"{project.parent}/given/", "")


def recordings(count: int = 20) -> pd.DataFrame:
    """Sequences of unequal lengths, each of a kind, with a phase that changes and a speed."""
    rows = [(f"s{name}", step, np.sin(step / 3), step % 7 + 0.5, "ab"[name % 2], "up" if step % 10 < 5 else "down",
             name / 4) for name in range(count) for step in range(12 + name)]
    return pd.DataFrame(rows, columns=["trial", "t", "ax", "ay", "kind", "phase", "speed"])


MONTHS = pd.DataFrame({"Month": pd.date_range("1949-01", periods=144, freq="MS").strftime("%Y-%m"),
                       "Passengers": [round((100 + 3 * month) * (1 + 0.3 * np.sin(month * np.pi / 6)))
                                      for month in range(144)]})
REVIEWS = pd.DataFrame({"text": [f"I {'love' if each % 2 else 'hate'} film number {each}" for each in range(40)],
                        "sentiment": ["neg", "pos"] * 20})


def test_a_monthly_series_is_forecast_a_year_ahead_on_the_logarithm(project, capsys):
    config, source = init(brought(project, "air.csv", MONTHS))
    assert config.data.targets == {"x": "forecast"} and config.model.heads["x"].kind == "forecast"
    assert config.data.columns == {"x": ["Passengers"]} and config.data.time == "Month"
    assert vars(config.data.forecast) == {"horizon": 12, "context": 24, "season": 12, "log": True, "start": "better", "window": "none", "stride": 1,
                                          "eval_stride": 1, "eval_windows": 10_000}
    assert config.data.path == "data/raw/mine/air.csv" and config.data.series is None
    assert source.layout == "windows"
    assert capsys.readouterr().out == """\
encoding   utf-8 (plain ASCII)   [--encoding]
delimiter  comma   [--delimiter]
header     the first row: words above numbers   [--header yes or no]
table      144 rows, 2 columns
column     'Month': times 1949-01-01 00:00 to 1960-12-01 00:00, written as ISO 8601
column     'Passengers': whole numbers 89 to 656
time       'Month', monthly   [--time COLUMN or none]
task       forecast 'Passengers' from its own past   [--task; --target COLUMN, again for each]
horizon    12 steps ahead, reading the 24 before   [--horizon N]
season     12 steps, a year (autocorrelation 0.99)   [--season N; 1: none]
log        forecast on the logarithm: all values are positive, and swings grow with the level   [forecast.log in conf/data]
train      1 series, 53 forecasts of 12 steps
validation 1 series, 11 forecasts of 12 steps
test       1 series, 11 forecasts of 12 steps
copied     to data/raw/mine; commit it with git, or `dvc add` it
wrote      conf/data/mine.yaml, conf/experiment/mine.yaml: edit them to change anything

Now run    make repro EXPERIMENT=mine
or         unroll compose experiment=mine && dvc repro
"""


def test_horizon_and_season_are_the_users(project):
    config, _ = init(brought(project, "air.csv", MONTHS), "--horizon", "3", "--season", "1")
    assert (config.data.forecast.horizon, config.data.forecast.season) == (3, 1)


@pytest.mark.parametrize("shops", [1, 3])
def test_of_two_readings_of_a_date_the_one_with_even_steps_is_taken(project, capsys, shops):
    """The first of each month, as Americans write it, could be days of January; of several shops no column rises."""
    months = pd.date_range("2010-01-01", periods=144, freq="MS").strftime("%m/%d/%Y")
    sales = pd.concat([pd.DataFrame({"date": months, "shop": f"s{shop}", "sold": np.arange(144) % 12 + 0.5})
                       for shop in range(shops)])
    path = brought(project, "us.csv", sales if shops > 1 else sales.drop(columns="shop"))
    config, _ = init(path)
    assert config.data.time_format == "%m/%d/%Y" and config.data.forecast.season == 12
    assert "monthly" in capsys.readouterr().out
    main(["init", "other", "--from", str(path), "--time-format", "%d/%m/%Y"])
    other = compose(Path("conf"), ["experiment=other"])[1].data
    assert (other.time_format, other.gaps) == ("%d/%m/%Y", "ignore"), "twelve days each year"


@pytest.mark.parametrize("cells", [
    [f"1.{each}.3" for each in range(60)], [f"192.168.0.{each}" for each in range(60)],
    [f"{52 + each / 60:.4f}, 13.2" for each in range(60)], [f"+49 170 {each}" for each in range(60)],
    [f"{'C' if each % 20 == 1 else ''}5363{each}" for each in range(60)], [f"{each}{'ab'[each % 2] * (each % 9 == 0)}" for each in range(60)],
], ids=["versions", "addresses", "coordinates", "telephones", "invoices", "houses"])
def test_codes_of_digits_are_text(project, capsys, cells):
    config, _ = init(brought(project, "a.csv", DAYS.assign(weekday=cells)), "--target", "sales", "--task", "forecast")
    assert config.data.columns == {"x": ["sales"]}
    assert "nearly all" not in (said := capsys.readouterr().out) and "left out   'weekday'" in said


def test_a_recording_with_a_spoilt_column_is_refused(project, capsys):
    for number in range(20):
        cell = "oops" if number == 0 else "1.5"
        rows = "".join(f"{step},{step + DRAW.random():g}\n" for step in range(30))
        brought(project, f"rec/{'ab'[number % 2]}/{number:02}.csv", f"x,y\n{rows}3,{cell}\n")
    assert refused(capsys, project, project.parent / "given" / "rec") == ("bad-number", "rec/a/00.csv, row 32, column 'y'")


def test_a_column_that_is_not_read_may_be_spoilt(project, capsys):
    table = spoilt("ax", 8, "#REF!", recordings())
    config, _ = init(brought(project, "a.csv", table), "--target", "kind", "--input", "ay")
    assert config.data.columns == {"x": ["ay"], "label": ["kind"]}
    said = capsys.readouterr().out
    assert "'#REF!' is no number, as nearly all others are" in said and "left out   'ax', 'phase', 'speed'" in said


def test_a_table_in_a_text_file_is_one_by_an_option(project):
    path = brought(project, "air.txt", MONTHS.to_csv(index=False))
    assert init(path, "--time", "Month")[0].data.kind == "table"


def test_a_table_of_several_series_is_forecast_each(project, capsys):
    days = pd.date_range("2026-01-01", periods=90)
    frame = pd.DataFrame({"unique_id": np.repeat(["A", "B"], 90), "ds": [*days, *days], "y": DRAW.normal(size=180)})
    config, source = init(brought(project, "panel.parquet", frame))
    assert (config.data.series, config.data.time, config.data.forecast.season) == ("unique_id", "ds", 7)
    assert len(list(source.pieces("train"))) == 2
    assert "series     'unique_id': 2 sequences of 90 steps each   [--series" in capsys.readouterr().out


def test_recordings_with_a_class_each_are_classified(project, capsys):
    config, source = init(brought(project, "har.csv", recordings()), "--target", "kind")
    assert config.data.targets == {"kind": "class"} and config.model.heads["kind"].kind == "classification"
    assert config.data.columns == {"x": ["ax", "ay"], "phase": ["phase"], "speed": ["speed"], "kind": ["kind"]}
    assert (config.data.series, config.data.time) == ("trial", "t")
    assert sorted(len(piece["x"]) for split in SPLITS for piece in source.pieces(split)) == list(range(12, 32))
    said = capsys.readouterr().out
    assert "series     'trial': 20 sequences of 12 to 31 steps, median 22   [--series COLUMN or none]" in said
    assert "train      12 sequences, " in said and ": a 6, b 6\n" in said


def test_the_option_decides_between_tags_and_values_and_what_is_read(project):
    path = brought(project, "har.csv", recordings())
    cases = [(("--target", "phase"), {"tag": "tag"}), (("--target", "speed"), {"y": "value"}),
             (("--target", "ay", "--task", "regress"), {"y": "values"})]
    for options, targets in cases:
        config, _ = init(path, *options, "--input", "ax")
        assert config.data.targets == targets and config.data.columns["x"] == ["ax"]
        for folder in ("conf/data", "conf/experiment"):
            Path(folder, "mine.yaml").unlink()
        shutil.rmtree("data/raw/mine")


def test_one_long_table_is_tagged_in_lanes(project):
    frame = pd.DataFrame({"stamp": np.arange(2000) / 10, "a": DRAW.normal(size=2000),
                          "state": np.repeat(["on", "off"] * 10, 100)})
    config, source = init(brought(project, "long.tsv", frame.to_csv(index=False, sep="\t")))
    assert config.data.targets == {"tag": "tag"} and config.data.delimiter == "\t" and source.layout == "stream"
    assert config.train.batch_size == 7


def test_rows_of_text_are_classified_by_words(project):
    config, source = init(brought(project, "reviews.csv", REVIEWS))
    assert config.data.inputs == {"text": "tokens"} and config.data.targets == {"label": "class"}
    assert config.data.tokenizer.kind == "word" and config.model.inputs["text"].kind == "embedding"
    assert sum(len(list(source.pieces(split))) for split in SPLITS) == 40


def test_rows_of_text_with_numbers_have_a_value(project):
    frame = REVIEWS.assign(stars=np.arange(40) / 8).drop(columns="sentiment")
    config, source = init(brought(project, "reviews.csv", frame), "--target", "stars")
    assert config.data.targets == {"y": "value"} and config.model.heads["y"].kind == "regression"
    assert {float(piece["y"][0]) for split in SPLITS for piece in source.pieces(split)} == set(frame["stars"])


def test_rows_of_text_without_spaces_are_read_by_characters(project, chinese):
    lines = [line for line in chinese.split("\n") if line][:60]
    frame = pd.DataFrame({"text": [line * 3 for line in lines], "label": ["a", "b"] * (len(lines) // 2)})
    assert init(brought(project, "t.csv", frame))[0].data.tokenizer.kind == "char"


def test_rows_of_text_alone_are_a_language(project):
    config, _ = init(brought(project, "t.csv", REVIEWS[["text"]]), "--task", "language")
    assert config.data.targets == {"text": "next"} and config.data.tokenizer.kind == "char"


def test_words_of_sentences_are_tagged(project):
    rows = [(sentence, word, "V" if word == "sits" else "N") for sentence in range(12)
            for word in (f"cat{sentence}", "sits", "here")[: 2 + sentence % 2]]
    config, source = init(brought(project, "conll.csv", pd.DataFrame(rows, columns=["sentence", "word", "tag"])))
    assert config.data.tokenizer.kind == "word" and config.data.targets == {"tag": "tag"}
    piece = next(iter(source.pieces("train")))
    assert len(piece["text"].split()) == len(piece["tag"])


@pytest.mark.parametrize("content, unit", [
    ("\n".join(f"name {each}" for each in range(50)), "line"),
    ("In the beginning was a long line of many words that goes on and on.\n\n" * 30, "stream"),
    ("the same line\n" * 50, "stream"),
])
def test_text_is_one_stream_or_short_items(project, content, unit):
    config, source = init(brought(project, "a.txt", content))
    assert config.data.unit == unit and source.layout == {"line": "items", "stream": "stream"}[unit]
    assert config.generate.prompts == [""] and config.data.path == "data/raw/mine/a.txt"


def test_a_folder_of_texts_is_one_text(project):
    for name in "ba":
        brought(project, f"books/{name}.txt", f"{name} " * 5000)
    brought(project, "books/.hidden", "x")
    config, source = init(project.parent / "given" / "books")
    assert config.data.path == "data/raw/mine" and next(iter(source.pieces("train")))["text"].startswith("a a ")
    assert everything(project / "data" / "raw") == {"mine", "mine/a.txt", "mine/b.txt"}


def test_a_folder_for_each_class_of_texts_or_recordings(project, capsys):
    for number in range(10):
        for name in ("good", "bad"):
            brought(project, f"texts/{name}/{number}.txt", f"{name} film no. {number}")
            brought(project, f"rec/{name}/{number}.csv", "a;b\n" + f"{number},5;{len(name)}\n" * (number + 3))
    config, _ = init(project.parent / "given" / "texts")
    assert config.data.kind == "folder" and config.data.tokenizer.kind == "word"
    assert "classes    'bad' 10, 'good' 10" in capsys.readouterr().out
    main(["init", "two", "--from", str(project.parent / "given" / "rec")])
    config = compose(Path("conf"), ["experiment=two"])[1]
    assert (config.data.delimiter, config.data.decimal, config.data.inputs) == (";", ",", {"x": "real"})
    assert config.data.columns == ["a", "b"]
    main(["init", "three", "--from", str(project.parent / "given" / "rec"), "--input", "b"])
    assert compose(Path("conf"), ["experiment=three"])[1].data.columns == ["b"]


def test_a_recording_s_column_of_times_is_left_out(project, capsys):
    for number in range(20):
        rows = "".join(f"2026-01-01 00:00:{step:02},{step / 7:g}\n" for step in range(9))
        brought(project, f"rec/{'ab'[number % 2]}/{number}.csv", f"time,v\n{rows}")
    config, source = init(project.parent / "given" / "rec")
    assert config.data.columns == ["v"] and next(iter(source.pieces("train")))["x"].shape == (9, 1)
    assert "left out   'time'" in capsys.readouterr().out


X = DRAW.normal(size=(24, 9, 2))
Y = np.arange(24) % 3


@pytest.mark.parametrize("arrays, options, targets, conf", [
    ({"y_train": Y}, (), {"label": "class"}, "classification"),
    ({"y_train": Y.astype(str)}, (), {"label": "class"}, "classification"),
    ({"y_train": Y + 0.25}, (), {"y": "value"}, "regression"),
    ({"y_train": Y.astype(float)}, ("--task", "regress"), {"y": "value"}, "regression"),
    ({"y_train": Y.astype(float)}, ("--task", "classify"), {"label": "class"}, "classification"),
    ({"y_train": (X[..., 0] > 0).astype(int)}, (), {"tag": "tag"}, "classification"),
    ({"y_train": X[..., 0]}, (), {"y": "values"}, "regression"),
    ({}, (), {"x": "next"}, "regression"),
    ({"y_train": Y, "X_test": X[:6], "y_test": Y[:6]}, (), {"label": "class"}, "classification"),
])
def test_arrays_are_what_y_is(project, arrays, options, targets, conf):
    config, source = init(brought(project, "a.npz", {"X_train": X, **arrays}), *options)
    assert config.data.targets == targets
    assert next(iter(config.model.heads.values())).kind == conf
    assert (config.data.test is None) == ("X_test" in arrays)
    assert sum(len(list(source.pieces(split))) for split in SPLITS) == 24 + 6 * ("X_test" in arrays)


TS = "@problemName P\n@univariate true\n@equalLength true\n@classLabel true a b\n@data\n" + "".join(
    f"1,2,3,{each}:{'ab'[each % 2]}\n" for each in range(12))


def test_a_pair_of_ts_files_is_one_data_set(project):
    pytest.importorskip("aeon")
    brought(project, "P_TEST.ts", TS)
    config, source = init(brought(project, "P_TRAIN.ts", TS))
    assert (config.data.train, config.data.test) == ("data/raw/mine/P_TRAIN.ts", "data/raw/mine/P_TEST.ts")
    assert len(list(source.pieces("test"))) == 12
    main(["init", "two", "--from", str(project.parent / "given")])
    config = compose(Path("conf"), ["experiment=two"])[1]
    assert config.data.test == "data/raw/two/P_TEST.ts"


def test_a_single_ts_file_holds_a_share_out(project):
    pytest.importorskip("aeon")
    config, _ = init(brought(project, "P.ts", TS.replace("@classLabel true a b", "@targetLabel true").replace(
        ":a", ":1.5").replace(":b", ":2.5")))
    assert config.data.test == 0.2 and config.data.targets == {"y": "value"}


def test_what_lies_below_data_raw_stays_there(project, capsys):
    (project / "data" / "raw" / "air.csv").write_text(MONTHS.to_csv(index=False))
    config, _ = init(Path("data/raw/air.csv"))
    assert config.data.path == "data/raw/air.csv" and everything(project / "data") == {"raw", "raw/air.csv"}
    assert "copied" not in capsys.readouterr().out


def test_large_data_is_added_to_dvc(project, capsys, monkeypatch):
    monkeypatch.setattr(unroll.commands.init, "LARGE", 100)
    path = brought(project, "air.csv", MONTHS)
    main(["init", "one", "--from", str(path)])
    assert "too large for git, and there is no .dvc here" in capsys.readouterr().out
    (project / ".dvc").mkdir()
    calls: list[Any] = []

    def run(command: list[str], **_: Any) -> Any:
        calls.append(command[-4:])
        return type("Done", (), {"returncode": len(calls) - 1, "stderr": "no\nroom"})

    monkeypatch.setattr("unroll.commands.init.subprocess.run", run)
    main(["init", "two", "--from", str(path)])
    assert calls == [["dvc", "add", "--quiet", "data/raw/two"]]
    assert "copied     to data/raw/two, 0 MB, and added to DVC: commit data/raw/two.dvc" in capsys.readouterr().out
    assert refused(capsys, project, path, name="three") == ("process", "data/raw/three")


def test_nothing_of_that_name_is_overwritten(project, capsys):
    path = brought(project, "air.csv", MONTHS)
    main(["init", "mine", "--from", str(path)])
    capsys.readouterr()
    for file in (Path("conf/data/mine.yaml"), Path("conf/experiment/mine.yaml"), Path("data/raw/mine")):
        assert refused(capsys, project, path) == ("exists", str(file))
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    main(["init", "mine", "--from", str(path)])


def test_what_cannot_be_written_leaves_nothing(project, capsys, monkeypatch):
    def full(path: Path, text: str) -> None:
        if "experiment" in path.parts:
            raise OSError(28, "No space left on device")
        path.write_text(text)

    monkeypatch.setattr("unroll.commands.init.write_text", full)
    before, path = everything(project), brought(project, "air.csv", MONTHS)
    with pytest.raises(SystemExit):
        main(["init", "mine", "--from", str(path)])
    assert everything(project) == before
    assert capsys.readouterr().err.startswith("unroll: No space left on device. ")


TWO = pd.DataFrame({"text": REVIEWS["text"], "title": REVIEWS["text"], "kind": REVIEWS["sentiment"]})
PLAIN = pd.DataFrame({"a": DRAW.normal(size=40), "b": DRAW.normal(size=40)})
DAYS = pd.DataFrame({"date": pd.date_range("2026-01-01", periods=60).strftime("%Y-%m-%d"),
                     "weekday": (list("MTWRFSU") * 9)[:60], "sales": DRAW.normal(size=60)})


HALVES = pd.DataFrame({"half": [f"{2000 + each // 2}-H{each % 2 + 1}" for each in range(60)],
                       "output": DRAW.normal(size=60)})


GERMAN = pd.DataFrame({"Tag": [f"{each % 28 + 1:02}.{each // 28 + 1:02}.2020" for each in range(60)],
                       "Umsatz": DRAW.normal(size=60)})
GERMAN.loc[12, "Tag"] = "31.02.2020"


def spoilt(column: str, row: int, cell: str, table: pd.DataFrame = PLAIN) -> pd.DataFrame:
    changed = table.astype({column: object})
    changed.loc[row, column] = cell
    return changed


@pytest.mark.parametrize("content, options, code, where", [
    (PLAIN, (), "ambiguous", "--task"),
    (PLAIN, ("--target", "c"), "unknown-name", "--target"),
    (PLAIN, ("--time", "c"), "unknown-name", "--time"),
    (PLAIN, ("--series", "c"), "unknown-name", "--series"),
    (PLAIN, ("--input", "c", "--target", "a"), "unknown-name", "--input"),
    (DAYS, (), "ambiguous", "--task"),
    (DAYS, ("--task", "forecast", "--target", "weekday"), "wrong-type", "--target"),
    (DAYS, ("--task", "classify", "--target", "weekday"), "conflict", "--task classify"),
    (DAYS, ("--task", "forecast", "--horizon", "40"), "too-short", "--horizon"),
    (DAYS.rename(columns={"weekday": "other date"}).assign(**{"other date": DAYS["date"]}), (),
     "ambiguous", "--time"),
    (recordings().rename(columns={"kind": "colour"}), (), "ambiguous", "--target"),
    (recordings(), ("--target", "kind", "--task", "tag"), "conflict", "--task tag"),
    (recordings(), ("--target", "phase", "--task", "classify"), "conflict", "--task classify"),
    (recordings(), ("--target", "kind", "--task", "regress"), "conflict", "--task regress"),
    (recordings().assign(kind=recordings()["kind"].map({"a": 0, "b": 1})), ("--target", "kind"), "ambiguous", "--task"),
    (recordings().assign(session=recordings()["trial"] + (recordings()["t"] // 6).astype(str)), ("--target", "kind"),
     "ambiguous", "--series"),
    (TWO, (), "ambiguous", "--input"),
    (REVIEWS, ("--task", "tag"), "missing-value", "--input"),
    (REVIEWS.assign(id=np.arange(40), stars=np.arange(40) / 8), ("--task", "regress", "--target", "stars"), "ambiguous", "--input"),
    (REVIEWS, ("--target", "sentiment", "--task", "regress"), "conflict", "--task regress"),
    (REVIEWS.assign(stars=np.arange(40) % 5), ("--target", "stars"), "ambiguous", "--task"),
    (DAYS.assign(note=REVIEWS["text"].tolist() + ["nothing to be said"] * 20), (), "ambiguous", "--input"),
    (PLAIN, ("--task", "language"), "missing-value", "--task language"),
    (MONTHS.assign(Month=[None, *MONTHS["Month"][1:]]), (), "empty", "data/raw/mine/a.csv, row 2, column 'Month'"),
    (REVIEWS.assign(sentiment=REVIEWS["text"].str[-9:]), ("--task", "classify"), "missing-value", "--target"),
    ("", (), "empty", "a.csv"),
    ("a,b\n1,2\n3\n" * 9, (), "unequal-lengths", "a.csv, row 3"),
    ("t,x\n" + "".join(f"{step},{step}\n" for step in range(60)) + "60,\n", ("--missing", "refuse"), "missing-number", "data/raw/mine/a.csv, row 62, column 'x'"),
    ("t,x\n" + "".join(f"{step},{step}\n" for step in (*range(60), 3)), ("--task", "forecast"), "out-of-order", "data/raw/mine/a.csv, row 62, column 't'"),
    (b"a,b\n1,\x81\x8d\x8f\x90\n", ("--encoding", "utf-9"), "unknown-name", "--encoding"),
    (spoilt("a", 17, "#VALUE!"), (), "bad-number", "a.csv, row 19, column 'a'"),
    (spoilt("date", 30, "17/02/2026", DAYS), ("--time", "date"), "bad-time", "a.csv, row 32, column 'date'"),
    (HALVES, ("--time", "half"), "bad-time", "--time"),
    (DAYS, ("--time-format", "%d.%m.%Y"), "bad-time", "--time-format"),
    (DAYS, ("--time-format", "%J"), "bad-time", "--time-format"),
    (DAYS, ("--time", "sales", "--time-format", "%Y"), "bad-time", "--time-format"),
    (DAYS, ("--time", "none", "--time-format", "%Y"), "conflict", "--time-format"),
    (REVIEWS, ("--time-format", "%Y", "--task", "regress"), "bad-time", "--time-format"),
    (REVIEWS, ("--horizon", "3"), "no-effect", "--horizon"),
    (GERMAN, (), "bad-time", "a.csv, row 14, column 'Tag'"),
    (MONTHS.assign(other=1.5), ("--target", "Passengers", "--future", "Passengers"), "conflict", "--future Passengers"),
    (MONTHS.assign(other=1.5), ("--task", "regress", "--target", "Passengers", "--future", "other"), "no-effect", "--future"),
    (recordings(), ("--task", "classify", "--season", "3"), "no-effect", "--horizon, --season"),
    ("sep=;\na;b\n1;2\n", (), "unsupported", "a.csv, row 1"),
    ("t,x,x\n" + "1,2,3\n" * 9, (), "ambiguous", "a.csv"),
    (PLAIN, ("--delimiter", "||"), "wrong-type", "--delimiter"),
])
def test_what_must_not_be_guessed_is_asked(project, capsys, content, options, code, where):
    assert refused(capsys, project, brought(project, "a.csv", content), *options) == (code, where)


@pytest.mark.parametrize("name, content, options, code, where", [
    ("a.xls", b"PK", (), "unsupported", "a.xls"),
    ("a.xlsx", b"PK", (), "unreadable", "a.xlsx"),
    ("a.txt", " \n", (), "empty", "a.txt"),
    ("a.txt", "words", ("--task", "classify"), "conflict", "--task classify"),
    ("a.npz", {"X_train": X, "y_train": Y.astype(float)}, (), "ambiguous", "--task"),
    ("a.npz", {"X_train": X, "y_train": Y}, ("--task", "forecast"), "conflict", "--task forecast"),
    ("a.npz", {"X_test": X}, (), "missing-value", "a.npz"),
    ("a.npz", b"none", (), "unreadable", "a.npz"),
    ("a.ts", "@problemName P\n@data\n1,2\n", (), "missing-value", "a.ts"),
    ("a.npz", {"X_train": X, "y_train": Y}, ("--horizon", "3"), "no-effect", "--horizon"),
    ("a.npz", {"X_train": X, "y_train": Y, "X_test": X[..., :1], "y_test": Y}, (), "unequal-lengths", "data/raw/mine/a.npz: X_test"),
    ("a.npz", {"X_train": X, "y_train": Y, "X_test": X, "y_test": Y + 1}, (), "unknown-class",
     "data.label, sequence '3', in the test split"),
    ("a.ts", TS, ("--series", "a"), "no-effect", "--series"),
    ("a.ts", TS.replace("1,2,3,7:", "1,2,?,7:"), (), "missing-number", "data/raw/mine/a.ts, sequence 8, dimension 1, step 3"),
    ("a.parquet", PLAIN, ("--decimal", ","), "no-effect", "--decimal"),
    ("a\udcff.csv", "a,b\n", (), "wrong-type", "'a\\udcff.csv'"),
    ("a.ts", TS, ("--task", "regress"), "conflict", "--task regress"),
])
def test_a_file_that_is_nothing_known_is_one_line(project, capsys, name, content, options, code, where):
    assert refused(capsys, project, brought(project, name, content), *options) == (code, where)


def test_a_folder_that_is_nothing_known_is_one_line(project, capsys):
    top = project.parent / "given"
    assert refused(capsys, project, top / "gone") == ("missing-file", "gone")
    assert refused(capsys, project, top) == ("empty", str(top))
    brought(project, "mixed/a.txt", "x")
    brought(project, "mixed/b.csv", "x")
    assert refused(capsys, project, top / "mixed") == ("ambiguous", "mixed")
    brought(project, "mixed/good/a.txt", "x")
    assert refused(capsys, project, top / "mixed") == ("ambiguous", "mixed")
    (top / "mixed" / "a.txt").unlink()
    (top / "mixed" / "b.csv").unlink()
    assert refused(capsys, project, top / "mixed") == ("missing-file", "mixed")
    brought(project, "mixed/bad/a.txt", "y")
    assert refused(capsys, project, top / "mixed", "--task", "tag") == ("conflict", "--task tag")
    assert refused(capsys, project, top / "mixed") == ("too-short", "data")


@pytest.mark.parametrize("name", ["Mine", "1", "a b", "../a", "ä", "-a", "a/b", ""])
def test_a_name_that_is_no_file_name_is_refused(project, capsys, name):
    path = brought(project, "air.csv", MONTHS)
    with pytest.raises(SystemExit):
        main(["init", f"--from={path}", "--", name])
    error = capsys.readouterr().err
    assert error.startswith(f"unroll: {name!r}: ") and error.endswith(" [wrong-type]\n")


@pytest.mark.parametrize("name", ["null", "true", "nan"])
def test_a_name_that_hydra_reads_as_a_value_is_refused(project, capsys, name):
    assert refused(capsys, project, brought(project, "air.csv", MONTHS), name=name) == ("wrong-type", repr(name))


def test_a_name_may_have_dashes(project):
    main(["init", "my-task_2", "--from", str(brought(project, "air.csv", MONTHS))])
    assert compose(Path("conf"), ["experiment=my-task_2"])[1].data.path == "data/raw/my-task_2/air.csv"


def test_outside_a_project_nothing_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert refused(capsys, tmp_path, Path("a.csv")) == ("missing-file", "conf")


@pytest.mark.parametrize("raw, encoding", [
    ("Zeit;Wärme in °C\n1;2\n2;3\n3;4\n".encode("cp1252"), "cp1252"),
    ("Příliš žluťoučký kůň úpěl ďábelské ódy;x\n1;2\n".encode("cp1250"), "cp1250"),
    ("城市;温度和湿度的记录\n北京的天气;1\n".encode("gb18030"), "gb18030"),
    ("город;температура\nМосква;1\n".encode("cp1251"), "cp1251"),
    (b"\xef\xbb\xbfa;b\n1;2\n", "utf-8"),
    ("a;b\n1;2\n".encode("utf-16"), "utf-16"),
    ("ä;b\n1;2\n".encode(), "utf-8"),
])
def test_the_encoding_is_found_and_said(tmp_path, capsys, raw, encoding):
    file = tmp_path / "a.csv"
    file.write_bytes(raw)
    assert find_reading([file], Options()).encoding == encoding
    assert encoding in capsys.readouterr().out
    assert find_reading([file], Options(encoding="latin-1", delimiter=";")).encoding == "latin-1"


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "Nd", "Zs", "Po"], exclude_characters="\x1c"), min_size=1,
                max_size=9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.tuples(st.decimals(-999, 999, places=2), st.decimals(-9, 9, places=1)), min_size=8,
                        max_size=30),
       mark=st.sampled_from([",", ";", "\t", "|"]), comma=st.booleans(), header=st.booleans())
def test_delimiter_decimal_and_header_are_found(tmp_path, numbers, mark, comma, header):
    rows = [[str(each).replace(".", "," if comma else ".") for each in pair] for pair in numbers]
    cell = (lambda text: f'"{text}"') if mark == "," and comma else str
    lines = [["a", "b"]] * header + rows
    file = tmp_path / "a.csv"
    file.write_text("".join(mark.join(map(cell, line)) + "\n" for line in lines))
    form = find_reading([file], Options())
    assert (form.delimiter, form.decimal, form.header) == (mark, "," if comma else ".", header)


@pytest.mark.parametrize("content, header", [
    ("text,label\nx,a\ny,b\nz,a\n", True), ("x,a\ny,b\nz,a\n", False), ("a,b\n1,2\n", True), ("1,2\n3,4\n", False),
    ("a,a\n1,2\n", True), (",a\n0,1\n", True), ("text;label;\nx;a;\ny;b;\nz;a;\n", True),
])
def test_a_header_is_what_stands_nowhere_below(tmp_path, content, header):
    file = tmp_path / "a.csv"
    file.write_text(content)
    assert find_reading([file], Options()).header is header
    assert find_reading([file], Options(header=not header)).header is not header


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9, allow_subnormal=False) | WORDS
                    | st.sampled_from(["no", "on", "1e3", "null", "~", "2026-01-01", "nan", "a: b", "x #y", "1_0"]),
                    lambda each: st.lists(each, max_size=3)))
def test_settings_are_the_same_to_yaml_and_to_hydra(value):
    text = f"a: {flow(value)}\n"
    assert yaml.safe_load(text) == {"a": value}
    assert OmegaConf.to_container(OmegaConf.create(text)) == {"a": value}


def test_a_column_may_be_called_anything(project):
    names = ["${oc.env:HOME}", "on", "1e3", "a, b"]
    frame = pd.DataFrame(DRAW.normal(size=(80, 4)), columns=names)
    config, _ = init(brought(project, "a.parquet", frame), "--task", "forecast")
    assert config.data.columns == {"x": names}


def test_init_imports_nothing_heavy(project):
    path = brought(project, "reviews.csv", REVIEWS)
    loaded = modules_after(f"from unroll.commands.cli import main; main(['init', 'mine', '--from', {str(path)!r}])", project)
    assert "unroll.commands.init" in loaded and not loaded & {"torch", "lightning", "mlflow", "hydra"}
