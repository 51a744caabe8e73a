"""The base of every section: no defaults, no unknown names, no silent conversions."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from unroll.base.errors import nearest

Probability = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]        # what every generator takes


class Strict(BaseModel):
    """A section whose values all stand in `conf/`; an unknown name is answered with the nearest valid one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _unknown_names(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in data:
                if name not in cls.model_fields:
                    advice = nearest(name, cls.model_fields)
                    raise PydanticCustomError("unknown_name", "{text}", {"text": f"unknown {name!r}; {advice}"})
        return data
