"""`unroll verify`: run a committed pipeline from nothing and compare its outputs with the committed ones."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from unroll.base.files import write_json
from unroll.commands.verify.clone import ENVIRONMENT, Clone, resolve
from unroll.commands.verify.compare import Output, compare

METRICS = "metrics/"        # decide whether a run is reproduced where its bytes are not the same


@dataclass(frozen=True)
class Result:
    """How the outputs of one revision compare."""

    commit: str
    outputs: list[Output]
    inputs: list[str]           # inputs that differ from those that dvc.lock was made from
    environment: list[str]      # differences of the machine and its libraries

    def verdict(self) -> str:
        """`identical`; `equal`: metrics within the tolerance, on another environment; `different`."""
        if self.inputs:
            return "different"
        if all(output.state == "identical" for output in self.outputs):
            return "identical"
        metrics = [output for output in self.outputs if output.path.startswith(METRICS) and output.path != ENVIRONMENT]
        near = all(output.state in ("identical", "equal") for output in metrics)
        return "equal" if near and self.environment else "different"


def verify(project: Path, revision: str, quick: bool, fresh: bool, tolerance: float, report: Path | None) -> bool:
    """Whether the outputs of a revision are reproduced; prints every output and writes a report.

    `quick` runs the small profile twice and compares the two. `fresh` installs the locked requirements even where the
    current environment has the same lock. `tolerance` is the greatest relative difference of a metric that counts as
    equal.
    """
    started = time.monotonic()
    commit = resolve(project, revision)
    with TemporaryDirectory(prefix="unroll-verify-") as folder:
        clone = Clone(project, commit, Path(folder), fresh)
        if quick:
            first, second = (clone.run_small(name) for name in ("first", "second"))
            result = Result(commit, compare(first, second, tolerance), [], [])
        else:
            clone.fetch()
            before, original = clone.lock(), clone.set_aside()
            clone.repro()
            after = clone.lock()
            hashes = {path: (digest, after.outputs.get(path)) for path, digest in before.outputs.items()}
            outputs = compare(original, clone.folder, tolerance, hashes)
            result = Result(commit, outputs, before.other_inputs(after), clone.other_environment(original))
    _print(result, quick, tolerance)
    report = report or project / ".unroll" / "verify" / f"{commit[:12]}{'-quick' if quick else ''}.json"
    write_json(report, {
        "commit": commit, "quick": quick, "tolerance": tolerance, "result": result.verdict(),
        "outputs": [asdict(output) for output in result.outputs], "inputs": result.inputs,
        "environment": result.environment, "seconds": round(time.monotonic() - started, 1),
    })
    print(f"report in {report}")
    return result.verdict() != "different"


def _print(result: Result, quick: bool, tolerance: float) -> None:
    print(f"\n{result.commit[:12]}, {'the small profile, twice' if quick else 'against its dvc.lock'}")
    for output in result.outputs:
        print(f"  {output.state:<10} {output.path}{f'  ({output.detail})' if output.detail else ''}")
    _list("made from other", result.inputs)
    _list("differs here", result.environment)
    match result.verdict():
        case "identical":
            print("identical: every output is the same bytes")
        case "equal":
            print(f"equal: every metric is within {tolerance:g} of what was committed; the environment differs")
        case _ if result.inputs:
            print("different: dvc.lock is not of this commit's inputs. Run `dvc repro` and commit what it writes")
        case _ if result.environment:
            print(f"different: a metric is further off than {tolerance:g}, though the environment may be why")
        case _:
            print("different, and nothing in the environment explains it")


def _list(title: str, lines: Sequence[str]) -> None:
    for line in lines:
        print(f"  {title:<15} {line}")
