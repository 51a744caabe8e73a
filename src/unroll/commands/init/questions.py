"""What `init` cannot decide: an error, or, at a terminal, a question with numbered answers."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, Options, report, said_once

Choice = tuple[str, Any]        # an option and its value; of --kind a column and its kind
REPEATED = {"--target": "targets", "--input": "inputs", "--kind": "kinds", "--na-value": "na_values"}


class Undecided(UserError):
    """An error that each of several choices would correct."""

    def __init__(self, where: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__("ambiguous", where, text)
        self.choices = tuple(choices)


def decided(draft: Callable[[Options], Draft], options: Options) -> Draft:
    """The draft, after as many questions as it takes; without a terminal, the first is raised as an error."""
    with said_once():
        while True:
            try:
                return draft(options)
            except Undecided as question:
                if not (sys.stdin.isatty() and sys.stderr.isatty()):
                    raise
                option, value = choice = _ask(question)
                name = REPEATED.get(option, option[2:].replace("-", "_"))
                before = getattr(options, name)
                if value in (before if isinstance(before, tuple) else (before,)):
                    raise       # it would be asked for ever
                changed: dict[str, Any] = {name: (*before, value) if isinstance(before, tuple) else value}
                options = replace(options, **changed)
                report("chosen", _written(choice))


def only_one(candidates: Sequence[str], option: str, none: bool = False) -> str | None:
    """The only candidate, or None without any; raises `Undecided` when there are several; `none`: it may be none."""
    if len(candidates) > 1:
        raise Undecided(option, f"{', '.join(map(repr, candidates))} are possible. Name one: {option} "
                        f"{candidates[0]!r}.", [(option, name) for name in (*candidates, *["none"] * none)])
    return candidates[0] if candidates else None


def _ask(question: Undecided) -> Choice:
    """The answer; without one, the error is raised."""
    say = sys.stderr.write
    say(f"{question}\n" + "".join(f"  {number}  {_written(choice)}\n"
                                  for number, choice in enumerate(question.choices, 1)))
    while True:
        say(f"1 to {len(question.choices)}, or nothing to stop: ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip()
        if not answer:
            raise question
        if answer.isdecimal() and 1 <= int(answer) <= len(question.choices):
            return question.choices[int(answer) - 1]


def _written(choice: Choice) -> str:
    """As it would be typed."""
    option, value = choice
    return f"{option} {'='.join(map(shlex.quote, value)) if isinstance(value, tuple) else shlex.quote(str(value))}"
