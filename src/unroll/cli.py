"""One command per verb; each imports what it needs when it runs, so that `--help` is there at once."""

import argparse
import errno
import os
import sys
from pathlib import Path

from unroll import __version__
from unroll.errors import UserError

STAGES = ("prepare", "train", "evaluate", "generate")


def parser() -> argparse.ArgumentParser:
    """The command line; the text of every verb stands here."""
    top = argparse.ArgumentParser("unroll", description="Recurrent sequence models, reproducibly.")
    top.add_argument("--version", action="version", version=f"unroll {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    about = {
        "prepare": "read the source, fit the tokenizer, write data/prepared",
        "train": "train the model, write artifacts/model",
        "evaluate": "measure the model on the test split, write metrics/test.json and pictures",
        "generate": "sample from the model, write artifacts/samples",
        "run": "all four stages, one after another",
        "show": "print what a run came to and where it lies",
    }
    for verb, text in about.items():
        stage = verbs.add_parser(verb, help=text, description=text)
        stage.add_argument("--root", type=Path, default=Path(), help="folder of params.yaml and of all outputs")
        stage.add_argument("--project", type=Path, default=Path(), help="folder of data/raw, src and the lock")
    compose = verbs.add_parser("compose", help="freeze conf/ into params.yaml", description="Freeze conf/ into "
                               "params.yaml, byte for byte what `dvc exp run` writes, and say what changed.")
    compose.add_argument("overrides", nargs="*", help="Hydra overrides: model=gru train.learning_rate=1e-3")
    compose.add_argument("--check", action="store_true", help="write nothing; fail if params.yaml is not up to date")
    sweep = verbs.add_parser("sweep", help="one run for each combination of values", description="Hydra multirun: "
                             "every combination gets a root of its own below .unroll/sweeps/.")
    sweep.add_argument("overrides", nargs="+", help="Hydra overrides: model=rnn,lstm,gru train.seed=1,2")
    sweep.add_argument("-m", "--multirun", action="store_true", help="accepted as with Hydra's own programs")
    sweep.add_argument("--name", default="default", help="folder below .unroll/sweeps/")
    schema = verbs.add_parser("schema", help="write the JSON schemas that editors check conf/ with")
    schema.add_argument("folder", type=Path, nargs="?", default=Path("conf/.schema"))
    return top


def main(arguments: list[str] | None = None) -> None:
    """Run a verb; what a user can mend ends as one line and exit code 2."""
    # scrolling past a reader who has gone away is no error of ours
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    options = parser().parse_args(arguments)
    try:
        _run(options)
    except UserError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM, errno.EFBIG):
            raise
        place = f"{error.filename}: " if error.filename else ""
        fail(f"{place}{error.strerror}. Nothing half-written is left; mend it and start again.")


def fail(message: str) -> None:
    print(f"unroll: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


def _run(options: argparse.Namespace) -> None:
    if options.verb in (*STAGES, "run"):
        from unroll.pipeline import run_stages
        from unroll.workspace import Workspace

        run_stages(STAGES if options.verb == "run" else (options.verb,), Workspace(options.project, options.root))
    elif options.verb == "show":
        from unroll.show import show
        from unroll.workspace import Workspace

        show(Workspace(options.project, options.root))
    elif options.verb == "compose":
        from unroll.pipeline import freeze

        freeze(Path(), options.overrides, options.check)
    elif options.verb == "sweep":
        from unroll.sweep import sweep

        sweep(Path(), options.overrides, options.name)
    elif options.verb == "schema":
        from unroll.config.json_schema import write_schemas

        write_schemas(options.folder)
