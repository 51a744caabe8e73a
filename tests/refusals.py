"""What a refusal is: the code of an error and the place that it names, whatever its sentence."""

from collections.abc import Callable

import pytest

from unroll.base.errors import UserError


def refusal(call: Callable[[], object], *hidden: object) -> tuple[str, str]:
    """The code and the place of the error that a call ends in; `hidden` parts of paths are left out of the place."""
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    where = caught.value.where
    for part in hidden:
        where = where.replace(f"{part}", "")
    return caught.value.code, where
