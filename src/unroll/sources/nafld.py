"""Patients with a fatty liver, their controls, and what was measured of them (Allen et al., 2018)."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unroll.config.sources.events import Settings as EventSettings
from unroll.config.sources.nafld import FOLDS, PATIENT, Settings
from unroll.data.source import Source
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import Part, read_parts
from unroll.sources.common.access import Access
from unroll.sources.common.event_columns import check_event_columns
from unroll.sources.common.event_series import event_series
from unroll.sources.events import reading_of


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """Both tables from the network; a patient has a step for each day up to 0 with a measurement, and day 0."""
    events = EventSettings.model_validate({
        "kind": "events", "path": "nafld2.csv", "outcomes": "nafld1.csv", "delimiter": ",", "decimal": ".",
        "encoding": "utf-8", "header": True, "skip": 0, "comment": None, "units": False, "thousands": None,
        "series": "id", "time_format": None, "channel": "test", "value": "value", "several": "mean", "until": 0,
        "group": None, "na_values": [], "test": 1 / FOLDS, "sheet": None,
        **settings.model_dump(include={"inputs", "targets", "columns", "bin", "time", "scale", "missing", "validation",
                                       "seed", "licence"})})
    check_event_columns(events)
    reading = reading_of(events)
    patients, measured = (access.fetch(own.url, own.sha256) for own in (settings.patients, settings.events))
    table = Columns(read_parts([measured], reading, ["id", "days", "test", "value"]))
    raw = Columns(read_parts([patients], reading))
    numbers = {name: raw.numbers([name], "", holes=True)[:, 0] for name in (
        "id", *PATIENT[:-1], "case.id", "futime", "status")}
    number, matched = numbers["id"], numbers["case.id"]
    case = np.where(np.isnan(matched), np.nan, number == matched)
    columns = {"id": raw.texts("id", None), **{name: numbers[name] for name in PATIENT[:-1]}, "case": case,
               "died": died(numbers["futime"], numbers["status"] == 1, settings.horizon)}
    facts = Columns([Part(patients, reading, pa.table(columns))])
    splits = split(np.where(np.isnan(matched), number, matched), settings.fold, settings.validation, settings.seed)
    return event_series(events, reading, table, facts, access.scratch, splits), settings.events.url, settings.licence


def died(days: NDArray[np.float64], dead: NDArray[np.bool_], horizon: int) -> list[str]:
    """Within the horizon: yes, no, or unknown, of those who were alive when last seen before its end."""
    known = np.where(dead & (days <= horizon), "yes", np.where(days >= horizon, "no", ""))
    return [str(name) for name in known]


def split(sets: NDArray[Any], fold: int, validation: float, seed: int) -> dict[str, NDArray[np.int64]]:
    """Rows of each split; those of a set share one. The folds depend on the seed alone."""
    names, number = np.unique(sets, return_inverse=True)
    place = np.random.Generator(np.random.Philox([seed, len(names)])).permutation(len(names))
    rest = place[place % FOLDS != fold - 1]
    chosen = np.sort(rest)[: round(validation * len(rest))]     # places were drawn, so that these are random sets
    part = np.where(place % FOLDS == fold - 1, 2, np.isin(place, chosen).astype(int))[number]
    return {name: np.flatnonzero(part == at) for at, name in enumerate(("train", "validation", "test"))}
