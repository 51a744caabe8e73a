"""A file or a folder → a draft, by what it is called and what is in it."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.draft import Choices, Draft, Place, Say
from unroll.commands.init.folders import draft_folder
from unroll.commands.init.numpy_arrays import draft_arrays
from unroll.commands.init.tables import draft_table
from unroll.commands.init.texts import draft_text
from unroll.commands.init.ts_files import draft_ts
from unroll.sources.tabular import PARQUET

TABLES = (".csv", ".tsv", *PARQUET)
READ = f"text (.txt), tables ({', '.join(TABLES)}), arrays (.npz), .ts, or a folder for each class"


def look(place: Place, choices: Choices, say: Say) -> Draft:
    """Raises `UserError` when it is nothing that is read here, or may be several things."""
    given = place.given
    if given.is_file():
        return _of([given], place, choices, say)
    folders = [each for each in given.iterdir() if each.is_dir() and not each.name.startswith(".")]
    files = [each for each in sorted(given.iterdir()) if each.is_file() and not _hidden(each)]
    if folders:
        if any(file.suffix.lower() in (".txt", ".npz", ".ts", *TABLES) for file in files):
            raise UserError(f"{given}: files and folders beside each other. Give a folder of files, or one that has a "
                            "folder for each class and nothing else.")
        return draft_folder(place, choices, say)
    if not files:
        raise UserError(f"{given}: empty. Give {READ}.")
    return _of(files, place, choices, say)


def _hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix == ".dvc"


def _of(files: list[Path], place: Place, choices: Choices, say: Say) -> Draft:
    """Files of one kind, read one after another; .ts and .npz hold all that there is."""
    endings = {file.suffix.lower() for file in files}
    if endings <= set(TABLES) or (endings == {".txt"} and choices.of_a_table()):
        return draft_table(place, files, choices, say)
    if endings == {".txt"}:
        choices.only("text", "task", "encoding")
        return draft_text(place, files, choices, say)
    if endings == {".npz"} and len(files) == 1:
        choices.only("arrays", "task")
        return draft_arrays(place, files[0], choices, say)
    if endings == {".ts"}:
        choices.only(".ts files, which say it themselves", "task")
        return draft_ts(place, files, choices, say)
    said = f"{len(files)} files, {', '.join(sorted(ending or 'without ending' for ending in endings))}"
    raise UserError(f"{place.given}: {said if len(files) > 1 else files[0].suffix or 'no ending'} is not what is read "
                    f"here. Give {READ}, all files of one kind.")
