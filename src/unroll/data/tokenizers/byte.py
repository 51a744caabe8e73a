"""Every byte of UTF-8 a symbol."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from unroll.config.tokenizers.byte import Settings
from unroll.data.tokenizers.base import Ids, Tokenizer


class Fitted(Tokenizer):
    expression = "list(text.encode())"

    def __init__(self, items: bool) -> None:
        self.items = items
        self._bounds(256, ord("\n"))

    @classmethod
    def fit(cls, settings: Settings, items: bool, pieces: Iterable[str]) -> "Fitted":
        return cls(items)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Fitted":
        return cls(state["items"])

    @classmethod
    def count(cls, text: str) -> int:
        return len(text.encode())

    def encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode(), np.uint8).astype(np.uint16)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids)
        return ids[ids < 256].astype(np.uint8).tobytes().decode(errors="replace")

    @cached_property
    def vocabulary(self) -> list[bytes | None]:
        return [*(bytes([number]) for number in range(256)), *[None] * (self.size - 256)]

    def state(self) -> dict[str, Any]:
        return {"kind": "byte", "items": self.items}
