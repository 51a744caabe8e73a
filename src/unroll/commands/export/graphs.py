"""Inputs and outputs of a graph, as a README shows them."""

from pathlib import Path
from typing import Any

TYPES = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(float)": "float32"}

# of every README, to be formatted
TABLES = """| input | type | shape |
|---|---|---|
{inputs}

| output | type | shape |
|---|---|---|
{outputs}
"""


def readme(text: str, graph: Path, **others: str) -> str:
    session = session_of(graph)
    return text.format(inputs=described(session.get_inputs()), outputs=described(session.get_outputs()), **others)


def session_of(graph: Path) -> Any:
    from onnxruntime import InferenceSession

    return InferenceSession(str(graph), providers=["CPUExecutionProvider"])


def described(parts: list[Any]) -> str:
    return "\n".join(f"| `{value.name}` | {TYPES[value.type]} | ({', '.join(map(str, value.shape))}) |"
                     for value in parts)
