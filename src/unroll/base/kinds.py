"""Kinds of things as files: whatever lies in a folder is a kind, and other packages add theirs as entry points.

A kind has settings, a module that imports nothing heavy and has a class `Settings`, and code, a module of the same
name in another package. Neither is imported before something asks for that kind.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from unroll.base.errors import UserError, nearest


@dataclass(frozen=True)
class Kinds:
    """The kinds of one thing, such as cells."""

    thing: str              # in messages: "cell"
    settings: str           # package with a module of settings for each kind: "unroll.config.cells"
    code: str               # package with a module of code for each kind: "unroll.models.cells"
    group: str = ""         # entry points of other packages: "unroll.cells"; empty: ours alone

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The kinds of this package, sorted; modules whose names begin with _ are not kinds."""
        path = import_module(self.settings).__path__
        return tuple(sorted(module.name for module in iter_modules(path) if not module.name.startswith("_")))

    def foreign(self) -> dict[str, EntryPoint]:
        """The kinds of other packages by name; nothing of theirs is imported."""
        found = entry_points(group=self.group) if self.group else ()
        return {entry.name: entry for entry in found if entry.name not in self.own}

    def names(self) -> list[str]:
        return [*self.own, *sorted(self.foreign())]

    def settings_of(self, kind: str) -> Any:
        """The class `Settings` of a kind; raises `UserError` when there is no such kind or it cannot be imported."""
        module = self._settings_module(kind)
        if kind not in self.own and not hasattr(module, "Settings"):
            raise self._unusable(kind, "no class Settings there")
        return module.Settings

    def code_of(self, kind: str, name: str) -> Any:
        """What a kind's code calls `name`, such as its class `Cell`; raises `UserError` when that cannot be imported.

        The code of another package's kind is the module that its settings name, or else their own.
        """
        if kind in self.own:
            return getattr(import_module(f"{self.code}.{kind}"), name)
        settings = self.settings_of(kind)
        place = getattr(settings, "implementation", settings.__module__)
        try:
            module = import_module(place)
        except Exception as error:      # whatever another package's import raises
            raise self._unusable(kind, f"{type(error).__name__}: {error}") from None
        if not hasattr(module, name):
            raise self._unusable(kind, f"no {name} in {place}")
        return getattr(module, name)

    def _settings_module(self, kind: str) -> ModuleType:
        if kind in self.own:
            return import_module(f"{self.settings}.{kind}")
        foreign = self.foreign()
        if kind not in foreign:
            raise UserError("unknown-name", "kind", f"unknown {self.thing} {kind!r}; {nearest(kind, self.names())}")
        try:
            module: ModuleType = foreign[kind].load()
        except Exception as error:      # whatever another package's import raises
            raise self._unusable(kind, f"{type(error).__name__}: {error}") from None
        return module

    def _unusable(self, kind: str, reason: str) -> UserError:
        return UserError("extension", f"{self.group}:{kind}", f"cannot be imported from {self.foreign()[kind].value} "
                         f"({reason}). Install a version that can, or remove it.")
