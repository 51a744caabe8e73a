"""A setting that is one of several kinds, as pydantic sees it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from unroll.base.errors import UserError
from unroll.base.extensions import Extensions
from unroll.base.kinds import Kinds


@dataclass(frozen=True)
class OneOf:
    """`Annotated[Base, OneOf(kinds)]`: the settings of the kind that the value names; no other kind is imported.

    With `by_name`, `last` is short for `{kind: last}`, and a kind without further settings is written that way.
    """

    kinds: Kinds
    by_name: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate, serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value, info: self._dump(value, info.mode), info_arg=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kinds = [handler(self.kinds.settings_of(kind).__pydantic_core_schema__) for kind in self.kinds.own]
        if self.by_name:
            plain = [kind for kind in self.kinds.own if _plain(self.kinds.settings_of(kind))]
            kinds.append({"type": "string", "enum": plain})
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}

    def _validate(self, value: Any, info: core_schema.ValidationInfo[Any]) -> Any:
        if self.by_name and isinstance(value, str):
            value = {"kind": value}
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        if kind is None:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": "'kind'"})
        try:
            if kind not in self.kinds.own:
                self._admit(str(kind), info.context)
            settings = self.kinds.settings_of(kind)
        except UserError as error:
            raise PydanticCustomError("extension", "{text}", {"text": str(error)}) from None
        # what it raises keeps its places: pydantic puts this value's own in front
        return value if isinstance(value, settings) else settings.model_validate(value, context=info.context)

    def _admit(self, kind: str, context: Any) -> None:
        """Record the kind of another package, and compare it with its lock, before anything of it is imported."""
        foreign, extensions = self.kinds.foreign(), context if isinstance(context, Extensions) else None
        if kind in foreign:
            return extensions.admit(foreign[kind]) if extensions else None
        if extensions:
            extensions.require(self.kinds.group, kind)
        names = ", ".join(f"'{name}'" for name in (*self.kinds.own, *sorted(foreign)))
        raise PydanticKnownError("union_tag_invalid", {"discriminator": "'kind'", "tag": kind, "expected_tags": names})

    def _dump(self, value: Any, mode: str) -> Any:
        return value.kind if self.by_name and _plain(type(value)) else value.model_dump(mode=mode)


def foreign(settings: BaseModel) -> Iterator[EntryPoint]:
    """The entry points of other packages that settings, and the settings inside them, come from."""
    if not type(settings).__module__.startswith("unroll."):
        yield from (entry for entry in entry_points(name=settings.kind)     # type: ignore[attr-defined]
                    if entry.group.startswith("unroll.") and entry.load().Settings is type(settings))
    for value in dict(settings).values():
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        for part in inner:
            if isinstance(part, BaseModel):
                yield from foreign(part)


def _plain(settings: Any) -> bool:
    """Whether a kind has no settings but its name."""
    return set(settings.model_fields) == {"kind"}
