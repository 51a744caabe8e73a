"""Cells, heads, losses and sources that nobody needs, as files of this package's or as packages of their own."""

import base64
import hashlib
from pathlib import Path

TOY_SETTINGS = '''"""Settings of a cell that averages."""

from typing import ClassVar, Literal

from unroll.config.cell import CellSettings


class Settings(CellSettings):
    {implementation}kind: Literal["averaging"]
'''
TOY_CELL = '''"""h' = h + 0.5 (tanh(W x) - h)."""

import torch
from torch import nn

from unroll.models.cell import BaseCell


class Cell(BaseCell):
    prose = "an averaging cell"

    def __init__(self, settings, input_size):
        super().__init__(settings, input_size)
        self.read = nn.Linear(input_size + self.size, self.size)

    def step(self, x, state):
        (h,) = state
        h = h + 0.5 * (torch.tanh(self.read(torch.cat([x, h], dim=-1))) - h)
        return h, (h,)
'''
CORE = {"kind": "averaging", "hidden_size": 8, "num_layers": 1, "dropout": 0.0}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def install(folder: Path, name: str, files: dict[str, str], entries: dict[str, str], version: str = "1.0",
            record: bool = True) -> None:
    """What pip leaves of a package: its files, and a .dist-info that names them unless the install is editable.

    `entries` are the lines below each group: {"unroll.cells": "averaging = toy_cell"}.
    """
    information = f"{name.replace('-', '_')}-{version}.dist-info"
    points = "\n".join(f"[{group}]\n{lines}\n" for group, lines in entries.items())
    files = {**files, f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
             f"{information}/entry_points.txt": points}
    write(folder, files)
    if record:
        lines = [f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()},{len(text)}"
                 for path, text in files.items()]
        write(folder, {f"{information}/RECORD": "\n".join([*lines, f"{information}/RECORD,,"]) + "\n"})


def install_cell(folder: Path, version: str = "1.0", record: bool = True) -> None:
    implementation = 'implementation: ClassVar[str] = "toy_cell.cell"\n    '
    install(folder, "toy-cell", {
        "toy_cell/__init__.py": TOY_SETTINGS.format(implementation=implementation), "toy_cell/cell.py": TOY_CELL,
    }, {"unroll.cells": "averaging = toy_cell"}, version, record)
