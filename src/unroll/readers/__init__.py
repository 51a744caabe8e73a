"""Files → what they hold. Each format is a file here, found by listing this folder; what they share is in `common/`.

A format is a module with

- `HOLDS`, which says what a file of it is, and with it which functions the module has;
- `ENDINGS` of its files, in lower case, and optionally `ALSO`, endings that another format owns but that are read as
  this one where only what it holds makes sense;
- `STREAMED = True` where it reads files from their beginning to their end by `common.packed.open_bytes`, so that they
  may be compressed.

`HOLDS` is one of

- table: `column_names(file, reading)`, `blocks_of(file, reading, columns)` as pyarrow.Tables of consecutive rows, of
  which one is in memory at a time, `row_numbers(file, reading)` as an editor counts them, and `SETTINGS`, the fields
  of `Reading` that say how such a file is written; where there are any, `sniff(file, settings)` finds them;
- text: `blocks(files, encoding)`;
- arrays: `Arrays(file)`, arrays named X_train, y_train, …, and `sequences_of(file, names, inputs)`, those of inputs;
- labelled: `blocks(file)`, consecutive cases (F, T) and the class or the value of each, and `header(file)`;
- sequences, which only predictions read.

All but tables and texts also have `sequences(file)`, arrays (T, F) or (T,) to predict from.

The sources, `init` and `predict` read every file through here.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from unroll.base.errors import UserError
from unroll.readers.common.packed import ending_of, is_packed

Holds = Literal["table", "text", "arrays", "labelled", "sequences"]
NAMES = {"table": "a table", "text": "a text", "arrays": "arrays", "labelled": "labelled sequences",
         "sequences": "sequences without targets, which only predictions read"}
BOOK = "Save it as .xlsx, or the sheet to be read as .csv."
# what to do instead of giving files that are often brought
WAYS = {".xls": BOOK, ".xlsb": BOOK, ".ods": BOOK, ".json": "Where it has a record a line, name it .jsonl; "
        "else write it so: in pandas, to_json(path, orient='records', lines=True)."}


@cache
def formats() -> tuple[ModuleType, ...]:
    return tuple(import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)
                 if not found.ispkg and not found.name.startswith("_"))


def format_of(file: Path, *holds: Holds) -> ModuleType | None:
    """The format of a file by its ending, among those that hold one of these, or any; None when there is none."""
    ending, packed = ending_of(file), is_packed(file)
    among = [module for module in formats() if (not holds or module.HOLDS in holds)
             and (not packed or getattr(module, "STREAMED", False))]
    return next((module for names in ("ENDINGS", "ALSO") for module in among if ending in getattr(module, names, ())),
                None)


def endings(*holds: Holds) -> tuple[str, ...]:
    """File endings of the formats that hold one of these, or of all formats."""
    return tuple(ending for module in formats() if not holds or module.HOLDS in holds for ending in module.ENDINGS)


def refusal(file: Path, *holds: Holds) -> UserError:
    """That of a file without a format, or without one that holds one of these: why it is not read, and what is."""
    ending, way = ending_of(file), f"Give one of {', '.join(endings(*holds))}."
    other = format_of(file) or format_of(Path(f"a{ending}"))
    if ending in WAYS:
        reason, way = f"{ending} files are not read", WAYS[ending]
    elif is_packed(file) and ending in endings(*holds):
        reason, way = f"{ending} files are not read while they are compressed", "Unpack it."
    elif other is not None:
        reason = f"{ending} files hold {NAMES[other.HOLDS]}, not {' or '.join(NAMES[name] for name in holds)}"
    else:
        reason = f"files {f'that end in {ending}' if ending else 'without an ending'} are not read"
        reason += " (a compressed one says by its name what is in it, as in .csv.gz)" * (is_packed(file) and not ending)
    return UserError("unsupported", file, f"{reason}. {way}")
