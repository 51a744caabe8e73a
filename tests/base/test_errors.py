"""Every code of an error is explained to users, and none that does not exist."""

import re
from typing import get_args

from tests.conftest import REPOSITORY
from unroll.base.errors import Code, UserError, nearest


def test_the_page_of_errors_explains_every_code() -> None:
    page = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert sorted(explained) == sorted(get_args(Code))


def test_an_error_seen_from_further_out_keeps_its_code() -> None:
    error = UserError("bad-number", "row 3", "no number. Correct it.").within("sales.csv")
    assert (error.code, error.where, str(error)) == ("bad-number", "sales.csv: row 3",
                                                     "sales.csv: row 3: no number. Correct it.")


def test_names_in_a_list_that_could_be_taken_apart_are_quoted() -> None:
    assert nearest("z", ["temp", "a, b", "in °C", ","]) == 'choose from temp, "a, b", "in °C", ",".'
