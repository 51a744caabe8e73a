"""`unroll export`: a model that generates, for programs that use ONNX and not this package."""

import shutil
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.export.beside import write_beside
from unroll.commands.export.graphs import described, session_of
from unroll.commands.export.rows import write_rows
from unroll.commands.export.text import write_text
from unroll.commands.export.texts import ABOUT_GIVEN, ABOUT_OWN_AXIS
from unroll.commands.model_option import model_folder
from unroll.commands.out_folder import check_folder
from unroll.models.manifest import START, STEP, ModelFolder, open_folder

WRITERS = {"text": write_text, "rows": write_rows}


def export(model: str, out: Path) -> None:
    """Write step file, vocabulary, example and README; raises `UserError` for a model that cannot be exported."""
    out = check_folder(out, "the files").resolve()
    if out.exists() and (out == Path.cwd() or any(out.iterdir())):
        raise UserError("exists", "--out", f"{out} exists and is not empty, or is the folder you are in. Give another.")
    with model_folder(model) as folder:
        opened = open_folder(folder)
        beside = _check(opened)
        with replacing(out) as temporary:
            temporary.mkdir()
            shutil.copyfile(folder / STEP, temporary / STEP)
            code = write_beside(opened, beside, temporary) if beside else ""
            about, files = WRITERS[opened.generates or ""](opened, code, temporary)
            if beside:
                about += ABOUT_GIVEN.format(inputs=described(session_of(temporary / START).get_inputs()))
                about += ABOUT_OWN_AXIS if opened.spec.own else ""
            (temporary / "README.md").write_text(about, encoding="utf-8")
    what = f"{len(opened.spec.drawn)} field{'s' * (len(opened.spec.drawn) > 1)}" if opened.spec.drawn else \
        f"{opened.tokenizers[opened.spec.main].size:,} symbols"
    print(f"export: {what}, {STEP}, {f'{START}, inputs.json, ' if beside else ''}{files}, example.py → {out}")


def _check(opened: ModelFolder) -> list[str]:
    """The inputs beside what is generated, of whole sequences."""
    if opened.generates not in WRITERS:
        raise UserError("unsupported", "--model", f"the model's head is {opened.heads}; only language models, and "
                        "models of the next step of several fields or of categories, are exported."
                        f"{' Use `unroll sample`.' * (opened.generates is not None)}")
    if not (opened.folder / STEP).is_file():
        missing = [name for name, field in opened.spec.inputs.items() if field.missing is not None]
        why = f"numbers of {missing[0]} may be missing" if missing else (
            f"its cell, {opened.config.core.kind}, has none, or a core that reads from its end beside it")
        raise UserError("unsupported", "--model", f"the model has no ONNX step to export: {why}. Train another one.")
    beside = [name for name in opened.spec.inputs if name not in (opened.spec.drawn or [opened.spec.main])]
    for name in beside:
        if opened.spec.inputs[name].per == "step":
            raise UserError("unsupported", "--model", f"the model also reads {name} at each step, which "
                            "the example cannot. Use `unroll sample`.")
    return beside
