"""`unroll sample`: how a model goes on; what that is depends on its head."""

from typing import Any

from unroll.base.errors import UserError
from unroll.commands.model_option import model_folder
from unroll.models.described import open_folder


def sample(options: dict[str, Any]) -> None:
    """`options` are those that were given, under their names in Python, and `model`."""
    given = dict(options)
    with model_folder(given.pop("model")) as folder:
        opened = open_folder(folder)
        match opened.writes:
            case "text":
                from unroll.commands.sample import texts

                texts.sample(opened, _known(given, texts.OPTIONS, "texts"))
            case "music":
                from unroll.commands.sample import music

                music.sample(opened, _known(given, music.OPTIONS, "music"))
            case "paths":
                from unroll.commands.sample import paths

                paths.sample(folder, _known(given, paths.OPTIONS, "forecasts"))
            case None:
                raise UserError(f"--model: the model's head is {opened.heads}; only language models, models of music "
                                "and forecasters are sampled from. Use `unroll predict`.")


def _known(given: dict[str, Any], options: frozenset[str], kind: str) -> dict[str, Any]:
    for name in given:
        if name not in options:
            said = "prompts" if name == "prompts_file" else name.replace("_", "-")
            raise UserError(f"--{said}: means nothing to a model of {kind}. Leave it out.")
    return given
