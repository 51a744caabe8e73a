"""A table with a text in each row → a draft: its class, its value, or its own next symbol."""

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Draft, Options, report
from unroll.commands.init.roles import find_target
from unroll.commands.init.steps import check_value, find_task
from unroll.commands.init.table import Table
from unroll.data.tokenizers.word import Letters


def draft_rows_of_text(table: Table, texts: list[Column], options: Options) -> Draft:
    options.only("rows of text", "task", "targets", "inputs", "series", "delimiter", "decimal", "encoding", "header")
    if len(texts) > 1:
        names = ", ".join(repr(column.name) for column in texts)
        raise UserError("ambiguous", "--input", f"{names} are texts. Name the one to read: --input {texts[0].name!r}.")
    (text,) = texts
    table.roles.columns.pop(text.name)
    wanted = options.task in (None, "classify", "regress") and bool(table.roles.columns)
    label = find_target(table.roles, options) if wanted else None
    tokenizer = find_tokenizer([str(cell) for cell in text.present[:1000]])
    columns = {"text": [text.name]}
    if options.task in ("classify", "regress") and label is None:
        raise UserError("missing-value", "--target", "no column looks like a class. Name one: --target COLUMN, out of "
                        f"{', '.join(map(repr, table.roles.columns))}.")
    if label is None:
        report("task", f"language: {text.name!r}, a text per row, symbol by symbol", "--task classify --target COLUMN")
        data = table.data({"text": "tokens"}, {"text": "next"}, columns)
        return Draft("Texts of a table, symbol by symbol.", data, "language", table.files, "char", "default",
                     {"generate": {"prompts": [""]}})
    task = options.task or find_task(label, True, options)
    name, kind = ("label", "class") if task == "classify" else ("y", "value")
    if kind == "value":
        check_value(label, "classify")
    report("task", f"{task}: {label.name!r} from the text {text.name!r}", "--task, --target, --input")
    report("symbols", tokenizer, "tokenizer in conf/data")
    data = table.data({"text": "tokens"}, {name: kind}, {**columns, name: [label.name]})
    return Draft(f"{label.name} of each {text.name}.", data, f"{task}_text", table.files, tokenizer)


def find_tokenizer(texts: list[str]) -> str:
    """Words where spaces set them apart, as the tokenizer itself asks for, else characters."""
    letters = Letters()
    for text in texts:
        letters.add(text)
    spaced = sum(text.count(" ") for text in texts) >= len(texts)
    return "word" if spaced and not letters.unspaced else "char"
