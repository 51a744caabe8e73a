"""The command line: every verb, its options and their help."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from unroll import __version__
from unroll.commands.typed import column_kind, count, length, positive, tolerance

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
MODEL, MODEL_HELP = "artifacts/model", "a model folder, or models:/NAME@alias of MLflow (default: artifacts/model)"


def parser(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser; the sampling settings are imported only where `sample` may be the verb."""
    top = argparse.ArgumentParser("unroll", description="Recurrent sequence models, reproducibly.")
    top.add_argument("--version", action="version", version=f"unroll {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_stages(verbs)
    _add_configuration(verbs)
    _add_searches(verbs)
    _add_predict(verbs)
    _add_sample(verbs, with_settings=arguments is None or "sample" in arguments)
    _add_play(verbs)
    _add_export(verbs)
    _add_init(verbs)
    _add_verify(verbs)
    return top


def _add_stages(verbs: Verbs) -> None:
    about = {
        "prepare": "read the source, fit the tokenizer, write data/prepared",
        "train": "train the model, write artifacts/model",
        "evaluate": "measure the model on the test split, write metrics/test.json and pictures",
        "generate": "sample from the model, write artifacts/samples",
        "run": "run all four stages, one after another",
        "show": "print the results of a run and where they lie",
    }
    for verb, text in about.items():
        stage = verbs.add_parser(verb, help=text, description=f"{text.capitalize()}.")
        stage.add_argument("--root", type=Path, default=Path(), help="folder of params.yaml and of all outputs")
        stage.add_argument("--project", type=Path, default=Path(), help="folder of data/raw, src and the lock")


def _add_configuration(verbs: Verbs) -> None:
    compose = verbs.add_parser("compose", help="freeze conf/ into params.yaml", description="Freeze conf/ into "
                               "params.yaml, byte for byte as `dvc exp run` does, and print what changed.")
    compose.add_argument("overrides", nargs="*", help="Hydra overrides: model=gru train.learning_rate=1e-3")
    compose.add_argument("--check", action="store_true", help="write nothing; fail if params.yaml is not up to date")
    verbs.add_parser("extensions", help="lock the code of other packages that params.yaml names", description="Write "
                     "extensions.lock: the installed version and the SHA-256 of the code of each cell, head, loss or "
                     "source of another package that params.yaml names.")
    schema = verbs.add_parser("schema", help="write JSON schemas with which editors check conf/")
    schema.add_argument("folder", type=Path, nargs="?", default=Path("conf/.schema"))


def _add_searches(verbs: Verbs) -> None:
    sweep = verbs.add_parser("sweep", help="one run for each combination of values", description="Run every "
                             "combination of a Hydra multirun in a root of its own below .unroll/sweeps/.")
    sweep.add_argument("overrides", nargs="+", help="Hydra overrides: model=rnn,lstm,gru train.seed=1,2")
    sweep.add_argument("-m", "--multirun", action="store_true", help="accepted as in Hydra's own programs")
    sweep.add_argument("--name", help="folder below .unroll/sweeps/ (default: what is varied)")
    tune = verbs.add_parser("tune", help="search for good values", description="Optuna proposes values from "
                            "conf/tune/SPACE.yaml; each trial is a run, and bad ones are stopped early. The same "
                            "command continues a study, also in another process or on another machine.")
    tune.add_argument("overrides", nargs="*", help="Hydra overrides, the same for all trials: experiment=gunpoint")
    tune.add_argument("--space", default="default", help="file in conf/tune/")
    tune.add_argument("--name", help="study and folder below .unroll/tune/ (default: the name of the space)")
    tune.add_argument("--trials", type=positive, metavar="N", help="trials of the study, in all processes together")
    tune.add_argument("--jobs", type=positive, metavar="N", help="trials at once (default: as many as cores allow)")
    tune.add_argument("--storage", metavar="URL", help="database of the study: sqlite:///…, postgresql://… (default: "
                      "SQLite in the folder)")
    promote = verbs.add_parser("promote", help="make a job's configuration the project's", description="Write the "
                               "configuration of a sweep's or study's job to conf/experiment/NAME.yaml, choose it in "
                               "conf/config.yaml and compose. `dvc repro` then gives the same model.")
    promote.add_argument("root", type=Path, help="root of the job, as a sweep or study prints it")
    promote.add_argument("--name", help="name of the experiment (default: the sweep's or study's, and -best)")
    job = verbs.add_parser("job")       # what sweeps and studies start
    for option in ("--root", "--project"):
        job.add_argument(option, type=Path, required=True)
    job.add_argument("--parent", type=int)


def _add_predict(verbs: Verbs) -> None:
    predict = verbs.add_parser("predict", help="predictions for a file without targets", description="A class, a value "
                               "or a forecast for every sequence of a file: text, a table (CSV, Parquet, a workbook, "
                               "…), .npz, .npy, .ts, or a folder of these.")
    predict.add_argument("input", type=Path)
    predict.add_argument("-o", "--out", type=Path, required=True, help="table to write: .csv, .jsonl or .parquet")
    predict.add_argument("--model", default=MODEL, help=MODEL_HELP)
    predict.add_argument("--time-format", metavar="FORM", help="format of the file's times, where it differs from the "
                         "training data's, as for init")
    predict.add_argument("--delimiter", help="between the cells of the file, where it differs: ',', ';', tab, '|'")
    predict.add_argument("--outcomes", type=Path, metavar="FILE", help="beside a table of events, the table with a row "
                         "a series, of which the model reads what is known of a whole series")
    predict.add_argument("--encoding", help="of the file, where it differs: a name that Python knows")
    predict.add_argument("--sheet", metavar="NAME", help="of a workbook, where it differs")
    predict.add_argument("--skip", type=count, metavar="N", help="lines of the file before its first row, where they "
                         "differ")
    predict.add_argument("--future", type=Path, metavar="TABLE", help="what is known of the steps that are forecast, "
                         "where the model reads it: a table with the same columns of series and time")
    predict.add_argument("--adapt", action="store_true", help="move a forecast's intervals by what earlier ones of the "
                         "file's series would have missed by, for series that change")
    predict.add_argument("--impute", action="store_true", help="write the series with what is missing filled in, and "
                         "say how well that is done")
    predict.add_argument("--state", type=Path, help="continue from the state that --save-state wrote")
    predict.add_argument("--save-state", type=Path, help="write the state at the end of the sequences")


def _add_sample(verbs: Verbs, with_settings: bool) -> None:
    # options that are not given are absent: each kind of model has its own defaults and rejects what it ignores
    sample = verbs.add_parser("sample", help="generate from a model", argument_default=argparse.SUPPRESS,
                              description="A language model writes a text after each prompt, or from the start. A "
                              "model of music composes MIDI files. A forecaster draws paths that a series could take. "
                              "A model of the next step of several fields draws rows of a table. The n-th sample "
                              "depends on the seed and n alone.")
    sample.add_argument("prompts", nargs="*", metavar="PROMPT", help="a text; for music, a MIDI file or a piano roll; "
                        "for a forecaster, the file with the series; for rows, a file with sequences to continue")
    sample.add_argument("--prompts", dest="prompts_file", type=Path, metavar="FILE", help="texts, one per line, or "
                        '.jsonl with {"prompt": "…", "given": {…}}; - is standard input; for rows, .jsonl with '
                        '{"prompt": {…}, "given": {…}}')
    sample.add_argument("--model", default=MODEL, help=MODEL_HELP)
    sample.add_argument("--count", type=positive, metavar="N", help="samples for each prompt (default: 1; paths: 100)")
    sample.add_argument("--seed", type=int, metavar="N", help="(default: 1)")
    if with_settings:
        _add_settings(sample.add_argument_group("sampling settings (music and paths have length and temperature only; "
                                                "rows all but stop)"))
    text = sample.add_argument_group("for texts; --given, --stream, --int8 and --gpu for rows, too")
    text.add_argument("--given", action="append", metavar="NAME=VALUE,…", help="what the model reads beside the text; "
                      "again for each input")
    text.add_argument("--replace-unknown", action="store_true", help="read symbols outside the vocabulary as unknown")
    text.add_argument("--stream", action="store_true", help="print as it is drawn, in constant memory")
    text.add_argument("--interactive", action="store_true", help="answer each line that is typed")
    text.add_argument("--log-probabilities", action="store_true", help="write each symbol's, in nats, to the .jsonl")
    text.add_argument("--int8", action="store_true", help="weights as whole numbers: an LSTM is several times as fast")
    text.add_argument("--gpu", action="store_true", help="step the network on a GPU, captured as a CUDA graph")
    sample.add_argument("-o", "--out", type=Path, help="texts: a .txt, or a .jsonl with one object per text; music and "
                        "paths: a folder; rows: a .csv, .jsonl or .parquet (default: printed)")
    sample.add_argument("--tempo", type=positive, metavar="N", help="frames of music per minute (default: 120)")
    sample.add_argument("--threads", type=positive, metavar="N", help="only wide models gain from more (default: 1)")


def _add_settings(group: "argparse._ArgumentGroup") -> None:
    """An option for each sampling setting, as `config/sampling.py` declares them."""
    from unroll.config.sampling import COMMAND, settings

    more = {"length": ", or inf (default: 500; music and rows: 200; paths: the model's horizon)",
            "temperature": " (default: 0.7; music, paths and rows: 1)", "stop": "; again for each"}
    for name, setting in settings().items():
        option = COMMAND.name(name)
        how: dict[str, Any] = {"help": setting.description.replace("%", "%%") + more.get(name, ""), "dest": name}
        if setting.kind == "boolean":
            group.add_argument(option, action="store_true", **how)
        elif setting.kind == "array":
            group.add_argument(option, action="append", metavar="TEXT", **how)
        else:
            convert = length if name == "length" else {"integer": int, "number": float, "string": str}[setting.kind]
            group.add_argument(option, type=convert, metavar={"integer": "N", "number": "X", "string": "TEXT"}[
                setting.kind], **how)


def _add_play(verbs: Verbs) -> None:
    play = verbs.add_parser("play", help="a page to play with a model", description="Serve a page on this machine, and "
                            "to it only. A language model writes there and shows its hidden units and the "
                            "probabilities of the next symbol; a forecaster draws its forecast of a file.")
    play.add_argument("--model", default=MODEL, help=MODEL_HELP)
    play.add_argument("--port", type=positive, default=7860, metavar="N", help="(default: 7860)")


def _add_export(verbs: Verbs) -> None:
    export = verbs.add_parser("export", help="a language model as ONNX", description="Write step.onnx, vocabulary.json "
                              "and example.py, which needs only NumPy and ONNX Runtime.")
    export.add_argument("--model", default=MODEL, help=MODEL_HELP)
    export.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="new, or empty")


def _add_init(verbs: Verbs) -> None:
    init = verbs.add_parser("init", help="write a configuration for your data", description="Look at text, a table, "
                            "arrays, .ts files or a folder for each class, print what is found, copy it below "
                            "data/raw, and write conf/data/NAME.yaml and conf/experiment/NAME.yaml.")
    init.add_argument("name", help="name of the data set and its experiment")
    init.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE_OR_FOLDER")
    init.add_argument("--force", action="store_true", help="replace what init wrote under that name before")
    init.add_argument("--task", choices=("language", "classify", "tag", "regress", "forecast"))
    init.add_argument("--target", action="append", default=[], metavar="COLUMN", help="column or array to predict; "
                      "again for each")
    init.add_argument("--input", action="append", default=[], metavar="COLUMN", help="column or array to read, and no "
                      "other; again for each")
    init.add_argument("--future", action="append", default=[], metavar="COLUMN", help="column to read beside a "
                      "forecast, and known at the steps ahead, too; again for each")
    init.add_argument("--kind", action="append", default=[], metavar="COLUMN=KIND", type=column_kind, help="what a "
                      "column or an array is: real, categories, future_real, future_categories, static_real, "
                      "static_categories, tokens, context_tokens, context_real or context_categories to read; "
                      "class, tag, value, values, next, next_categories or next_real, of arrays also labels or "
                      "next_labels, to predict; none to leave it out; again for each")
    init.add_argument("--time", metavar="COLUMN", help="column that orders the rows, or none")
    init.add_argument("--time-format", metavar="FORM", help="format of the times, as in strptime, with %%q for "
                      "quarters: %%d.%%m.%%Y, %%Y-Q%%q; or epoch s, epoch ms, decimal year")
    init.add_argument("--time-zone", metavar="ZONE", help="of times without an offset: Europe/Berlin")
    init.add_argument("--gaps", choices=("ignore", "refuse", "split", "fill"), help="what becomes of times that are "
                      "missing: nothing, an error, the end of one series and the start of another, rows without values")
    init.add_argument("--missing", choices=("refuse", "mask", "forward", "mean", "interpolate"), help="what is read in "
                      "place of a number that is missing")
    init.add_argument("--na-value", action="append", default=[], metavar="CELL", help="a cell that stands for a "
                      "missing number, such as -9999, or none; again for each")
    init.add_argument("--series", metavar="COLUMN", help="column that names the sequence of a row, or none")
    init.add_argument("--outcomes", type=Path, metavar="FILE", help="beside a long table of events (series, time, "
                      "channel, value), the table with a row a series: what is predicted, and facts")
    init.add_argument("--until", metavar="TIME", help="of events: later ones are not read, or none")
    init.add_argument("--channel", metavar="COLUMN", help="of events: column that says what was measured")
    init.add_argument("--horizon", type=positive, metavar="N", help="steps that a forecast predicts")
    init.add_argument("--season", type=positive, metavar="N", help="steps of a cycle; 1: no cycle")
    init.add_argument("--delimiter", help="between the cells of a CSV file: ',', ';', tab, '|'")
    init.add_argument("--decimal", choices=(".", ","))
    init.add_argument("--encoding", help="a name that Python knows")
    init.add_argument("--header", choices=("yes", "no"), help="whether the first row has the names of the columns")
    init.add_argument("--sheet", metavar="NAME", help="of a workbook; without it the first")
    init.add_argument("--wide", choices=("rows", "columns", "none"), help="what holds a series to forecast")
    init.add_argument("--skip", type=count, metavar="N", help="lines of a CSV file or a sheet before its first row")
    init.add_argument("--comment", metavar="MARK", help="what lines begin with that are no rows, or none")
    init.add_argument("--units", choices=("yes", "no"), help="whether the row below the header holds units")
    init.add_argument("--thousands", metavar="MARK", help="between the thousands of numbers, as in 1,234.5; or none")


def _add_verify(verbs: Verbs) -> None:
    verify = verbs.add_parser("verify", help="run a commit from scratch and compare", description="Clone a revision "
                              "into a temporary folder, run its pipeline from nothing, and compare every output with "
                              "its dvc.lock. Exit code 1: something differs.")
    verify.add_argument("revision", nargs="?", default="HEAD", metavar="REV", help="git revision or DVC experiment")
    verify.add_argument("--quick", action="store_true", help="compare two runs of the small profile")
    verify.add_argument("--fresh", action="store_true", help="install the locked requirements first")
    verify.add_argument("--tolerance", type=tolerance, default=0.01, help="relative difference of figures that is "
                        "accepted where machine or libraries differ (default: 0.01)")
    verify.add_argument("--report", type=Path, help="JSON to write (default: .unroll/verify/COMMIT.json)")
