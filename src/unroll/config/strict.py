"""The base of every section: no defaults, no unknown names, no silent conversions."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from unroll.base.errors import nearest

Probability = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]      # of an input or a target
Seed = Annotated[int, Field(ge=0, lt=2**63)]        # what every generator takes
SAVED = "saved"     # context of a validation: settings are of a saved model, which may be older than the newest of them


class Strict(BaseModel):
    """A section whose values all stand in `conf/`; an unknown name is answered with the nearest valid one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    later: ClassVar[Mapping[str, Any]] = {}     # settings that came later, and what models saved before them have

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict):
            if info.context == SAVED:
                data = {**cls.later, **data}
            for name in data:
                if name not in cls.model_fields:
                    advice = nearest(name, cls.model_fields)
                    raise PydanticCustomError("unknown_name", "{text}", {"text": f"unknown {name!r}; {advice}"})
        return data
