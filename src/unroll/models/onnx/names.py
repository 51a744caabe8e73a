"""Names of a step graph that fields could have, too."""

OWN = frozenset({"lengths", "one", "zero"})


def field_input(field: str) -> str:
    """The graph's input for a field."""
    return f"@{field}" if field in OWN else field
