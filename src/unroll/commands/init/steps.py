"""A table with a step in each row → a draft: a class or a value of each sequence, or of each step."""

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Draft, Options, report
from unroll.commands.init.roles import Roles, find_target, pick_inputs, report_left_out
from unroll.commands.init.table import Table

# kind of target → its field, file of conf/task, in words
TARGETS = {
    "class": ("label", "classify", "the class of each sequence"), "tag": ("tag", "tag", "the class of each step"),
    "value": ("y", "regress", "a value of each sequence"), "values": ("y", "regress_steps", "a value of each step"),
}


def draft_steps(table: Table, options: Options) -> Draft:
    roles = table.roles
    wanted = find_target(roles, options)
    if wanted is None:
        raise UserError("ambiguous", "--task", "nothing shows what is to be predicted. Choose --task forecast (of a "
                        "series), or --target COLUMN, out of "
                        f"{', '.join(repr(column.name) for column in roles.free())}.")
    whole = roles.series is not None and roles.constant(wanted)
    task = options.task or find_task(wanted, whole, options)
    if task in ("classify", "tag") and (task == "classify") != whole:
        raise _disagreement(task, wanted, roles)
    if task == "regress":
        check_value(wanted, "classify" if whole else "tag")
    kind = ("value" if whole else "values") if task == "regress" else "class" if whole else "tag"
    name, conf, words = TARGETS[kind]
    report("task", f"{task}: {wanted.name!r} is {words}", "--task, --target")
    read = pick_inputs(roles, options, "number", [wanted.name])
    texts = [column.name for column in roles.free() if column.kind == "text" and column is not wanted]
    inputs, tokenizer = {"x": "real"}, None
    if (not read or set(read) <= set(texts)) and roles.series is not None and texts:
        inputs, conf = {"text": "tokens"}, f"{conf}_text"
        read, tokenizer = _text_input(roles, options, read, texts, wanted, conf)
    if not read:
        words = (" Text, one a row, has --task classify or regress; words, one a row, need --series COLUMN."
                 if texts else "")
        raise UserError("missing-value", "--input", f"no column of numbers is left to predict {wanted.name!r} "
                        f"from.{words} Name what is read: --input COLUMN.")
    (field,) = inputs
    report("input", ", ".join(map(repr, read)), "--input COLUMN, again for each")
    report_left_out(roles, [wanted.name, *read], "--input COLUMN, again for each")
    data = table.data(inputs, {name: kind}, {field: read, name: [wanted.name]})
    draft = Draft(f"{wanted.name} of each {'sequence' if whole else 'step'}.", data, conf, table.files, tokenizer)
    if roles.series is None:
        set_lanes(draft, int(0.7 * len(roles.codes)))
    return draft


def _text_input(roles: Roles, options: Options, read: list[str], texts: list[str], wanted: Column,
                conf: str) -> tuple[list[str], str]:
    """The one column of text that is read, and its tokenizer."""
    if conf == "regress_steps_text":
        raise UserError("unsupported", "--target", f"{wanted.name!r} has a value per step; with text, a sequence has "
                        "one. Choose another --target, or --input COLUMN of numbers.")
    if len(texts if not options.inputs else read) > 1:
        raise UserError("ambiguous", "--input", f"{', '.join(map(repr, texts))}: only one column of text is read. Name "
                        f"it: --input {texts[0]!r}.")
    read = list(options.inputs) or texts
    short = all(len(str(cell)) == 1 for cell in roles.columns[read[0]].present)
    return read, "char" if short else "word"


def set_lanes(draft: Draft, steps: int) -> None:
    """Few lanes for a short stream, or each would have nothing to remember."""
    lanes = max(1, min(32, steps // 200))
    draft.overrides["train"] = {"batch_size": lanes, "bptt": 100}
    draft.notes |= {"batch_size": "lanes that the stream is cut into", "bptt": "steps that a gradient goes back"}


def find_task(wanted: Column, whole: bool, options: Options) -> str:
    """The task that the target column suggests; `whole` says whether it has one value per sequence."""
    if wanted.kind == "text" or (not options.targets and wanted.whole):
        return "classify" if whole else "tag"
    if wanted.whole and wanted.distinct <= 20:
        raise UserError("ambiguous", "--task", f"column {wanted.name!r} has {wanted.distinct} different whole numbers: "
                        f"classes or values? Choose --task {'classify' if whole else 'tag'}, regress or forecast.")
    return "regress"


def check_value(wanted: Column, other: str) -> None:
    if wanted.kind != "number":
        raise UserError("conflict", "--task regress", f"column {wanted.name!r} holds {wanted.kind}, not numbers. "
                        f"Choose --task {other}, or another --target.")


def _disagreement(task: str, wanted: Column, roles: Roles) -> UserError:
    where = f"--task {task}"
    if task == "tag":
        return UserError("conflict", where, f"column {wanted.name!r} has one value in all rows of a sequence. Choose "
                         "--task classify, or another --target.")
    if roles.series is None:
        return UserError("conflict", where, "without a column that tells sequences apart the table is a single "
                         "sequence. Name that column: --series COLUMN; or choose --task tag, a class per row.")
    return UserError("conflict", where, f"column {wanted.name!r} changes within a sequence. Choose --task tag, another "
                     "--target, or another --series.")
