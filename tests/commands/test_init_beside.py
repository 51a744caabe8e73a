"""`unroll init` reads beside a forecast what options name, and calls nothing known ahead of its own accord."""

import pytest

from tests.commands.test_init import brought, init, refused
from tests.pipeline.test_covariates import rows

SALES = ("--target", "sales")


def test_inputs_are_past_ones_and_those_of_the_future_are_named(project, capsys):
    config, source = init(brought(project, "a.csv", rows()), *SALES, "--input", "visitors", "--input", "kind", "--future",
                          "price", "--future", "promo")
    assert config.data.inputs == {"x": "real", "visitors": "real", "kind": "static_categories", "price": "future_real",
                                  "promo": "future_categories"}
    assert config.data.columns["promo"] == ["promo"] and config.data.targets == {"x": "forecast"}
    assert {name: encoder.kind for name, encoder in config.model.inputs.items()} == {
        "x": "real", "visitors": "real", "kind": "static_category", "price": "real", "promo": "category"}
    assert set(next(source.pieces("train"))) == set(config.data.inputs)
    assert "--future TABLE" in capsys.readouterr().out


def test_nothing_is_known_ahead_unless_it_is_said(project):
    config, _ = init(brought(project, "a.csv", rows()), *SALES)
    assert config.data.inputs == {"x": "real"}


def test_what_is_known_ahead_is_not_forecast(project):
    config, _ = init(brought(project, "a.csv", rows()), "--future", "price")
    assert config.data.columns == {"x": ["sales", "visitors"], "price": ["price"]}


def test_kinds_say_what_a_column_is(project):
    config, _ = init(brought(project, "a.csv", rows()), *SALES, "--future", "price", "--kind", "price=categories", "--kind",
                     "visitors=real", "--kind", "promo=future_categories")
    assert config.data.inputs == {"x": "real", "price": "future_categories", "visitors": "real", "promo": "future_categories"}


@pytest.mark.parametrize(("options", "code", "where"), [
    ((*SALES, "--future", "cost"), "unknown-name", "--future"),
    ((*SALES, "--future", "day"), "wrong-type", "--input day"),
    ((*SALES, "--future", "price", "--kind", "price=calendar"), "unknown-name", "--kind price=calendar"),
])
def test_what_cannot_stand_beside_a_forecast_is_refused(project, capsys, options, code, where):
    assert refused(capsys, project, brought(project, "a.csv", rows()), *options) == (code, where)
