"""Columns of which `unroll init` predicts the next step."""

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused

NEXT = ("--kind", "pitch=next", "--kind", "duration=next", "--kind", "loud=next")


def melodies() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    rows = [{"melody": f"m{number}", "mode": ["major", "minor"][number % 2], "pitch": "cdef"[(number + step) % 4],
             "duration": ["long", "short"][step % 2], "loud": round(60 + draw.normal(), 2), "bar": step // 4 + number}
            for number in range(40) for step in range(6 + number % 5)]
    return pd.DataFrame(rows)


def test_several_columns_are_read_and_predicted_and_facts_are_read(project, capsys):
    config, source = init(brought(project, "a.csv", melodies()), "--series", "melody", *NEXT)
    data, heads = config.data, config.model.heads
    assert data.inputs == {"pitch": "categories", "duration": "categories", "loud": "real", "mode": "static_categories"}
    assert data.targets == {"pitch": "next", "duration": "next", "loud": "next"} and data.drawn
    assert {name: head.kind for name, head in heads.items()} == {
        "pitch": "classification", "duration": "classification", "loud": "regression"}
    assert config.train.monitor == "pitch/loss" and "'bar'" in capsys.readouterr().out
    assert {piece["mode"][0] for piece in source.pieces("train")} == {"major", "minor"}


def test_numbers_alone_share_a_unit(project):
    config, _ = init(brought(project, "a.csv", melodies()), "--series", "melody", "--kind", "loud=next", "--kind", "bar=next_real")
    assert config.data.targets == {"loud": "next", "bar": "next"} and config.train.monitor == "loss"


@pytest.mark.parametrize(("options", "where"), [
    ((*NEXT, "--kind", "mode=class"), ("conflict", "--kind mode=class")),
    (("--kind", "nothing=next"), ("unknown-name", "--kind")),
    (("--kind", "bar=next"), ("ambiguous", "--kind bar=")),
    (("--kind", "mode=next_real"), ("wrong-type", "--kind mode=next_real")),
])
def test_what_cannot_be_is_one_line(project, capsys, options, where):
    path = brought(project, "a.csv", melodies())
    assert refused(capsys, project, path, "--series", "melody", *options) == where


@pytest.mark.parametrize(("kind", "head"), [("categories", "classification"), ("real", "regression")])
def test_whole_numbers_are_categories_or_amounts_as_asked(project, kind, head):
    config, source = init(brought(project, "a.csv", melodies()), "--series", "melody", "--kind", f"bar=next_{kind}")
    assert config.data.inputs["bar"] == kind and config.data.targets == {"bar": "next"}
    assert config.model.heads["bar"].kind == head
    assert (next(iter(source.pieces("train")))["bar"].dtype.kind == "f") == (kind == "real")


def test_rows_that_stand_together_are_one_sequence_only_if_asked(project, capsys):
    path = brought(project, "a.csv", melodies()[["melody", "pitch", "loud"]])
    kinds = ("--kind", "pitch=next", "--kind", "loud=next")
    assert refused(capsys, project, path, *kinds) == ("ambiguous", "--series")
    assert init(path, "--series", "none", *kinds)[0].data.series is None
