"""Where things are: the project's files, and one run's files below its root."""

import os
from dataclasses import dataclass
from pathlib import Path

from unroll.base.errors import UserError


@dataclass(frozen=True)
class Workspace:
    """`project` holds conf/, data/raw/, src/ and the lock; `root` holds one run's params.yaml and outputs."""

    project: Path
    root: Path

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def prepared(self) -> Path:
        return self.root / "data" / "prepared"

    @property
    def model(self) -> Path:
        return self.root / "artifacts" / "model"

    @property
    def card(self) -> Path:
        return self.root / "artifacts" / "card"

    @property
    def comparison(self) -> Path:
        return self.card / "comparison.json"

    @property
    def samples(self) -> Path:
        return self.root / "artifacts" / "samples"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics"

    @property
    def plots(self) -> Path:
        return self.root / "plots"

    @property
    def lock(self) -> Path:
        return self.project / "requirements.lock"

    @property
    def extensions(self) -> Path:
        """The lock of the extensions that params.yaml names, beside it."""
        return self.root / "extensions.lock"

    @property
    def home(self) -> Path:
        """The repository: DVC names it when a stage runs in one of its temporary checkouts."""
        return Path(os.environ.get("DVC_ROOT") or self.project).resolve()

    @property
    def work(self) -> Path:
        return self.home / ".unroll" / "work"

    def check_code(self) -> None:
        """Refuse to run code that is not the project's own: its outputs would not be this commit's."""
        own, package = (self.project / "src").resolve(), Path(__file__).resolve().parent.parent
        if own not in package.parents:
            raise UserError("conflict", package, f"this code runs, not {own / 'unroll'}. Run in the folder of the "
                            "project, or set PYTHONPATH=src.")
