"""A commit in a folder of its own, with the environment of its own lock, where its pipeline runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import yaml

from unroll.base.environment import differences
from unroll.base.errors import UserError
from unroll.base.processes import own_environment

WRITTEN = ("data/prepared", "artifacts", "metrics", "plots")
ENVIRONMENT = "metrics/environment.json"


@dataclass(frozen=True)
class Lock:
    """What dvc.lock says: the hashes of outputs, and of the inputs that they were made from."""

    outputs: dict[str, str]
    inputs: dict[str, object]

    def other_inputs(self, later: "Lock") -> list[str]:
        return sorted(name for name, value in self.inputs.items() if later.inputs.get(name) != value)


def resolve(project: Path, revision: str) -> str:
    """The commit of a revision or of an experiment's name."""
    experiments = _git(project, "for-each-ref", "--format=%(refname)", f"refs/exps/**/{revision}").split()
    found = (_git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
             for name in (revision, *experiments))
    commit = next(filter(None, found), None)
    if commit is None:
        raise UserError("not-found", revision, f"neither a revision of git nor an experiment of DVC in "
                        f"{project.resolve()}.")
    for name in ("dvc.yaml", "dvc.lock", "requirements.lock", "src/unroll"):
        if not _git(project, "ls-tree", "--name-only", commit, name):
            raise UserError("missing-file", revision, f"has no {name}, so there is nothing to verify. Commit what "
                            "`dvc repro` wrote, or name another revision.")
    return commit


class Clone:
    """A temporary clone of a commit below `parent`; it reads from the project's DVC cache and writes nothing there."""

    def __init__(self, project: Path, commit: str, parent: Path, fresh: bool) -> None:
        self._parent, self.folder = parent, parent / "clone"
        self._environment = own_environment()
        # a local clone has every object, those of experiments too
        self._run("git", "clone", "--quiet", "--no-checkout", str(project.resolve()), str(self.folder), at=parent)
        self._run("git", "checkout", "--quiet", "--detach", commit)
        local = project / ".dvc" / "config.local"
        if local.is_file():     # where the remotes are, and their keys
            shutil.copy(local, self.folder / ".dvc")
        lock = "requirements.lock"
        self._own = fresh or (project / lock).read_bytes() != (self.folder / lock).read_bytes()
        if self._own:
            self._run("sh", "tools/install.sh")
        programs = self.folder / ".venv" / "bin" if self._own else Path(sys.executable).parent
        self._environment |= {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": "src",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",    # not among the project's own runs
        }
        cache = self._run("dvc", "cache", "dir", at=project, shown=False).strip()
        self._run("dvc", "cache", "dir", "--quiet", "--local", str((project / cache).resolve()))

    def fetch(self) -> None:
        """Get the raw data that DVC tracks, which no stage can make, and the committed outputs in the cache."""
        for tracked in _git(self.folder, "ls-files", "*.dvc").splitlines():
            if not any(self._succeeds("dvc", verb, "--quiet", tracked) for verb in ("checkout", "pull")):
                raise UserError("missing-file", tracked, "its data is neither in DVC's cache nor in a remote. Bring it "
                                "there with `dvc pull` or `dvc push` first.")
        self._succeeds("dvc", "checkout", "--quiet", "--allow-missing")

    def set_aside(self) -> Path:
        """Move the committed outputs away, to compare with later; returns their root."""
        root = self._parent / "committed"
        for name in WRITTEN:
            if (self.folder / name).exists():
                shutil.copytree(self.folder / name, root / name)
                shutil.rmtree(self.folder / name)
        return root

    def repro(self) -> None:
        self._run("dvc", "repro", "--force", "--no-run-cache", "--no-commit")

    def run_small(self, name: str) -> Path:
        """Run the small profile in a root of its own."""
        root = self._parent / name
        root.mkdir()
        self._run("python", "-m", "unroll", "compose", "experiment=smoke", shown=False)
        for name in ("params.yaml", "extensions.lock"):
            shutil.copy(self.folder / name, root)
        self._run("python", "-m", "unroll", "run", "--root", str(root))
        return root

    def lock(self) -> Lock:
        stages = yaml.safe_load((self.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"].values()
        outputs = {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}
        inputs: dict[str, object] = {dep["path"]: dep["md5"] for stage in stages for dep in stage.get("deps", [])
                                     if dep["path"] not in outputs}
        for stage in stages:
            inputs |= {f"{section} in params.yaml": values
                       for section, values in stage.get("params", {}).get("params.yaml", {}).items()}
        return Lock(outputs, inputs)

    def other_environment(self, committed: Path) -> list[str]:
        """How the machine and the installed libraries differ from what was committed."""
        if not (committed / ENVIRONMENT).is_file():
            return ["the commit does not say which machine it was made on"]
        before, now = (json.loads((root / ENVIRONMENT).read_text(encoding="utf-8"))
                       for root in (committed, self.folder))
        return differences(before, now) + ([] if self._own else other_libraries(self.folder / "requirements.lock"))

    def _run(self, *command: str, at: Path | None = None, shown: bool = True) -> str:
        done = subprocess.run(command, cwd=at or self.folder, env=self._environment, text=True, check=False,
                              stdout=None if shown else subprocess.PIPE)
        if done.returncode:
            raise UserError("process", " ".join(command), f"ended with exit code {done.returncode} in a clone of the "
                            "commit, for the reason above.")
        return done.stdout or ""

    def _succeeds(self, *command: str) -> bool:
        return not subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True,
                                  check=False).returncode


def other_libraries(lock: Path) -> list[str]:
    """Installed versions that are not the locked ones."""
    found = []
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue        # of an extra that is not installed
        if installed != version:
            found.append(f"{name}: {version} locked, {installed} here")
    return found


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
