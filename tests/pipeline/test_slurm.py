"""The job of docs/scaling.md through a Slurm of one machine, which is started for it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Repo
from unroll.base.files import sha256

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("slurm")
    tool = REPOSITORY / "tools" / "slurm.sh"
    subprocess.run([tool, "start", folder], check=True)
    yield {"SLURM_CONF": str(folder / "slurm.conf")}
    subprocess.run([tool, "stop", folder], check=True)


def submit(repo: Repo, script: str, slurm: dict[str, str]) -> tuple[int, str]:
    """Exit code and output of a job."""
    (repo.folder / "job.sh").write_text(script)
    environment = repo.environment | slurm
    done = subprocess.run(["sbatch", "--wait", "--output=job.txt", "job.sh"], cwd=repo.folder, env=environment, check=False, timeout=240)
    return done.returncode, (repo.folder / "job.txt").read_text()


def job(ntasks: int, devices: int) -> str:
    """As in the docs, on one machine without GPUs, of the small profile."""
    page = (REPOSITORY / "docs" / "scaling.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"<!-- slurm -->\n```sh\n(.+?)```", page, re.DOTALL)
    for old, new in {
        "--nodes=2 --ntasks-per-node=4 --gpus-per-node=4": f"--nodes=1 --ntasks-per-node={ntasks}",
        ". .venv/bin/activate": f"export PATH={Path(sys.executable).parent}:$PATH",
        "train.num_nodes=2 train.devices=4 train.accelerator=gpu": f"train.devices={devices} train.threads=1",
    }.items():
        assert old in script
        script = script.replace(old, new)
    return re.sub(r"^unroll ", "python -m unroll ", script, flags=re.MULTILINE)


def test_a_job_gives_what_one_machine_gives_without_slurm(repo: Repo, slurm: dict[str, str], tmp_path: Path) -> None:
    repo.set(runtime__progress=True)
    code, said = submit(repo, job(2, 2), slurm)
    assert code == 0, said
    assert "Stage 'train' didn't change, skipping" in said
    assert said.count("train: best validation loss") == 1 and said.count(", validation loss") == 1
    assert repo.run("dvc", "status").stdout.strip() == "Data and pipelines are up to date."
    other = Repo(tmp_path / "other")
    repo.run("git", "clone", "-q", ".", str(other.folder))
    other.unroll("compose", "train.devices=2", "train.threads=1")
    other.repro()
    assert other.model_sha256() == repo.model_sha256()


def test_tasks_that_were_not_asked_for_are_one_line(repo: Repo, slurm: dict[str, str]) -> None:
    code, said = submit(repo, job(2, 1), slurm)
    assert code == 2
    assert "unroll: train.devices: 1 × train.num_nodes 1 processes are asked for, srun has started 2 × 1." in said


def test_without_srun_a_job_starts_its_own_processes(repo: Repo, slurm: dict[str, str]) -> None:
    code, said = submit(repo, job(2, 2).replace("srun ", ""), slurm)
    assert code == 0 and "srun" not in said, said


def test_a_job_whose_time_is_over_goes_on_when_it_is_submitted_again(repo: Repo, slurm: dict[str, str]) -> None:
    repo.set(train__max_steps=800, train__epochs=999, train__validate_steps=400, runtime__checkpoint__steps=10)
    (repo.folder / "job.sh").write_text(job(2, 2))
    environment = repo.environment | slurm
    first = subprocess.run(["sbatch", "--parsable", "--output=job.txt", "job.sh"], cwd=repo.folder, env=environment, check=True,
                           capture_output=True, text=True).stdout.strip()
    deadline = time.monotonic() + 120
    while not list((repo.folder / ".unroll").rglob("step-*")):
        assert time.monotonic() < deadline, (repo.folder / "job.txt").read_text()
        time.sleep(0.2)
    subprocess.run(["scancel", first], env=os.environ | slurm, check=True)
    while subprocess.run(["squeue", "-h", "-j", first], env=os.environ | slurm, check=False, capture_output=True).stdout:
        time.sleep(0.2)
    assert not (repo.folder / "artifacts" / "model").exists()
    code, said = submit(repo, job(2, 2), slurm)
    assert code == 0 and "train: going on from" in said, said


# -------------------------------------------------------------------------------------------------------------- sweeps


def sweep(repo: Repo, slurm: dict[str, str], *overrides: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    command = ["python", "-m", "unroll", "sweep", "hydra/launcher=slurm", "hydra.launcher.minutes=10", *overrides]
    return repo.run(*command, ok=ok, PYTHONPATH="src", **slurm)


def models(repo: Repo, name: str) -> dict[str, str]:
    """SHA-256 of each job's model."""
    roots = (repo.folder / ".unroll" / "sweeps" / name).glob("*/artifacts/model/model.safetensors")
    return {each.parents[2].name: sha256(each) for each in roots}


def test_a_sweep_gives_through_slurm_what_it_gives_on_this_machine(repo: Repo, slurm: dict[str, str]) -> None:
    here = repo.unroll("sweep", "model=rnn,gru", "--name", "here")
    there = sweep(repo, slurm, "model=rnn,gru", "--name", "there")
    assert models(repo, "here") == models(repo, "there") and len(models(repo, "there")) == 2
    assert there.stdout.split("\n\n")[1] == here.stdout.split("\n\n")[1].replace("/here", "/there")


def test_jobs_that_slurm_does_not_take_are_one_line_and_leave_nothing(repo: Repo, slurm: dict[str, str]) -> None:
    done = sweep(repo, slurm, "model=rnn,gru", "hydra.launcher.partition=none", ok=False)
    assert done.returncode == 2
    *sbatch, said = done.stderr.splitlines()        # what sbatch said comes first
    assert all(line.startswith("sbatch: ") for line in sbatch)
    assert said.startswith("unroll: sweep: 2 jobs failed: model=rnn, model=gru (slurm: refused the job (sbatch: error: invalid")
    assert not list(repo.folder.glob(".unroll/sweeps/*/*/metrics"))


def test_a_sweep_that_was_killed_finds_its_jobs_in_the_queue(repo: Repo, slurm: dict[str, str]) -> None:
    repo.set(train__max_steps=300, train__epochs=999, train__validate_steps=300)
    command = [sys.executable, "-m", "unroll", "sweep", "hydra/launcher=slurm", "train.seed=1,2", "hydra.launcher.jobs=1"]
    process = subprocess.Popen(command, cwd=repo.folder, env=repo.environment | slurm | {"PYTHONPATH": "src"})
    while not list((repo.folder / ".unroll").rglob("slurm.json")):
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()
    (submitted,) = (repo.folder / ".unroll").rglob("slurm.json")
    number = submitted.read_text()
    done = sweep(repo, slurm, "train.seed=1,2", "hydra.launcher.jobs=1")
    assert done.stdout.count(": validation loss") == 2
    assert submitted.read_text() == number
