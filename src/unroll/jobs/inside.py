"""What a job's own process does: it runs the stages that have not run yet, in order, in the job's root."""

import os
import sys
import time

from filelock import FileLock

from unroll.base.deps import digest
from unroll.base.job_folder import JobFolder
from unroll.base.processes import end_with_parent
from unroll.base.workspace import Workspace
from unroll.jobs.job import STAGES
from unroll.jobs.shared import prepare_once
from unroll.stages.pipeline import run_stages


def run_job(workspace: Workspace, parent: int | None) -> None:
    """Run the stages that have not run yet, with all output in ROOT/job/log.txt.

    Ends when the process that started it ends; `parent` is that process's number if it is on this machine.
    """
    end_with_parent()
    if parent is not None and os.getppid() != parent:       # it ended before end_with_parent()
        return
    folder = JobFolder(workspace.root)
    log = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (sys.stdout, sys.stderr):
        standard.flush()
        os.dup2(log, standard.fileno())
    # two studies may run the same configuration at the same time: the second waits, and finds it done
    with FileLock(folder.lock):
        inputs, state = digest(workspace, STAGES), folder.state()
        seconds = state["seconds"] if state["inputs"] == inputs else {}
        for stage in STAGES:
            if stage in seconds:
                continue
            started = time.monotonic()
            if stage == "prepare":
                prepare_once(workspace)
            else:
                run_stages((stage,), workspace)
            seconds[stage] = round(time.monotonic() - started, 3)
            folder.write_state(inputs, seconds)
