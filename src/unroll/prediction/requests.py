"""Requests to a served model: what is read of a body and of a table, and how much one may ask for."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from unroll.base.errors import UserError, nearest
from unroll.config.sampling import Sampling, check_seed, sampling

TABLES = ("inputs", "instances", "dataframe_records", "dataframe_split")       # a request holds one of them
SYMBOLS = 1_000_000     # per request, so that it is answered in seconds and does not block others for long
LENGTH = 10_000         # of one text, whose symbols are drawn one after another
STOPS = 200             # characters of all stop strings, each of which is searched for after every symbol


def read_request(content: bytes, generates: bool) -> dict[str, Any]:
    """The JSON body of a request, before MLflow makes a table of it; raises `UserError` on one that it cannot."""
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError("unreadable", "body", "half a surrogate pair is not a character. Leave it out.") from None
    except RecursionError:
        raise UserError("unreadable", "body", "brackets are nested too deeply. Give texts, or lists of numbers.") \
            from None
    except ValueError as error:
        raise UserError("unreadable", "body", f"not JSON ({error}). Send an object with inputs.") from None
    if not isinstance(body, dict):
        raise UserError("wrong-type", "body", 'not an object. Send {"inputs": […]}.')
    for name in body:
        if name not in (*TABLES, "params"):
            raise UserError("unknown-name", "body", f'unknown {name!r}; {nearest(name, (*TABLES, "params"))}')
    if len(body.keys() & set(TABLES)) != 1:
        raise UserError("missing-value", "body", f"not one of {', '.join(TABLES)}. Send one of them.")
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise UserError("wrong-type", "params", f'{params!r} is not an object. Send {{"seed": 1}}, say.')
    if params and not generates:
        raise UserError("no-effect", "params", "the model takes none. Leave them out.")
    read_params(params)     # MLflow would drop those that it does not know
    return body


def read_params(given: Mapping[str, Any]) -> tuple[int, Sampling]:
    """The seed and the sampling settings; raises `UserError` on unknown names and on values that are not allowed."""
    rest = dict(given)
    return check_seed(rest.pop("seed", 1)), sampling(**rest)


def check_work(prompts: int, rules: Sampling, fields: int = 1) -> None:
    """Raises `UserError` on requests that would take too long; rows of several `fields` count for each."""
    if rules.length is None or rules.length > LENGTH:
        raise UserError("too-large", "length", f"a request may ask for texts of {LENGTH:,} symbols at most. Ask "
                        "for fewer.")
    if prompts * rules.beams * rules.length * fields > SYMBOLS:
        raise UserError("too-large", "length", f"prompts × beams × length is more than the {SYMBOLS:,} symbols "
                        "that one request may ask for. Ask for fewer.")
    if sum(map(len, rules.stop)) > STOPS:
        raise UserError("too-large", "stop", f"more than {STOPS} characters in all. Give fewer or shorter strings.")


def by_name(data: pd.DataFrame) -> list[dict[str, Any]]:
    """A sequence for each row, its inputs by name."""
    if not len(data):
        raise UserError("empty", "inputs", "no sequences. Give at least one.")
    return [{str(name): value for name, value in row.items()} for row in data.to_dict("records")]


def first_column(data: pd.DataFrame) -> list[Any]:
    if not len(data):
        raise UserError("empty", "inputs", "no sequences. Give at least one.")
    return list(data.iloc[:, 0])
