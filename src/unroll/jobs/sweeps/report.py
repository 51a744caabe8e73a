"""The report of a sweep: a ranked table with mean and spread over seeds, and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from unroll.base.files import write_rows, write_text
from unroll.config.objective import Objective
from unroll.drawing.sweeps import ranking
from unroll.evaluation.comparison import Comparison
from unroll.jobs import Job
from unroll.jobs.group import SUMMARY

SEED = "train.seed="


@dataclass(frozen=True)
class Entry:
    """A configuration: jobs that differ in their seed alone."""

    name: str
    jobs: list[Job]
    validations: list[float]            # the objective of each job's best weights, on the validation split
    comparisons: list[Comparison]       # of each job, on the test split
    parameters: int

    @property
    def measure(self) -> str:
        return self.comparisons[0].measure

    @property
    def unit(self) -> str:
        return self.comparisons[0].unit

    @property
    def tests(self) -> list[float]:
        return [comparison.model for comparison in self.comparisons]

    @property
    def objective(self) -> Objective:
        return self.jobs[0].objective

    @property
    def best(self) -> Job:
        pairs = zip(self.validations, self.jobs, strict=True)
        return min(pairs, key=lambda pair: (self.objective.rank(pair[0]), str(pair[1].root)))[1]


def report(jobs: Sequence[Job], folder: Path) -> dict[str, float]:
    """Print the table, write it and the picture below `folder`, and return the figures of the best entry."""
    if not jobs:
        return {}
    entries, goal = ranked(jobs), jobs[0].objective
    write_rows(folder / "table.csv", [
        {"rank": rank, "configuration": entry.name, "runs": len(entry.jobs),
         f"validation_{goal.name}": mean(entry.validations), "validation_spread": spread(entry.validations),
         "measure": entry.unit, "test": mean(entry.tests), "test_spread": spread(entry.tests),
         "parameters": entry.parameters, "best_root": str(entry.best.root)}
        for rank, entry in enumerate(entries, 1)
    ])
    text = markdown(entries)
    write_text(folder / SUMMARY, text)
    ranking([(entry.name, entry.validations, [job.curve() for job in entry.jobs]) for entry in entries],
            goal.name, goal.higher_is_better, folder / "comparison.png")
    best = entries[0]
    print(f"\n{text}\ntable, picture: {folder}\ntake the best: unroll promote {best.best.root}")
    return {f"sweep/val_{goal.name}": mean(best.validations), f"sweep/test_{best.measure}": mean(best.tests),
            "jobs/finished": len(jobs)}


def ranked(jobs: Sequence[Job]) -> list[Entry]:
    """Configurations by their mean on the validation split, the best first; the test split has no influence."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        name = " ".join(override for override in job.differs if not override.startswith(SEED)) or "as it stands"
        groups.setdefault(name, []).append(job)
    entries = [_entry(name, group) for name, group in groups.items()]
    return sorted(entries, key=lambda entry: entry.objective.rank(mean(entry.validations)))


def _entry(name: str, jobs: list[Job]) -> Entry:
    return Entry(name, jobs, [job.best() for job in jobs], [job.comparison() for job in jobs],
                 int(jobs[0].metrics()["model/parameters"]))


def markdown(entries: Sequence[Entry]) -> str:
    """A table whose columns are aligned, so that a terminal shows it as well as a browser."""
    units = {entry.unit for entry in entries}
    unit = units.pop() if len(units) == 1 else "measure"
    lines = [["", "configuration", "runs", f"validation {entries[0].objective.name}", f"test, {unit}", "parameters"]]
    for rank, entry in enumerate(entries, 1):
        lines.append([str(rank), entry.name, str(len(entry.jobs)), figure(entry.validations), figure(entry.tests),
                      f"{entry.parameters:,}"])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
                     for line in lines) + "\n"


def figure(values: Sequence[float]) -> str:
    return f"{mean(values):.4f}" + (f" ± {spread(values):.4f}" if len(values) > 1 else "")


def spread(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 for a single value."""
    return stdev(values) if len(values) > 1 else 0.0
