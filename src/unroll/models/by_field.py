"""Modules by field name, whatever a user calls a field."""

from collections.abc import Iterator
from typing import Any

from torch import nn

TAKEN = frozenset(dir(nn.ModuleDict()))     # `type`, `keys`, `training`, …: torch refuses modules of these names


class ByField(nn.ModuleDict):
    """A `ModuleDict` in which any field name is a key. A name that torch has taken stands as "@name" in the module.

    Which names these are depends on the version of torch, so that weights on disk have plain names: see `plain`.
    """

    def __setitem__(self, field: str, module: nn.Module) -> None:
        self.add_module(f"@{field}" if field in TAKEN else field, module)

    def __getitem__(self, field: str) -> nn.Module:
        return super().__getitem__(f"@{field}" if field in TAKEN else field)

    def __contains__(self, field: object) -> bool:
        return field in set(self)

    def __iter__(self) -> Iterator[str]:
        return map(plain, super().__iter__())

    def keys(self) -> Any:
        return list(self)

    def items(self) -> Any:
        return list(zip(self, self.values(), strict=True))


def plain(name: str) -> str:
    """The name of a parameter as it is on disk."""
    return name.replace("@", "")

