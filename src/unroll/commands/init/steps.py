"""A table with a step in each row → a draft: classes and values of each sequence, or of each step."""

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, Options, report
from unroll.commands.init.fields import draft_fields
from unroll.commands.init.inputs import Read, find_inputs
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.order import check_series
from unroll.commands.init.questions import Undecided
from unroll.commands.init.table import Table
from unroll.commands.init.targets import Wanted, describe, find_targets, report_targets
from unroll.data.tokenizers.word import Letters


def draft_steps(table: Table, options: Options) -> Draft:
    roles = table.roles
    wanted = find_targets(roles, options)
    check_series(roles, options, wanted)
    targets = [describe(column, roles, options) for column in wanted]
    if not targets:
        raise Undecided("--task", "nothing shows what is to be predicted. Choose --task forecast (of a "
                        "series), or --target COLUMN, out of "
                        f"{', '.join(repr(column.name) for column in roles.free())}.",
                        [("--task", "forecast"), *(("--target", column.name) for column in roles.free())])
    if roles.series is None and roles.time is None and options.series is None:
        report("sequence", "no column tells sequences apart: all rows are the steps of one, in their order",
               "--series COLUMN or none")
    report("task", ", ".join(f"{task_of(target)} {target.column.name!r}" for target in targets),
           "--task, --target COLUMN, again for each")
    report_targets(targets, roles)
    reads = find_inputs(roles, targets, options)
    if not any(read.kind in ("real", "categories", "tokens") for read in reads):
        names = ", ".join(repr(target.column.name) for target in targets)
        raise UserError("missing-value", "--input", "no column of numbers or categories that change from step to step "
                        f"is left to predict {names} from. Text, one a row, has --task classify or regress; words, one "
                        "a row, need --series COLUMN. Name what is read: --input COLUMN.")
    of = {target.whole: "sequence" if target.whole else "step" for target in targets}
    about = f"{', '.join(target.column.name for target in targets)} of each {' and '.join(of.values())}."
    draft = draft_fields(table, reads, targets, about, tokenizer_of(reads))
    draft.data["missing"] = find_missing([read.column for read in reads], options)
    if not roles.apart:
        set_lanes(draft, int(0.7 * len(roles.codes)))
    return draft


def task_of(target: Wanted) -> str:
    return {"class": "classify", "tag": "tag"}.get(target.kind, "regress")


def tokenizer_of(reads: list[Read]) -> str | None:
    """For symbols in rows, char if each is one character, else word; for contexts alone, by `find_tokenizer`."""
    for read in reads:
        if read.kind == "tokens":
            return "char" if all(len(str(cell)) == 1 for cell in read.column.present) else "word"
    texts = [read.column for read in reads if read.kind == "context_tokens"]
    return find_tokenizer([str(cell) for cell in texts[0].present[:1000]]) if texts else None


def find_tokenizer(texts: list[str]) -> str:
    """Words where spaces set them apart, as the tokenizer itself asks for, else characters."""
    letters = Letters()
    for text in texts:
        letters.add(text)
    spaced = sum(text.count(" ") for text in texts) >= len(texts)
    return "word" if spaced and not letters.unspaced else "char"


def set_lanes(draft: Draft, steps: int) -> None:
    """Few lanes for a short stream, or each would have nothing to remember."""
    lanes = max(1, min(32, steps // 200))
    draft.overrides["train"] = {"batch_size": lanes, "bptt": 100, **draft.overrides.get("train", {})}
    draft.notes |= {"batch_size": "lanes that the stream is cut into", "bptt": "steps that a gradient goes back"}
