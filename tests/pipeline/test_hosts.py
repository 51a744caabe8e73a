"""torchrun over two machines: network namespaces with addresses of their own, joined by a cable of the kernel's."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import outputs
from tests.conftest import REPOSITORY
from tests.pipeline.conftest import freeze

pytestmark = pytest.mark.root

FIRST = "10.201.77.1"


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    names = [f"unroll-{os.getpid()}-{number}" for number in (1, 2)]
    steps = [
        *(f"netns add {name}" for name in names),
        f"link add eth0 netns {names[0]} type veth peer name eth0 netns {names[1]}",
        *(f"-n {name} addr add 10.201.77.{number}/24 dev eth0" for number, name in enumerate(names, 1)),
        *(f"-n {name} link set {device} up" for name in names for device in ("lo", "eth0")),
    ]
    try:
        for step in steps:
            subprocess.run(["ip", *step.split()], check=True)
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def torchrun(host: str, number: int, root: Path, **environment: str) -> subprocess.Popen[str]:
    page = (REPOSITORY / "docs" / "scaling.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"<!-- torchrun -->\n```sh\n.*^torchrun (.+?)$.*```\n<!-- /torchrun -->", page, re.DOTALL | re.MULTILINE)
    for old, new in {"--nproc-per-node=4": "--nproc-per-node=1", "--node-rank=0": f"--node-rank={number}", "10.0.0.1": FIRST}.items():
        assert old in line
        line = line.replace(old, new)
    command = ["ip", "netns", "exec", host, sys.executable, "-m", "torch.distributed.run", *line.split()]
    return subprocess.Popen([*command, "--root", str(root)], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env=os.environ | {"DVC_ROOT": str(root), "PYTHONPATH": "src"} | environment)


def test_two_machines_learn_what_two_processes_learn(alone, pair, hosts, tmp_path):
    root = freeze(tmp_path / "root", "train.num_nodes=2")
    shutil.copytree(alone / "data", root / "data")
    processes = [torchrun(host, number, root, GLOO_SOCKET_IFNAME="eth0") for number, host in enumerate(hosts)]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert outputs(root) == outputs(pair)


def test_machines_that_name_no_interface_do_not_wait_for_ever(alone, hosts, tmp_path):
    """Where a machine's own name leads to its loopback, as Debian has it."""
    root = freeze(tmp_path / "root", "train.num_nodes=2", "runtime.wait_minutes=0.2")
    shutil.copytree(alone / "data", root / "data")
    processes = [torchrun(host, number, root, GLOO_SOCKET_IFNAME="lo") for number, host in enumerate(hosts)]
    for process in processes:
        said, _ = process.communicate(timeout=90)
        assert process.returncode != 0 and "name the network interface of each in GLOO_SOCKET_IFNAME" in said, said
