"""Write docs/results.md from what benchmarks/rows.py measured; `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).parent.parent
ROWS = PROJECT / "benchmarks" / "results" / "rows"


class Task(NamedTuple):
    title: str
    about: str
    measures: tuple[str, ...]       # the first is the one that networks are compared by
    published: tuple[tuple[str, str], ...] = ()     # method, figure and where it is from


DL4TSC = "Fawaz et al., their repository dl-4-tsc"
TCN = "Bai et al. (2018), table 1"
TASKS = {
    "gunpoint_lstm50": Task(
        "GunPoint, LSTM(50)", "The classic small network: LSTM(50) → Dense(1, sigmoid), Adam, 10 epochs "
        "of batch 32. Fifty sequences are two steps per epoch: twenty steps are not enough, as the figure shows.",
        ("accuracy", "macro_f1")),
    "gunpoint_lstm128": Task(
        "GunPoint, LSTM(128) with dropout", "LSTM(128) → Dropout(0.5) → Dense(1, sigmoid), otherwise as "
        "above.", ("accuracy", "macro_f1")),
    "gunpoint": Task(
        "GunPoint, selected by validation", "The same data, trained long enough; weights with the lowest loss on ten "
        "held-out sequences.", ("accuracy", "macro_f1"), (("1-NN DTW", "0.907 (UCR archive)"),)),
    "japanese_vowels": Task(
        "JapaneseVowels: unequal lengths", "Nine speakers, utterances of 7 to 29 steps; batches are bucketed by length "
        "and padded.", ("accuracy", "macro_f1"),
        (("FCN", f"0.993 ({DL4TSC})"), ("MLP", f"0.976 ({DL4TSC})"), ("TWIESN, recurrent", f"0.965 ({DL4TSC})"))),
    "basic_motions": Task(
        "BasicMotions: multivariate", "Four activities, six sensors, forty recordings for training.",
        ("accuracy", "macro_f1")),
    "code": Task(
        "Python source: a class per symbol", "The type of the token that each character belongs to, as `tokenize` has "
        "it, read from left to right; hidden size 128, the state carried from batch to batch.",
        ("accuracy", "macro_f1")),
    "signals": Task(
        "Generated signals: a class per step", "Ten numbers per step, whose law of motion changes now and then; a "
        "single step does not reveal its law.", ("accuracy", "macro_f1")),
    "covid": Task(
        "Covid3Month: a value per sequence", "The plain RNN(10) → Dense(1) on the mean squared error: a death rate "
        "from 84 days of new cases.", ("mse", "mae", "r2")),
    "mackey_glass": Task(
        "Mackey-Glass: a value per step", "The next value of a chaotic series, six time units ahead. With f = identity "
        "the recurrence is linear: the ratio is what nonlinearity gains.", ("mse", "mae", "r2")),
    "airline": Task(
        "Airline: a year ahead with intervals", "Rolling origins over the last quarter of the series. MASE is in units "
        "of the seasonal naive error within the training split.", ("mase", "smape", "crps", "coverage")),
    "solar": Task(
        "Solar: half a day ahead with intervals", "Half-hour steps, rolling origins over the last fifth of six days.",
        ("mase", "smape", "crps", "coverage")),
    "jsb": Task(
        "JSB Chorales: several labels per step", "Nats per frame of 88 keys, published split; as published, the first "
        "frame of a piece is read and not predicted.", ("nll", "frame_accuracy"),
        (("TCN", f"8.10 ({TCN})"), ("GRU", f"8.43 ({TCN})"), ("LSTM", f"8.45 ({TCN})"), ("RNN", f"8.91 ({TCN})"))),
    "nottingham": Task(
        "Nottingham: several labels per step", "As above.", ("nll", "frame_accuracy"),
        (("TCN", f"3.07 ({TCN})"), ("LSTM", f"3.29 ({TCN})"), ("GRU", f"3.46 ({TCN})"), ("RNN", f"4.05 ({TCN})"))),
    "docstrings": Task(
        "Docstrings: text classification", "Which of six packages is a docstring from? The package's own name is "
        "removed. TF-IDF is of words and pairs of words, the strength of its logistic regression selected on "
        "validation data.", ("macro_f1", "accuracy")),
}
HIGHER = ("accuracy", "macro_f1")       # measures of which a higher one is better
DIGITS = {"accuracy": 3, "macro_f1": 3, "nll": 3, "frame_accuracy": 3, "mase": 3, "smape": 2, "crps": 3,
          "coverage": 2, "r2": 3}


def page() -> str:
    parts = [
        "# Results\n",
        "One section per task, each with the command that reproduces its figures (add `--mirror FOLDER` where data is "
        "downloaded). Figures are of the test split, mean ± standard deviation over seeds 1, 2, 3. Weights are those "
        "with the lowest validation loss, the network in bold has the lowest mean of it, and nothing was selected on "
        "test data. The networks of a table differ in their core alone; `mlp` and `cnn` have no recurrence and about "
        "as many parameters, and were trained the same way. Written by `python tools/results.py` from "
        "`benchmarks/results/rows/`.\n",
        summary(),
    ]
    return "\n".join([*parts, *(section(name, task) for name, task in TASKS.items() if measured(name))])


def measured(name: str) -> dict[str, Any]:
    path = ROWS / f"{name}.json"
    row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return row


def summary() -> str:
    lines = ["| task | measure | the experiment's network | the network that validation selected | best baseline |",
             "|---|---|---|---|---|"]
    for name, task in TASKS.items():
        if not (row := measured(name)):
            continue
        measure = task.measures[0]
        simple = baselines(row, measure)
        better = max if measure in HIGHER else min
        method, value = better(simple.items(), key=lambda pair: pair[1]) if simple else ("–", float("nan"))
        anchor = task.title.lower().translate(str.maketrans("", "", ":(),.")).replace(" ", "-")
        cells = " | ".join(f"{network} {figure(row, network, measure)}" for network in (row["network"], selected(row)))
        lines.append(f"| [{task.title}](#{anchor}) | {measure} | {cells} | {method.replace('_', ' ')} "
                     f"{shown(value, measure)} |")
    return "\n".join(lines) + "\n"


def selected(row: dict[str, Any]) -> str:
    """The network with the lowest mean validation loss."""
    networks: dict[str, Any] = row["networks"]
    return min(networks, key=lambda network: networks[network]["mean"]["val/best_loss"])


def section(name: str, task: Task) -> str:
    row = measured(name)
    seeds = "" if len(row["seeds"]) > 1 else f" One seed: {row['seeds'][0]}."
    lines = [f"## {task.title}\n", f"{task.about} Experiment `{row['experiment']}`.{seeds}\n",
             f"    {row['command']}\n",
             "| | parameters | " + " | ".join(task.measures) + " | seconds |",
             "|---|---|" + "---|" * len(task.measures) + "---|"]
    for network, figures in sorted(row["networks"].items(), key=lambda pair: pair[0] != row["network"]):
        values = " | ".join(figure(row, network, measure) for measure in task.measures)
        mean = figures["mean"]
        mark = f"**{network}**" if network == selected(row) and len(row["networks"]) > 1 else network
        lines.append(f"| {mark} | {mean['model/parameters']:,.0f} | {values} | {mean['seconds']:.0f} |")
    methods = {method: None for measure in task.measures for method in baselines(row, measure)}
    for method in methods:
        values = " | ".join(shown(baselines(row, measure).get(method), measure) for measure in task.measures)
        lines.append(f"| *{method.replace('_', ' ')}* | | {values} | |")
    for method, value in task.published:
        lines.append(f"| published: {method} | | {value} |{' |' * len(task.measures)}")
    return "\n".join(lines) + "\n"


def baselines(row: dict[str, Any], measure: str) -> dict[str, float]:
    return {key.removeprefix("baseline/").removesuffix(f"_{measure}"): value for key, value in row["baselines"].items()
            if key.endswith(f"_{measure}")}


def figure(row: dict[str, Any], network: str, measure: str) -> str:
    figures, key = row["networks"][network], f"test/{measure}"
    deviation = f" ± {shown(figures['std'][key], measure)}" if len(row["seeds"]) > 1 else ""
    return f"{shown(figures['mean'][key], measure)}{deviation}"


def shown(value: float | None, measure: str) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS[measure]}f}" if measure in DIGITS else f"{value:.3g}"


def main() -> None:
    path = PROJECT / "docs" / "results.md"
    text = page()
    if "--check" not in sys.argv:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit("docs/results.md: does not match benchmarks/results/rows/; run `python tools/results.py`")


if __name__ == "__main__":
    main()
