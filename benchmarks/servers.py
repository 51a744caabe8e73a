"""Servers on the loopback, for as long as a measurement or a test needs them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 180     # of MLflow, on a machine that does other things, too
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], url: str, path: str = "/health"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block is left; `path` below `url` answers from the start of the block on."""
    log = folder.with_name(f"{folder.name}-server.log")
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output,
                                   start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url + path):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)      # with its own processes
        process.wait()


@contextmanager
def tracking_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """MLflow's with SQLite, as docs/scaling.md has it: artifacts go through the server."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    store = folder / f"mlflow-{port}"
    store.mkdir(parents=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", "sqlite:///server.db", "--artifacts-destination", str(store / "artifacts")]
    with serving(command, store, os.environ | QUIET, url) as process:
        yield url, process


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False
