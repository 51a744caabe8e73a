"""How a user corrects the way a file is read: by a setting of section `data`, an option of `init`, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Way = Literal["settings", "options", "none"]
WAY: ContextVar[Way] = ContextVar("way", default="settings")


@contextmanager
def corrected_by(way: Way) -> Iterator[None]:
    """Errors raised within name settings (data.delimiter), options (--delimiter), or neither, as in a prediction."""
    token = WAY.set(way)
    try:
        yield
    finally:
        WAY.reset(token)


def named(setting: str) -> str:
    """The setting as the user gives it: data.time_format or --time-format; without any way its bare name."""
    prefix = {"settings": "data.", "options": "--", "none": ""}[WAY.get()]
    return prefix + (setting.replace("_", "-") if WAY.get() == "options" else setting)


def remedy(sentence: str, setting: str) -> str:
    """A sentence with `{}` for the setting, and a space before it; empty where there is no such setting."""
    return "" if WAY.get() == "none" else f" {sentence.replace('{}', named(setting))}"
