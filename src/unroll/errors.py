"""What a user can mend is raised as `UserError` and printed as one line; anything else is a defect."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(Exception):
    """One line that says what is wrong, where, and what to do; the command line exits with code 2."""


def lacks_memory(error: BaseException) -> bool:
    """Whether NumPy, PyTorch or CUDA got none; each says so in its own way."""
    return isinstance(error, MemoryError) or any(said in str(error).lower() for said in (
        "allocate memory", "enough memory", "out of memory", "bad_alloc", "bad allocation", "alloc_failed"))


@contextmanager
def within_memory(said: Callable[[], str]) -> Iterator[None]:
    """Too little memory becomes a `UserError` that says so."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise UserError(said()) from None


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a sentence that names the closest valid name, or all of them when none is close."""
    valid = [str(each) for each in valid]
    close = get_close_matches(str(name), valid, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else f"choose from {', '.join(valid)}."
