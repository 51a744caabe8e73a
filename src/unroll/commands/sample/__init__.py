"""`unroll sample`: what a model generates, which depends on its head."""

from importlib import import_module
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.model_option import model_folder
from unroll.config.sampling import COMMAND, named_at, option
from unroll.models.manifest import open_folder

PLURALS = {"text": "texts", "music": "music", "paths": "forecasts", "rows": "rows of several fields"}


def sample(options: dict[str, Any]) -> None:
    """`options` holds `model` and the other options that were given, by their names in Python."""
    typed = dict(options)
    with model_folder(typed.pop("model")) as folder, named_at(COMMAND):
        opened = open_folder(folder)
        if opened.generates is None:
            raise UserError("unsupported", "--model", f"the model's head is {opened.heads}{opened.beside} only "
                            "language models, models of music, forecasters and models of the next step of several "
                            "fields are sampled from. Use `unroll predict`.")
        command = import_module(f"unroll.commands.sample.{opened.generates}")
        for name in typed:
            if name not in command.OPTIONS:
                raise UserError("no-effect", option(name.removesuffix("_file")), "has no effect on a model of "
                                f"{PLURALS[opened.generates]}. Leave it out.")
        command.sample(opened, typed)
