"""A regular expression that a text has to match, as the symbols that may follow (Willard & Louf, 2023)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.sampling import Sampling, SettingError
from unroll.data.tokenizers import Tokenizer

Ids = NDArray[np.integer[Any]]
MARK = "\uffff"        # no character of Unicode's


class Pattern:
    """An automaton over symbols; states are numbered from 0, the first.

    Where the text matches already, any symbol may be drawn: one that the pattern does not continue with ends the text.
    With `always`, a match never ends it.
    """

    def __init__(self, pattern: str, vocabulary: Sequence[bytes | None], length: int | None, end: int | None = None,
                 always: bool = False) -> None:
        """`end` is the symbol that closes a text.

        Raises `SettingError` when it is no regular expression, or nothing that the model can write within `length`
        symbols matches.
        """
        if pattern.endswith("$") and not pattern.endswith("\\$"):      # it matches from the start to the end anyway
            pattern = pattern[:-1]
        pattern = pattern.removeprefix("^")
        symbols: dict[bytes, list[int]] = {}
        for symbol, text in enumerate(vocabulary):
            if text:
                symbols.setdefault(text, []).append(symbol)
        _automaton(pattern, {}, 0)      # by itself, so that an unbalanced bracket is an error
        size = len(vocabulary)
        # in a state that matches, the library drops whatever does not match at once: a mark of ours ends every match
        first, found, matched = _automaton(f"(?:{pattern}){MARK}", symbols | {MARK.encode(): [size]}, size)
        if not found:
            raise SettingError("unknown-symbol", ["pattern"], "{expression!r:.60} needs characters that the model "
                               "cannot write. Allow others.", expression=pattern)
        states = found.keys() | {to for edges in found.values() for to in edges.values()}
        numbers = {state: number for number, state in enumerate([first, *sorted(states - {first})])}
        self._size, self._end, self._always = len(vocabulary), end, always
        self._next: list[dict[int, int]] = [{} for _ in numbers]
        self._final = np.zeros(len(numbers), dtype=bool)
        for state, edges in found.items():
            self._final[numbers[state]] = edges.get(size) in matched
            self._next[numbers[state]] = {symbol: numbers[to] for symbol, to in edges.items() if symbol < size}
        self._symbols = [np.fromiter(edges, np.int64) for edges in self._next]
        self._to = [np.fromiter(edges.values(), np.int64) for edges in self._next]
        self._distance = self._distances()
        shortest = self._distance[0]
        if not np.isfinite(shortest) or (length is not None and shortest > length):
            needed = f"at least {shortest:.0f} symbols" if np.isfinite(shortest) else "what the model cannot write"
            raise SettingError("conflict", ["pattern", "length"], "{expression!r:.60} needs {needed}, {length} is "
                               "{symbols}. Raise {length}, or allow shorter texts.", expression=pattern, needed=needed,
                               symbols=length)

    def allowed(self, states: Ids, left: int | None, may_end: bool) -> NDArray[np.bool_]:
        """(B, V), the symbols that may follow with `left` symbols to go, the next one included."""
        allowed = np.zeros((len(states), self._size), dtype=bool)
        for lane, state in enumerate(states):
            if self._final[state] and may_end and not self._always:
                allowed[lane] = True
                continue
            allowed[lane, self._symbols[state][self._in_time(self._to[state], left)]] = True
            if self._end is not None:
                allowed[lane, self._end] = self._final[state] and may_end
        return allowed

    def follow(self, states: Ids, symbols: Ids, left: int | None) -> Ids:
        """The next states, -1 where the text ends before the symbol."""
        after = [self._next[state].get(int(symbol), -1) for state, symbol in zip(states, symbols, strict=True)]
        return np.array([state if state >= 0 and self._in_time(state, left) else -1 for state in after], np.int64)

    def over(self, states: Ids) -> NDArray[np.bool_]:
        """(B,), whether nothing can follow."""
        return np.array([not len(self._symbols[state]) for state in states], dtype=bool)

    def _in_time(self, states: Ids, left: int | None) -> NDArray[np.bool_]:
        return np.asarray(self._distance[states] < (np.inf if left is None else left))

    def _distances(self) -> NDArray[np.float64]:
        """How many symbols each state needs until it matches."""
        distance = np.where(self._final, 0.0, np.inf)
        while True:
            shorter = [min(at, 1 + distance[to].min(initial=np.inf)) for at, to in zip(distance, self._to, strict=True)]
            if (distance == shorter).all():
                return distance
            distance = np.array(shorter)


def pattern_of(settings: Sampling, tokenizer: Tokenizer) -> Pattern | None:
    """What `pattern` or `allow` asks for; raises `SettingError` for a character that the model cannot write."""
    if settings.pattern is not None:
        return Pattern(settings.pattern, tokenizer.vocabulary, settings.length, tokenizer.end)
    if settings.allow is None:
        return None
    if tokenizer.unknown is not None:
        for character, symbol in zip(settings.allow, tokenizer.encode(settings.allow), strict=True):
            if symbol == tokenizer.unknown:
                raise SettingError("unknown-symbol", ["allow"], "the model's vocabulary lacks {character!r}, so "
                                   "that it cannot write it. Leave it out.", character=character)
    characters = "".join(f"\\x{{{ord(character):x}}}" for character in sorted(set(settings.allow)))
    return Pattern(f"[{characters}]*", tokenizer.vocabulary, settings.length, tokenizer.end, always=True)


def _automaton(
    pattern: str, symbols: Mapping[bytes, list[int]], size: int
) -> tuple[int, dict[int, dict[int, int]], set[int]]:
    """The first state, the transitions by state and symbol, and the states that match; empty where nothing fits."""
    from outlines_core import Index, Vocabulary

    try:
        index = Index(pattern, Vocabulary(size + 1, dict(symbols)))
    except ValueError as error:
        if "vocabulary" in str(error):
            return 0, {}, set()
        raise SettingError("unsupported", ["pattern"], "{expression!r:.60} is not a regular expression that can be "
                           "followed symbol by symbol; look-around and back-references cannot be. Correct it.",
                           expression=pattern) from None
    return index.get_initial_state(), index.get_transitions(), index.get_final_states()
