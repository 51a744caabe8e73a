"""A setting that is one of several kinds, as pydantic sees it."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from unroll.base.errors import UserError
from unroll.base.kinds import Kinds


@dataclass(frozen=True)
class OneOf:
    """`Annotated[Base, OneOf(kinds)]`: the settings of the kind that the value names; no other kind is imported."""

    kinds: Kinds

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._validate, serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value, info: value.model_dump(mode=info.mode), info_arg=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        each = [handler(self.kinds.settings_of(kind).__pydantic_core_schema__) for kind in self.kinds.own]
        return each[0] if len(each) == 1 else {"anyOf": each}

    def _validate(self, value: Any) -> Any:
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        if kind is None:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": "'kind'"})
        names = self.kinds.names()
        if kind not in names:
            raise PydanticKnownError("union_tag_invalid", {
                "discriminator": "'kind'", "tag": str(kind), "expected_tags": ", ".join(f"'{each}'" for each in names)})
        try:
            settings = self.kinds.settings_of(kind)
        except UserError as error:
            raise PydanticCustomError("extension", "{text}", {"text": str(error)}) from None
        # what it raises keeps its places: pydantic puts this value's own in front
        return value if isinstance(value, settings) else settings.model_validate(value)
