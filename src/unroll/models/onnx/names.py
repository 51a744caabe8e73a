"""Names within graphs that fields could have, too."""

OWN = frozenset({"lengths", "one", "zero"})
STATIC, OWN_AXIS = "static.", "context."    # before the names of fields of whole sequences, in a start graph
CONTEXT = "context"     # the part of the state that such fields are at every step


def field_input(field: str) -> str:
    """The step graph's input for a field."""
    return f"@{field}" if field in OWN else field


def start_input(field: str, own_axis: bool) -> str:
    """The start graph's input for a field; its lengths, where it has an axis of its own, are called after it."""
    return f"{OWN_AXIS if own_axis else STATIC}{field}"


def field_of(name: str) -> str:
    """The field of an input of either graph."""
    return name.removeprefix("@").removeprefix(STATIC).removeprefix(OWN_AXIS)
