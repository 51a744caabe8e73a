"""Modules, classes, functions and methods of a Python file, read from its source without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unroll.sources.common.packages import parse

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Object:
    line: int                   # where its definition begins; 1 of a module
    kind: str                   # module, class, function or method
    name: str
    docstring: str
    lines: int                  # of its definition, from def or class on
    nesting: int                # of the blocks (if, for, …) in its definition, definitions themselves not counted
    parameters: int | None      # what a caller can pass; None where the source does not tell
    defaults: int               # parameters that have one


def documented(file: Path) -> Iterator[Object]:
    """The objects of a file that have a docstring, in the order of their definitions; none if it does not parse.

    The parameters of a class are those of its own `__init__`. A class that inherits or generates it has unknown ones,
    as has a module. The object that a method is bound to is no parameter.
    """
    for node, owner in _definitions(parse(file)):
        text = ast.get_docstring(node)
        if not text:
            continue
        if isinstance(node, ast.Module):
            name = file.parent.name if file.stem == "__init__" else file.stem
            first, last = 1, node.body[-1].end_lineno
        else:
            name, first, last = node.name, node.lineno, node.end_lineno
        signature = _signature(node, owner)
        parameters, defaults = signature if signature is not None else (None, 0)
        yield Object(first, _kind(node, owner), name, text, (last or first) - first + 1, _nesting(node), parameters,
                     defaults)


def _definitions(tree: ast.Module) -> Iterator[tuple[Definition, Definition]]:
    """Each definition after the one that it stands in; the module stands in itself."""
    todo: list[tuple[ast.AST, Definition]] = [(tree, tree)]
    while todo:
        node, owner = todo.pop()
        if isinstance(node, Definition):
            yield node, owner
            owner = node
        todo += [(child, owner) for child in reversed(_statements(node))]


def _statements(node: ast.AST) -> list[ast.AST]:
    return [child for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)]


def _kind(node: Definition, owner: Definition) -> str:
    if isinstance(node, ast.Module):
        return "module"
    if isinstance(node, ast.ClassDef):
        return "class"
    return "method" if isinstance(owner, ast.ClassDef) else "function"


def _nesting(definition: Definition) -> int:
    """0 where no statement stands in a block; an elif is as deep as its if."""
    deepest = 0
    todo: list[tuple[ast.AST, int]] = [(definition, 0)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        todo += [(child, depth + (isinstance(child, BLOCKS) and not _is_elif(node, child)))
                 for child in _statements(node)]
    return deepest


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse \
        and child.col_offset == node.col_offset


def _signature(node: Definition, owner: Definition) -> tuple[int, int] | None:
    """Numbers of parameters and of those with a default."""
    if isinstance(node, ast.Module):
        return None
    if isinstance(node, ast.ClassDef):
        own = [child for child in node.body if isinstance(child, ast.FunctionDef) and child.name == "__init__"]
        return _signature(own[-1], node) if own else None
    arguments = node.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    static = any(isinstance(decorator, ast.Name) and decorator.id == "staticmethod"
                 for decorator in node.decorator_list)
    bound = isinstance(owner, ast.ClassDef) and not static and positional > 0
    parameters = positional - bound + len(arguments.kwonlyargs) + (arguments.vararg is not None) \
        + (arguments.kwarg is not None)
    return parameters, len(arguments.defaults) + sum(default is not None for default in arguments.kw_defaults)
