"""How a user corrects the way a file is read: by a setting of section `data`, an option of `init`, or not at all."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Way = Literal["settings", "options", "none"]
WAY: ContextVar[Way] = ContextVar("way", default="settings")
ONLY: ContextVar[Collection[str] | None] = ContextVar("only", default=None)


@contextmanager
def corrected_by(way: Way, only: Collection[str] | None = None) -> Iterator[None]:
    """Errors raised within name settings (data.delimiter), options (--delimiter), or neither.

    `only` are the settings that there are; None: all.
    """
    token, others = WAY.set(way), ONLY.set(only)
    try:
        yield
    finally:
        WAY.reset(token)
        ONLY.reset(others)


def named(setting: str) -> str:
    """The setting as the user gives it: data.time_format or --time-format; where there is none its bare name."""
    only = ONLY.get()
    if only is not None and setting not in only:
        return setting.replace("_", " ")
    prefix = {"settings": "data.", "options": "--", "none": ""}[WAY.get()]
    return prefix + (setting.replace("_", "-") if WAY.get() == "options" else setting)


def remedy(sentence: str, setting: str) -> str:
    """A sentence with `{}` for the setting, and a space before it; empty where there is no such setting."""
    only = ONLY.get()
    missing = WAY.get() == "none" or (only is not None and setting not in only)
    return "" if missing else f" {sentence.replace('{}', named(setting))}"
