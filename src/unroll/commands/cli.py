"""One command per verb; each imports what it needs when it runs, so that `--help` is quick."""

import argparse
import errno
import os
import sys
import time
from pathlib import Path

from unroll.base.errors import UserError, lacks_memory
from unroll.base.processes import rank
from unroll.commands.arguments import parser

FIRST_SPEAKS_SECONDS = 8
TABS = {"tab": "\t", "\\t": "\t"}      # how a delimiter may be typed
STAGES = ("prepare", "train", "evaluate", "generate")

# a full or locked disk, a path that cannot be
CORRECTABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM, errno.ENAMETOOLONG,
               errno.ELOOP, errno.ENOTDIR)


def main(arguments: list[str] | None = None) -> None:
    """Run a verb; an error that a user can correct ends as one line and exit code 2."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:      # closed by the parent
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))    # noqa: SIM115  # as long as the process
    # a terminal gets question marks for characters that it does not know
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    arguments = sys.argv[1:] if arguments is None else arguments
    line = parser(arguments)
    options, rest = line.parse_known_args(arguments)
    # overrides may stand after an option, which argparse does not expect
    if rest and (not hasattr(options, "overrides") or any(argument.startswith("-") for argument in rest)):
        line.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.overrides += rest
    try:
        _run(options)
    except UserError as error:
        fail(str(error), error.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.errno not in CORRECTABLE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        fail(f"{place}{error.strerror}. Nothing half-written is left; correct it and start again.", "disk")
    except Exception as error:
        if not lacks_memory(error):
            raise
        fail(f"{options.verb}: this machine has too little memory for it. Use shorter sequences, smaller batches or a "
             "smaller model.", "no-memory")


def fail(message: str, code: str) -> None:
    """Print one line that ends with the error's code, and exit with 2."""
    who = "unroll"
    if rank() > 0:
        # usually the first process reports the same and ends all; this one speaks up when it does not
        time.sleep(FIRST_SPEAKS_SECONDS)
        who = f"unroll, process {rank()}"
    print(f"{who}: {' '.join(message.split())} [{code}]", file=sys.stderr)
    sys.exit(2)


def _run(options: argparse.Namespace) -> None:
    if options.verb in (*STAGES, "run"):
        from unroll.base.workspace import Workspace
        from unroll.stages.pipeline import run_stages

        run_stages(STAGES if options.verb == "run" else (options.verb,), Workspace(options.project, options.root))
    elif options.verb == "show":
        from unroll.base.workspace import Workspace
        from unroll.commands.show import show

        show(Workspace(options.project, options.root))
    elif options.verb == "compose":
        from unroll.commands.compose import freeze

        freeze(Path(), options.overrides, options.check)
    elif options.verb == "extensions":
        from unroll.commands.extensions import lock_installed

        lock_installed(Path())
    elif options.verb == "sweep":
        from unroll.jobs.sweeps import sweep

        sweep(Path(), options.overrides, options.name)
    elif options.verb == "tune":
        from unroll.jobs.tune import tune

        tune(Path(), options.space, options.overrides, options.name, options.trials, options.jobs, options.storage)
    elif options.verb == "promote":
        from unroll.commands.promote import promote

        promote(Path(), options.root, options.name)
    elif options.verb == "job":
        from unroll.base.workspace import Workspace
        from unroll.jobs.inside import run_job

        run_job(Workspace(options.project, options.root), options.parent)
    elif options.verb == "predict":
        from unroll.commands.predict import predict

        predict(options.input, options.out, options.model, options.state, options.save_state, {
            "time_format": options.time_format, "delimiter": TABS.get(options.delimiter, options.delimiter),
            "encoding": options.encoding, "sheet": options.sheet, "skip": options.skip},
            options.future, options.outcomes, options.impute, options.adapt)
    elif options.verb == "sample":
        from unroll.commands.sample import sample

        sample({name: tuple(value) if isinstance(value, list) else value for name, value in vars(options).items()
                if name != "verb"})
    elif options.verb == "play":
        from unroll.commands.play import play

        play(options.model, options.port)
    elif options.verb == "export":
        from unroll.commands.export import export

        export(options.model, options.out)
    elif options.verb == "init":
        from unroll.commands.init import Options, init

        typed = vars(options)
        init(Path(), options.name, options.source, Options(
            targets=tuple(options.target), inputs=tuple(options.input), future=tuple(options.future),
            kinds=tuple(options.kind), na_values=tuple(options.na_value),
            header={"yes": True, "no": False}.get(options.header), units={"yes": True, "no": False}.get(options.units),
            delimiter=TABS.get(options.delimiter, options.delimiter),
            **{name: typed[name] for name in ("task", "time", "time_format", "time_zone", "gaps", "missing", "series",
                                              "horizon", "season", "decimal", "encoding", "skip", "comment",
                                              "thousands", "sheet", "wide", "outcomes", "until",
                                              "channel")}), options.force)
    elif options.verb == "verify":
        from unroll.commands.verify import verify

        if not verify(Path(), options.revision, options.quick, options.fresh, options.tolerance, options.report):
            sys.exit(1)
    elif options.verb == "schema":
        from unroll.config.json_schema import write_schemas

        write_schemas(options.folder)
