"""Data sets of the UCR and UEA archives that aeon ships."""

from collections.abc import Callable
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.sources.aeon import Settings
from unroll.data.source import Source
from unroll.readers.ts import aeon_datasets
from unroll.sources.common.access import Access
from unroll.sources.common.archive import archive_pieces, with_own_test
from unroll.sources.common.series import Series

LICENCE = "not stated by the archive; cite timeseriesclassification.com"


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    datasets = aeon_datasets()
    if settings.dataset in ("Airline", "Solar"):
        return _open_series(settings, datasets), f"{settings.dataset} of aeon", LICENCE
    loaders: dict[str, Callable[..., Any]] = {
        "GunPoint": datasets.load_gunpoint,
        "JapaneseVowels": datasets.load_japanese_vowels,
        "BasicMotions": datasets.load_basic_motions,
        "Covid3Month": datasets.load_covid_3month,
    }
    if settings.dataset == "Covid3Month" and set(settings.targets.values()) != {"value"}:
        raise UserError("unsupported", "data.targets", "Covid3Month has a value for each sequence: targets: {y: "
                        "value}.")
    load = loaders[settings.dataset]
    train, test = (archive_pieces(settings.inputs, settings.targets, [load(split=split)], access.scratch)
                   for split in ("train", "test"))
    source = with_own_test(settings.targets, train, test, settings.validation, settings.seed)
    return source, f"{settings.dataset} of the UCR and UEA archives", LICENCE


def _open_series(settings: Settings, datasets: Any) -> Series:
    if settings.forecast is None or settings.test is None:
        raise UserError("missing-value", "data", f"{settings.dataset} is a series to forecast: give data.forecast and "
                        f"data.test, as experiment={settings.dataset.lower()} does.")
    if len(settings.targets) > 1:
        raise UserError("unsupported", "data.targets", f"{settings.dataset} has no other target. Keep the forecast.")
    series = {"Airline": datasets.load_airline, "Solar": datasets.load_solar}[settings.dataset]()
    (field,) = settings.inputs
    values = np.asarray(series, np.float64).reshape(-1, 1)
    return Series(field, [values], [settings.dataset], settings.forecast, settings.validation, settings.test)
