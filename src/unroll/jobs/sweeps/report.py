"""What a sweep came to: a ranked table, mean and spread over seeds, and a picture."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from unroll.base.files import replacing, write_text
from unroll.base.measures import MEASURES, measure_of
from unroll.drawing.sweeps import ranking
from unroll.jobs import Job
from unroll.jobs.group import SUMMARY

SEED = "train.seed="


@dataclass(frozen=True)
class Entry:
    """Jobs that differ in their seed alone."""

    name: str
    jobs: list[Job]
    losses: list[float]     # of the best weights on the validation split
    tests: list[float]
    measure: str            # what `tests` are
    parameters: int


def report(jobs: Sequence[Job], folder: Path) -> dict[str, float]:
    """Print the table, write it and the picture below `folder`, and give the figures of the best entry."""
    if not jobs:
        return {}
    entries = ranked(jobs)
    rows = [
        {"rank": rank, "configuration": each.name, "runs": len(each.jobs),
         "validation_loss": mean(each.losses), "validation_spread": spread(each.losses),
         "measure": MEASURES[each.measure][0], "test": mean(each.tests), "test_spread": spread(each.tests),
         "parameters": each.parameters, "best_root": str(min(zip(each.losses, map(str, (job.root for job in each.jobs)),
                                                                 strict=True))[1])}
        for rank, each in enumerate(entries, 1)
    ]
    with replacing(folder / "table.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    text = markdown(entries)
    write_text(folder / SUMMARY, text)
    ranking([(each.name, each.losses, [job.curve() for job in each.jobs]) for each in entries],
             folder / "comparison.png")
    print(f"\n{text}\ntable, picture: {folder}\ntake the best: unroll promote {rows[0]['best_root']}")
    return {"sweep/val_loss": mean(entries[0].losses), f"sweep/test_{entries[0].measure}": mean(entries[0].tests),
            "jobs/finished": len(jobs)}


def ranked(jobs: Sequence[Job]) -> list[Entry]:
    """The lowest mean validation loss first; the test split has no say in it."""
    together: dict[str, list[Job]] = {}
    for job in jobs:
        name = " ".join(each for each in job.differs if not each.startswith(SEED)) or "as it stands"
        together.setdefault(name, []).append(job)
    entries = []
    for name, group in together.items():
        found = [job.metrics() for job in group]
        measure = measure_of(found[0])
        entries.append(Entry(name, group, [each["val/best_loss"] for each in found],
                             [each[f"test/{measure}"] for each in found], measure, int(found[0]["model/parameters"])))
    return sorted(entries, key=lambda each: mean(each.losses))


def markdown(entries: Sequence[Entry]) -> str:
    """As wide as its widest cells, so that a terminal shows it, too."""
    measures = {each.measure for each in entries}
    unit = MEASURES[entries[0].measure][0] if len(measures) == 1 else "measure"
    lines = [["", "configuration", "runs", "validation loss", f"test, {unit}", "parameters"]]
    for rank, each in enumerate(entries, 1):
        lines.append([str(rank), each.name, str(len(each.jobs)), figure(each.losses), figure(each.tests),
                      f"{each.parameters:,}"])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
                     for line in lines) + "\n"


def figure(values: Sequence[float]) -> str:
    return f"{mean(values):.4f}" + (f" ± {spread(values):.4f}" if len(values) > 1 else "")


def spread(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 of one value."""
    return stdev(values) if len(values) > 1 else 0.0
