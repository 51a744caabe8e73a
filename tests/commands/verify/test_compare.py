"""What counts as the same, as nearly the same and as something else."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from unroll.base.environment import differences, processor
from unroll.commands.verify import Result
from unroll.commands.verify.clone import other_libraries
from unroll.commands.verify.compare import Output, compare


def run(root: Path, loss: object = 2.0, row: str = "1,2.5", weight: float = 1.0, text: str = "a") -> Path:
    for folder in ("data/prepared", "artifacts/model", "artifacts/samples", "metrics", "plots/test"):
        (root / folder).mkdir(parents=True)
    np.save(root / "data" / "prepared" / "x.npy", np.arange(3))
    save_file({"w": np.asarray([weight, 4.0], np.float32)}, root / "artifacts" / "model" / "model.safetensors")
    (root / "artifacts" / "samples" / "samples.txt").write_text(text)
    (root / "metrics" / "test.json").write_text(json.dumps({"test/loss": loss, "by": [{"n": 3}]}))
    (root / "plots" / "train.csv").write_text(f"step,loss\n{row}\n")
    (root / "plots" / "test" / "picture.svg").write_text(text)
    return root


def states(first: Path, second: Path, tolerance: float = 0.01) -> dict[str, tuple[str, str]]:
    return {each.path: (each.state, each.detail) for each in compare(first, second, tolerance) if each.state != "identical"}


def test_every_output_is_named_once(tmp_path):
    found = compare(run(tmp_path / "a"), run(tmp_path / "b"), 0.01)
    assert [each.path for each in found] == ["artifacts/model", "artifacts/samples", "data/prepared",
                                             "metrics/test.json", "plots/test", "plots/train.csv"]
    assert {each.state for each in found} == {"identical"}


@pytest.mark.parametrize(("change", "expected"), [
    ({"loss": 2.002}, {"metrics/test.json": ("equal", "test.json test/loss: 0.001")}),
    ({"loss": 2.2}, {"metrics/test.json": ("different", "test.json test/loss: 0.1")}),
    ({"loss": -2.0}, {"metrics/test.json": ("different", "test.json test/loss: 2")}),
    ({"loss": "no number"}, {"metrics/test.json": ("different", "test.json")}),
    ({"loss": float("nan")}, {"metrics/test.json": ("different", "test.json test/loss: inf")}),
    ({"row": "1,2.51"}, {"plots/train.csv": ("equal", "train.csv line 2, loss: 0.004")}),
    ({"row": "1,2.5\n2,2.5"}, {"plots/train.csv": ("different", "train.csv")}),
    ({"weight": 1.02}, {"artifacts/model": ("equal", "model/model.safetensors w: 0.005")}),
    ({"text": "b"}, {"artifacts/samples": ("different", "samples/samples.txt"), "plots/test": ("different", "test/picture.svg")}),
], ids=str)
def test_numbers_may_be_a_little_off_and_nothing_else(tmp_path, change, expected):
    assert states(run(tmp_path / "a"), run(tmp_path / "b", **change)) == expected


def test_nothing_is_off_by_no_tolerance(tmp_path):
    assert states(run(tmp_path / "a"), run(tmp_path / "b", loss=2.002), 0)["metrics/test.json"][0] == "different"


def test_hashes_tell_where_the_output_is_not_at_hand(tmp_path):
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    hashes = {"artifacts/model": ("1", "1"), "gone": ("1", "2"), "plots/test": ("1", "2"), "metrics/test.json": ("1", None)}
    (first / "artifacts" / "model" / "model.safetensors").unlink()
    (second / "metrics" / "test.json").unlink()
    (second / "gone").touch()
    assert [(each.path, each.state) for each in compare(first, second, 0.01, hashes)] == [
        ("artifacts/model", "identical"), ("gone", "different"), ("metrics/test.json", "missing"), ("plots/test", "equal")]


SAME, NEAR, FAR = (Output("metrics/test.json", state, None, "") for state in ("identical", "equal", "different"))
WEIGHTS = Output("artifacts/model", "different", None, "")


@pytest.mark.parametrize(("outputs", "inputs", "environment", "verdict"), [
    ([SAME], [], [], "identical"),
    ([SAME], [], ["lacks avx512f"], "identical"),
    ([SAME], ["src/unroll/models"], [], "different"),
    ([NEAR, WEIGHTS], [], ["lacks avx512f"], "equal"),
    ([NEAR, WEIGHTS], [], [], "different"),         # nothing explains it
    ([FAR, WEIGHTS], [], ["lacks avx512f"], "different"),
])
def test_a_difference_needs_an_explanation(outputs, inputs, environment, verdict):
    assert Result("commit", outputs, inputs, environment).verdict() == verdict


def test_a_processor_is_its_maker_and_its_instruction_sets(tmp_path):
    described = tmp_path / "cpuinfo"
    described.write_text("processor\t: 0\nvendor_id\t: GenuineIntel\nMHz : 2500\nflags\t\t: fpu avx2 sse4_1 avx512f fma\n\n"
                         "processor\t: 1\nvendor_id\t: Other\n")
    assert processor(described) == {"maker": "GenuineIntel", "instructions": "avx2 avx512f fma sse4_1"}
    assert processor(tmp_path / "none") == {}


def test_differences_are_said_in_words():
    before = {"torch": "2.13.0", "processor": {"maker": "A", "instructions": "avx2 avx512f"}, "gpu": None}
    now = {"torch": "2.13.0+cpu", "processor": {"maker": "B", "instructions": "avx2 amx_tile"}, "gpu": None}
    assert differences(before, now) == ["processor lacks avx512f", "processor has amx_tile", "processor maker: A there, B here",
                                        "torch: 2.13.0 there, 2.13.0+cpu here"]
    assert differences(before, before) == []


def test_libraries_that_are_not_the_locked_ones(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("pytest==0.0.1 \\\n    --hash=sha256:00\nnot-installed==1.0 \\\n    --hash=sha256:00\n")
    assert other_libraries(lock) == [f"pytest: 0.0.1 locked, {pytest.__version__} here"]
