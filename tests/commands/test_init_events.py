"""A long table of events and one with a row a series, to `unroll init`."""

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused

DRAW = np.random.default_rng(3)


def hospital(days: tuple[int, int] = (-300, 0)) -> tuple[pd.DataFrame, pd.DataFrame]:
    events = [(row, f"p{number}", int(DRAW.integers(days[0], days[1] + 1)), str(DRAW.choice(["hdl", "chol"])), round(DRAW.normal(), 3))
              for row, number in enumerate(np.repeat(np.arange(40), 4), 1)]
    patients = [(f"p{number}", int(DRAW.integers(20, 90)), "mf"[number % 2], ("yes", "no", "")[number % 3],
                 "" if number % 4 == 0 else round(DRAW.normal(), 3)) for number in range(42)]
    return (pd.DataFrame(events, columns=["rownames", "id", "days", "test", "value"]),
            pd.DataFrame(patients, columns=["id", "age", "sex", "died", "stay"]))


def bring(project, events: pd.DataFrame, patients: pd.DataFrame) -> tuple:
    return brought(project, "events.csv", events), brought(project, "patients.csv", patients)


def test_events_and_outcomes_are_two_tables(project, capsys):
    events, patients = bring(project, *hospital())
    config, source = init(events, "--outcomes", str(patients), "--target", "died", "--target", "stay")
    data = config.data
    assert (data.series, data.time, data.channel, data.value, data.until) == ("id", "days", "test", "value", None)
    assert data.inputs == {"x": "real", "gap": "gap", "facts": "static_real", "names": "static_categories"}
    assert data.targets == {"died": "class", "stay": "value"} and data.missing == "mask"
    assert data.columns == {"x": data.columns["x"], "facts": ["age"], "names": ["sex"], "died": ["died"], "stay": ["stay"]}
    assert {*data.columns["x"]} == {"hdl", "chol"} and config.train.monitor == "died/loss"
    assert data.outcomes == "data/raw/mine/patients.csv" and (project / data.outcomes).is_file()
    assert sum(len(list(source.pieces(split))) for split in ("train", "validation", "test")) == 42
    assert "2 of 42 series" in capsys.readouterr().out


def test_a_folder_of_two_tables_is_events_and_outcomes(project):
    events, _ = bring(project, *hospital())
    config, _ = init(events.parent, "--target", "died")
    assert (config.data.kind, config.data.path) == ("events", "data/raw/mine/events.csv")
    assert config.data.outcomes == "data/raw/mine/patients.csv" and (project / config.data.outcomes).is_file()


def test_outcomes_may_lie_in_a_folder_beside_the_events(project):
    events, patients = hospital()
    file = brought(project, "events.csv", events)
    (file.parent / "more").mkdir()
    patients.to_csv(file.parent / "more" / "patients.csv", index=False)
    config, _ = init(file, "--outcomes", str(file.parent / "more" / "patients.csv"), "--target", "died")
    assert (project / config.data.outcomes).is_file()


def test_a_table_without_the_target_is_no_table_of_events(project, capsys):
    events, _ = hospital()
    file = brought(project, "train.csv", events)
    brought(project, "test.csv", events.drop(columns="value"))
    assert "--outcomes" not in refused(capsys, project, file.parent)[1]


def test_it_is_asked_whether_events_end_at_day_zero(project, capsys):
    events, patients = bring(project, *hospital((-300, 300)))
    given = ("--outcomes", str(patients), "--target", "died")
    assert refused(capsys, project, events, *given) == ("ambiguous", "--until")
    config, _ = init(events, *given, "--until", "0")
    assert config.data.until == 0


def test_dates_and_events_without_a_value(project):
    events, patients = hospital()
    events["days"] = pd.Timestamp("2020-06-01") + pd.to_timedelta(events["days"], unit="D")
    paths = bring(project, events.drop(columns="value").rename(columns={"days": "when"}), patients)
    config, _ = init(paths[0], "--outcomes", str(paths[1]), "--target", "died", "--until", "2020-05-01")
    assert (config.data.time, config.data.value, config.data.until) == ("when", None, "2020-05-01")


@pytest.mark.parametrize(("change", "options", "error"), [
    (lambda events, patients: (events.rename(columns={"id": "patient"}), patients), [], ("missing-value", "--series")),
    (lambda events, patients: (events.rename(columns={"days": "wave"}), patients), [], ("missing-value", "--time")),
    (lambda events, patients: (events.assign(test=1), patients), [], ("missing-value", "--channel")),
    (lambda events, patients: (events.assign(result=0.5), patients), [], ("ambiguous", "--kind")),
    (lambda events, patients: (events, patients.iloc[:30]), [], ("unknown-name", None)),
    (lambda events, patients: (events, patients), ["--target", "death"], ("unknown-name", "--target")),
    (lambda events, patients: (events, patients), ["--horizon", "3"], ("no-effect", "--horizon")),
    (lambda events, patients: (events, patients), ["--channel", "analyte"], ("unknown-name", "--channel")),
])
def test_what_is_not_clear_is_asked(project, capsys, change, options, error):
    events, patients = bring(project, *change(*hospital()))
    target = [] if "--target" in options else ["--target", "died"]
    code, where = refused(capsys, project, events, "--outcomes", str(patients), *target, *options)
    assert code == error[0] and where == (error[1] or where)


def test_options_of_events_need_a_second_table(project, capsys):
    events, _ = bring(project, *hospital())
    assert refused(capsys, project, events, "--until", "0") == ("no-effect", "--until")
