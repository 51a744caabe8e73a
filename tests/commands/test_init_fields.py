"""`unroll init` finds several inputs and targets in a table, says why, and asks where a column may be several things."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.commands.test_init import REVIEWS, brought, init, recordings, refused
from tests.conftest import run
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.commands.predict import predict
from unroll.compose import compose
from unroll.data.source import SPLITS, UNKNOWN

TARGETS = ("--target", "outcome", "--target", "days")


def patients(count: int = 40) -> pd.DataFrame:
    """Two sensors and what happens at each hour; three facts about each patient; every third has labels."""
    draw = np.random.default_rng(3)
    rows = []
    for number in range(count):
        known, age = number % 3 == 0, 20 + number // 2
        rows += [{"patient": 1000 + number, "hour": hour, "pulse": draw.normal(), "pressure": draw.normal(),
                  "activity": ("rest", "walk", "sleep")[draw.integers(3)], "age": age, "weight": 60.5 + number % 7,
                  "ward": "ABC"[number % 5 % 3], "outcome": ("home", "died")[number % 2] if known else None,
                  "days": age / 10 + number % 4 if known else None} for hour in range(3 + number % 4)]
    return pd.DataFrame(rows)


def changed(column: str, value: Any, patient: int = 1010, hour: int = 1) -> pd.DataFrame:
    """The patients with another value in one row."""
    table = patients().astype({column: object})
    table.loc[(table["patient"] == patient) & (table["hour"] == hour), column] = value
    return table


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_patients_have_steps_facts_and_two_targets_that_are_known_in_part(project, capsys, name):
    config, source = init(brought(project, name, patients()), *TARGETS)
    assert (config.data.series, config.data.time) == ("patient", "hour")
    assert config.data.inputs == {"x": "real", "activity": "categories", "static": "static_real",
                                  "ward": "static_categories"}
    assert config.data.targets == {"outcome": "class", "days": "value"}
    assert config.data.columns == {"x": ["pulse", "pressure"], "activity": ["activity"], "static": ["age", "weight"],
                                   "ward": ["ward"], "outcome": ["outcome"], "days": ["days"]}
    assert config.train.monitor == "outcome/loss"
    outcomes = [piece["outcome"] for split in SPLITS for piece in source.pieces(split)]
    assert len(outcomes) == 40 and sum(outcome != UNKNOWN for outcome in outcomes) == 14
    said = capsys.readouterr().out
    assert "14 of 40 sequences have a label" in said and "14 of 40 sequences have a value" in said


def stream() -> pd.DataFrame:
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"t": np.arange(1500) / 10, "load": draw.normal(size=1500), "gear": draw.choice(list("12R"), 1500),
                          "wear": draw.normal(size=1500), "fault": draw.choice(["yes", "no"], 1500)})
    table.loc[::2, "fault"] = None
    return table


@pytest.mark.parametrize("table, options, rows, columns", [
    (patients(), TARGETS, 40, {"outcome", "outcome_p_home", "days"}),
    (stream(), ("--target", "fault", "--kind", "wear=values"), 1500, {"step", "fault", "fault_p_yes", "wear"}),
], ids=["sequences", "a stream"])
def test_what_is_written_is_prepared_trained_and_predicted(project, table, options, rows, columns):
    path = brought(project, "a.csv", table)
    init(path, *options)
    config = compose(Path("conf"), ["experiment=mine", "train.epochs=2", "train.threads=1", "runtime.progress=false",
                                    "runtime.tracking.enabled=false"])[1]
    workspace = Workspace(project, project)
    run(workspace, config)
    predict(path, project / "out.csv", str(workspace.model), None, None)
    predicted = pd.read_csv(project / "out.csv")
    assert len(predicted) == rows and columns <= {*predicted.columns}


def test_columns_that_say_nothing_or_too_much_are_left_out_with_the_reason(project, capsys):
    table = patients()
    numbers = table["patient"] - 1000
    table = table.assign(hospital="X", zero=0, case_no=numbers * 7 + 3, note=[f"n{row}" for row in range(len(table))],
                         admitted=pd.Timestamp("2026-01-01") + pd.to_timedelta(numbers % 20, "D"),
                         outcome_id=table["outcome"].map({"home": 1, "died": 2}), stay=table["days"] * 24)
    config, _ = init(brought(project, "a.parquet", table), *TARGETS)
    assert config.data.columns["x"] == ["pulse", "pressure"] and config.data.columns["static"] == ["age", "weight"]
    assert config.data.time == "hour"
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left out")]
    assert [[name for name in ("hospital", "zero", "case_no", "note", "admitted", "outcome_id", "stay")
             if repr(name) in line] for line in lines] == [
        ["hospital", "zero"], ["case_no"], ["admitted"], ["outcome_id", "stay"], ["note"]]


@pytest.mark.parametrize("added, expected", [
    ({"on": lambda table: table["pulse"] > 0}, {"categories": ["activity", "on"]}),
    ({"smoker": lambda table: table["patient"] % 4 == 0}, {"static_categories": ["ward", "smoker"]}),
    ({"ward_code": lambda table: table["patient"] % 3}, {"static_categories": ["ward", "ward_code"]}),
    ({"floor": lambda table: table["patient"] % 3}, {"static": ["age", "weight", "floor"]}),
], ids=["booleans of steps", "booleans of sequences", "codes by name", "few numbers"])
def test_booleans_and_codes_are_categories_but_few_numbers_are_numbers(project, added, expected):
    config, _ = init(brought(project, "a.parquet", patients().assign(**added)), *TARGETS)
    assert expected.items() <= dict(config.data.columns).items()


def test_the_option_says_what_a_column_is(project):
    table = patients().assign(floor=lambda table: table["patient"] % 3)
    config, _ = init(brought(project, "a.csv", table), "--target", "outcome", "--kind", "floor=static_categories", "--kind",
                     "age=real", "--kind", "activity=tag", "--kind", "days=none", "--kind", "weight=none")
    assert config.data.targets == {"outcome": "class", "activity": "tag"} and config.train.monitor == "loss"
    assert config.data.columns == {"x": ["pulse", "pressure", "age"], "static_categories": ["ward", "floor"],
                                   "outcome": ["outcome"], "activity": ["activity"]}


def test_names_of_columns_may_be_those_of_fields_or_of_any_script(project):
    table = patients().rename(columns={"pulse": "static", "outcome": "x", "days": "结局", "ward": "Größe (cm)"})
    config, _ = init(brought(project, "a.csv", table), "--target", "x", "--target", "结局")
    assert config.data.targets == {"x_2": "class", "y": "value"}
    assert config.data.columns == {"x": ["static", "pressure"], "activity": ["activity"], "static": ["age", "weight"],
                                   "grosse_cm": ["Größe (cm)"], "x_2": ["x"], "y": ["结局"]}


def test_a_label_in_one_row_of_a_sequence_is_that_of_the_sequence(project):
    table = patients()
    table.loc[table["hour"] > 0, ["outcome", "days"]] = None
    config, source = init(brought(project, "a.csv", table), *TARGETS)
    assert config.data.targets == {"outcome": "class", "days": "value"}
    assert sum(piece["outcome"] != UNKNOWN for split in SPLITS for piece in source.pieces(split)) == 14


def test_one_long_table_has_categories_and_several_targets_of_each_step(project):
    config, source = init(brought(project, "a.csv", stream()), "--target", "fault", "--kind", "wear=values")
    assert source.layout == "stream" and config.data.targets == {"fault": "tag", "wear": "values"}
    assert config.data.inputs == {"x": "real", "gear": "categories"}
    assert (config.train.monitor, config.train.batch_size) == ("fault/loss", 5)


def test_words_are_read_beside_categories(project):
    rows = [(sentence, f"w{sentence}{at}", "NVD"[at % 3], "BIO"[(sentence + at) % 3]) for sentence in range(20)
            for at in range(5)]
    table = pd.DataFrame(rows, columns=["sentence", "word", "pos", "tag"])
    config, _ = init(brought(project, "a.csv", table), "--target", "tag")
    assert config.data.inputs == {"text": "tokens", "pos": "categories"}
    assert config.data.tokenizer.kind == "word" and config.model.heads["tag"].pooling is None


def test_events_without_numbers_are_categories(project):
    rows = [(f"u{user}", ("home", "cart", "pay")[(user + at) % 3], ("web", "app")[at % 2], "yn"[user % 2])
            for user in range(20) for at in range(4)]
    config, _ = init(brought(project, "a.csv", pd.DataFrame(rows, columns=["user", "page", "device", "bought"])),
                     "--target", "bought", "--series", "user")
    assert config.data.inputs == {"categories": "categories"} and config.data.columns["categories"] == ["page", "device"]


def test_a_text_of_each_row_is_read_with_what_stands_beside_it(project):
    draw = np.random.default_rng(2)
    table = REVIEWS.assign(genre=draw.choice(["drama", "comedy"], 40), year=draw.integers(1990, 2020, 40),
                           review_id=np.arange(40), stars=[each / 8 if each % 3 else None for each in range(40)])
    table.loc[table["stars"].isna(), "sentiment"] = None
    config, _ = init(brought(project, "a.csv", table), "--target", "sentiment", "--target", "stars")
    assert config.data.inputs == {"text": "tokens", "year": "static_real", "genre": "static_categories"}
    assert config.data.targets == {"sentiment": "class", "stars": "value"} and config.data.series is None


def test_another_text_of_each_sequence_is_read_where_the_option_asks_for_it(project, capsys):
    table = patients().assign(note=lambda table: "found on day " + table["patient"].astype(str))
    path = brought(project, "a.csv", table)
    config, source = init(path, *TARGETS, "--kind", "note=context_tokens")
    assert config.data.inputs["note"] == "context_tokens" and config.data.tokenizer.kind == "word"
    assert config.model.inputs["note"].kind == "context_text"
    assert next(iter(source.pieces("train")))["note"].startswith("found on day")
    main(["init", "two", "--from", str(path), *TARGETS])
    assert "'note': too many different texts for categories; context_tokens" in capsys.readouterr().out


def series(count: int, first: int = 0) -> list[str]:
    """Numbers with spaces between them, of unequal lengths."""
    return [" ".join(f"{number / 7:.3f}" for number in range(each, each + 4 + each % 3)) for each in range(first, first + count)]


def test_another_series_of_each_sequence_is_read_where_the_option_asks_for_it(project, capsys):
    past = series(40)
    path = brought(project, "a.csv", patients().assign(past=lambda table: [past[each - 1000] for each in table["patient"]]))
    config, source = init(path, *TARGETS, "--kind", "past=context_real")
    assert config.data.inputs["past"] == "context_real" and len(next(iter(source.pieces("train")))["past"]) >= 4
    main(["init", "two", "--from", str(path), *TARGETS])
    assert "past" not in compose(Path("conf"), ["experiment=two"])[1].data.inputs
    assert "; context_real would read" in capsys.readouterr().out


def test_a_series_beside_the_text_of_each_row(project):
    path = brought(project, "a.csv", REVIEWS.assign(past=series(40)))
    assert init(path, "--target", "sentiment")[0].data.inputs == {"text": "tokens"}
    main(["init", "two", "--from", str(path), "--target", "sentiment", "--kind", "past=context_real"])
    assert compose(Path("conf"), ["experiment=two"])[1].data.inputs == {"text": "tokens", "past": "context_real"}
    main(["init", "three", "--from", str(path), "--target", "sentiment", "--kind", "past=context_categories"])
    assert compose(Path("conf"), ["experiment=three"])[1].data.inputs == {"text": "tokens", "past": "context_categories"}


def test_texts_are_written_for_what_the_options_name(project):
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"name": ["".join(draw.choice(list("abcd"), 6)) for _ in range(60)],
                          "language": draw.choice(["alpha", "beta"], 60), "size": draw.integers(3, 9, 60), "other": 1.5})
    path = brought(project, "a.csv", table)
    config, source = init(path, "--task", "language", "--kind", "name=tokens", "--kind", "language=static_categories",
                          "--kind", "size=static_real")
    assert config.data.inputs == {"text": "tokens", "language": "static_categories", "size": "static_real"}
    assert config.data.targets == {"text": "next"} and config.data.columns["language"] == ["language"]
    assert next(iter(source.pieces("train"))).keys() == {"text", "language", "size"}
    main(["init", "two", "--from", str(path), "--task", "language", "--input", "name"])
    assert compose(Path("conf"), ["experiment=two"])[1].data.inputs == {"text": "tokens"}


def test_what_is_a_text_of_each_row_or_of_steps_is_said_by_an_option(project):
    table = patients().assign(note=[f"a long note, no. {row}" for row in range(180)], days=lambda table: table["pulse"] + 1)
    path = brought(project, "a.csv", table)
    config, _ = init(path, "--target", "days", "--kind", "note=tokens")
    assert config.data.series is None and config.data.inputs["text"] == "tokens" and config.data.targets == {"days": "value"}
    main(["init", "two", "--from", str(path), "--series", "patient", "--target", "days", "--task", "regress"])
    two = compose(Path("conf"), ["experiment=two"])[1].data
    assert two.series == "patient" and two.targets == {"days": "values"} and "text" not in two.inputs


def test_a_text_beside_the_text_of_each_row(project):
    table = REVIEWS.assign(title=[f"A title that is long, no. {each % 35}" for each in range(40)])
    config, _ = init(brought(project, "a.csv", table), "--target", "sentiment", "--kind", "title=context_tokens")
    assert config.data.inputs == {"text": "tokens", "title": "context_tokens"}
    assert config.data.columns == {"text": ["text"], "title": ["title"], "sentiment": ["sentiment"]}


def test_a_constant_is_not_forecast(project):
    days = pd.date_range("2026-01-01", periods=90).strftime("%Y-%m-%d")
    table = pd.DataFrame({"date": days, "sold": np.random.default_rng(1).normal(size=90), "zero": 0})
    assert init(brought(project, "a.csv", table))[0].data.columns == {"x": ["sold"]}


def test_rows_whose_order_no_column_shows_are_said_to_stay_in_theirs(project, capsys):
    table = patients().assign(hour=lambda table: table["hour"] // 2, Stunde=patients()["hour"])
    config, _ = init(brought(project, "a.csv", table), *TARGETS)
    said = capsys.readouterr().out
    assert config.data.time is None and config.data.columns["x"] == ["hour", "pulse", "pressure"]
    assert "no time    'hour' does not rise" in said and "'Stunde': counts the steps of each sequence" in said
    main(["init", "two", "--from", str(brought(project, "b.csv", table[["pulse", "activity"]]))])
    assert "all rows are the steps of one, in their order" in capsys.readouterr().out


def test_two_names_of_the_same_sequences_are_one(project, capsys):
    table = patients().assign(case=lambda table: "c" + table["patient"].astype(str))
    config, _ = init(brought(project, "a.csv", table), *TARGETS)
    assert config.data.series == "patient" and "'case': another name of each sequence" in capsys.readouterr().out


def test_columns_that_are_forecast_may_be_said_to_be_real(project):
    path = brought(project, "a.csv", patients().drop(columns=["activity", "ward", "outcome"]).iloc[:90])
    options = ("--task", "forecast", "--series", "none", "--time", "none", "--target", "pulse")
    assert init(path, *options, "--kind", "pulse=real")[0].data.columns == {"x": ["pulse"]}


SIGNALS = pd.DataFrame({"signal": series(40), "age": np.arange(40) % 9, "label": ["up", "down"] * 20})
NA = patients().fillna({"outcome": "NA"})
UNSORTED = patients().assign(hour=lambda table: table.groupby("patient")["hour"].transform(lambda hours: -hours + 9))


@pytest.mark.parametrize("table, options, code, where", [
    (changed("age", 99), TARGETS, "ambiguous", "a.csv, row 46, column 'age'"),
    (changed("ward", "Z"), TARGETS, "ambiguous", "a.csv, row 46, column 'ward'"),
    (changed("outcome", "home", 1009), TARGETS, "ambiguous", "a.csv, row 42, column 'outcome'"),
    (changed("pulse", None), (*TARGETS, "--missing", "refuse"), "missing-number", "data/raw/mine/a.csv, row 46, column 'pulse'"),
    (changed("age", None), (*TARGETS, "--missing", "refuse"), "missing-number", "data/raw/mine/a.csv, row 46, column 'age'"),
    (NA, TARGETS, "ambiguous", "a.csv, row 5, column 'outcome'"),
    (patients().sample(frac=1, random_state=1), TARGETS, "out-of-order", "data/raw/mine/a.csv, row 147, column 'hour'"),
    (UNSORTED, TARGETS, "out-of-order", "data/raw/mine/a.csv, row 3, column 'hour'"),
    (patients().sample(frac=1, random_state=1).drop(columns="hour"), TARGETS, "ambiguous", "--series"),
    (patients().assign(days=lambda table: table["patient"] % 5), TARGETS, "ambiguous", "--kind days="),
    (patients().assign(outcome=None), TARGETS, "empty", "a.csv, row 2, column 'outcome'"),
    (patients(), (*TARGETS, "--kind", "aeg=none"), "unknown-name", "--kind"),
    (patients(), (*TARGETS, "--kind", "age=number"), "unknown-name", "--kind age=number"),
    (patients(), (*TARGETS, "--kind", "activity=value"), "conflict", "--kind activity=value"),
    (patients(), (*TARGETS, "--kind", "activity=class"), "conflict", "--kind activity=class"),
    (patients(), ("--task", "forecast", "--target", "pulse", "--kind", "age=value"), "no-effect", "--kind"),
    (patients().drop(columns=["pulse", "pressure", "activity"]), TARGETS, "missing-value", "--input"),
    (changed("ward", " A", 1000, 0), TARGETS, "ambiguous", "a.csv, row 2, column 'ward'"),
    (changed("outcome", "died ", 1039, 5), ("--target", "outcome"), "ambiguous", "a.csv, row 181, column 'outcome'"),
    (changed("activity", "rest ", 1000, 0), TARGETS, "ambiguous", "a.csv, row 2, column 'activity'"),
    (patients().assign(note=[f"a long note, no. {row}" for row in range(180)]), TARGETS, "ambiguous", "--series"),
    (SIGNALS[["signal", "label"]], (), "ambiguous", "--input"),
    (SIGNALS, ("--target", "label"), "ambiguous", "--input"),
    (SIGNALS, ("--target", "label", "--input", "signal"), "ambiguous", "--input"),
])
def test_what_may_be_several_things_is_asked_or_named(project, capsys, table, options, code, where):
    assert refused(capsys, project, brought(project, "a.csv", table), *options) == (code, where)


def test_a_rare_event_is_not_a_stray_cell(project):
    table = patients().assign(alarm=0)
    table.loc[(table["patient"] == 1010) & (table["hour"] == 1), "alarm"] = 1
    assert init(brought(project, "a.csv", table), *TARGETS)[0].data.columns["x"] == ["pulse", "pressure", "alarm"]


def test_settings_of_a_model_are_a_block_of_yaml(project):
    init(brought(project, "a.csv", recordings()), "--target", "kind")
    text = Path("conf/experiment/mine.yaml").read_text()
    assert yaml.safe_load(text)["model"]["inputs"]["x"] == {"kind": "real", "size": None, "dropout": 0.0}


def test_rows_that_stand_together_may_be_sequences_whatever_their_column_is_called(project, capsys):
    draw = np.random.default_rng(4)
    rows = pd.DataFrame([{"machine": f"M{number}", "minute": minute, "vibration": draw.standard_normal(),
                          "state": ["fine", "worn"][number % 2]} for number in range(40) for minute in range(9 + number % 5)])
    path = brought(project, "a.csv", rows)
    assert refused(capsys, project, path) == ("ambiguous", "--series")
    config, source = init(path, "--series", "machine")
    assert config.data.targets == {"label": "class"} and config.data.time == "minute"
    assert len(list(source.pieces("train"))) == 28
