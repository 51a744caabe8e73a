"""Prompts into symbols, symbols into text."""

from collections.abc import Sequence

import numpy as np

from unroll.base.errors import UserError
from unroll.data.tokenizers import Tokenizer
from unroll.generation.engine import Ids


def encode_prompt(tokenizer: Tokenizer, prompt: str, replace_unknown: bool = False) -> Ids:
    """The begin symbol and the prompt's; raises `UserError` naming a symbol that a closed vocabulary lacks."""
    where = f"prompt {_excerpt(prompt)}"
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise UserError("unreadable", where, f"character {error.start + 1} is half a surrogate pair. Leave it out.") \
            from None
    ids = tokenizer.encode(prompt)
    if tokenizer.unknown is not None and not replace_unknown and (ids == tokenizer.unknown).any():
        place = int(np.argmax(ids == tokenizer.unknown))
        unseen = tokenizer.split(prompt)[place]
        raise UserError("unknown-symbol", where, f"the model's vocabulary lacks {unseen!r} (symbol {place + 1}). Leave "
                        "it out, or train with data/tokenizer=byte or bpe, which know every symbol.")
    return np.concatenate([[tokenizer.begin], ids]).astype(np.int64)


def _excerpt(text: str, length: int = 60) -> str:
    return repr(text if len(text) <= length else text[:length] + "…")


def never_drawn(tokenizer: Tokenizer) -> list[int]:
    """Symbols that no sample may contain: the unknown one, and the begin of an item."""
    begin = [tokenizer.begin] if tokenizer.end is not None else []
    return begin + ([tokenizer.unknown] if tokenizer.unknown is not None else [])


class Transcript:
    """A lane's text as it comes: never half a character, nor what may turn out to be a stop string."""

    def __init__(self, tokenizer: Tokenizer, prompt: Ids, stops: Sequence[str] = (), min_length: int = 0) -> None:
        self._decoder = tokenizer.decoder(prompt)
        self._stops, self._left = stops, min_length
        self._held = ""
        self.stopped = False

    def add(self, symbol: int) -> str:
        """The text that is certain now; before a stop string, what stood in front of it."""
        text = self._held + self._decoder.add(symbol)
        self._left -= 1
        if not self._stops:
            return text
        if self._left < 0 and (places := [at for stop in self._stops if (at := text.find(stop)) >= 0]):
            self.stopped, self._held = True, ""
            return text[: min(places)]
        certain = len(text) - max(_begun(text, stop) for stop in self._stops)
        self._held = text[certain:]
        return text[:certain]

    def end(self) -> str:
        """The rest of a text that nothing stopped."""
        return "" if self.stopped else self._held + self._decoder.end()


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop string without completing it."""
    return next((count for count in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:count])), 0)
