"""Write docs/results.md from what benchmarks/rows.py measured; `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).parent.parent
ROWS = PROJECT / "benchmarks" / "results" / "rows"


class Told(NamedTuple):
    title: str
    about: str
    measures: tuple[str, ...]       # the first is what networks are compared by
    known: tuple[tuple[str, str], ...] = ()     # published figures and where they stand


DL4TSC = "Fawaz et al., their repository dl-4-tsc"
TCN = "Bai et al. (2018), table 1"
TOLD = {
    "gunpoint_lstm50": Told(
        "GunPoint, LSTM(50) as given", "The classic small network: LSTM(50) → Dense(1, sigmoid), Adam, 10 epochs of "
        "batch 32. Fifty sequences are two steps an epoch: twenty steps are not enough, and the figure says so.",
        ("accuracy", "macro_f1")),
    "gunpoint_lstm128": Told(
        "GunPoint, LSTM(128) with dropout as given", "LSTM(128) → Dropout(0.5) → Dense(1, sigmoid), the rest alike.",
        ("accuracy", "macro_f1")),
    "gunpoint": Told(
        "GunPoint, the model that validation chose", "The same data, trained long enough; weights with the lowest "
        "loss on ten held-out sequences.", ("accuracy", "macro_f1"), (("1-NN DTW", "0.907 (UCR archive)"),)),
    "japanese_vowels": Told(
        "JapaneseVowels: unequal lengths", "Nine speakers, utterances of 7 to 29 steps; batches are bucketed by length "
        "and padded.", ("accuracy", "macro_f1"),
        (("FCN", f"0.993 ({DL4TSC})"), ("MLP", f"0.976 ({DL4TSC})"), ("TWIESN, recurrent", f"0.965 ({DL4TSC})"))),
    "basic_motions": Told(
        "BasicMotions: multivariate", "Four activities, six sensors, forty recordings to learn from.",
        ("accuracy", "macro_f1")),
    "code": Told(
        "Python source: a class a symbol", "The type of the token that each character is part of, as `tokenize` has "
        "it, read from left to right; hidden size 128, the state carried from batch to batch.",
        ("accuracy", "macro_f1")),
    "signals": Told(
        "Generated signals: a class a step", "Ten numbers a step, whose law of motion changes now and then; one step "
        "says nothing of its law.", ("accuracy", "macro_f1")),
    "covid": Told(
        "Covid3Month: a value a sequence", "The plain RNN(10) → Dense(1) on the mean squared error: a death rate from "
        "84 days of new cases.", ("mse", "mae", "r2")),
    "mackey_glass": Told(
        "Mackey-Glass: a value a step", "The next value of a chaotic series, six time units ahead. With f = identity "
        "the recurrence is linear: the ratio is what nonlinearity buys.", ("mse", "mae", "r2")),
    "airline": Told(
        "Airline: a year ahead with intervals", "Rolling origins over the last quarter of the series. MASE is in units "
        "of the seasonal naive error within the training split.", ("mase", "smape", "crps", "coverage")),
    "solar": Told(
        "Solar: half a day ahead with intervals", "Half-hour steps, rolling origins over the last fifth of six days.",
        ("mase", "smape", "crps", "coverage")),
    "jsb": Told(
        "JSB Chorales: several labels a step", "Nats per frame of 88 keys, published split, the first frame of a piece "
        "is read and not predicted, as there.", ("nll", "frame_accuracy"),
        (("TCN", f"8.10 ({TCN})"), ("GRU", f"8.43 ({TCN})"), ("LSTM", f"8.45 ({TCN})"), ("RNN", f"8.91 ({TCN})"))),
    "nottingham": Told(
        "Nottingham: several labels a step", "As above.", ("nll", "frame_accuracy"),
        (("TCN", f"3.07 ({TCN})"), ("LSTM", f"3.29 ({TCN})"), ("GRU", f"3.46 ({TCN})"), ("RNN", f"4.05 ({TCN})"))),
    "docstrings": Told(
        "Docstrings: text classification", "Which of six packages is a docstring from? The package's own name is taken "
        "out. TF-IDF is of words and pairs of words, its logistic regression chosen on validation data.",
        ("macro_f1", "accuracy")),
}
DIGITS = {"accuracy": 3, "macro_f1": 3, "nll": 3, "frame_accuracy": 3, "mase": 3, "smape": 2, "crps": 3,
          "coverage": 2, "r2": 3}


def page() -> str:
    parts = [
        "# Results\n",
        "One section a task, each with the command that makes its figures anew (add `--mirror FOLDER` where data is "
        "downloaded). Test-split figures, mean ± standard deviation over seeds 1, 2, 3; weights are those with the "
        "lowest validation loss, the network in bold is the one whose mean is lowest, and nothing was chosen on test "
        "data. Networks of a table differ in their core alone; "
        "`mlp` and `cnn` have no recurrence and about as many parameters, and were trained the same way. Written by "
        "`python tools/results.py` from `benchmarks/results/rows/`.\n",
        summary(),
    ]
    return "\n".join([*parts, *(section(name, told) for name, told in TOLD.items() if measured(name))])


def measured(name: str) -> dict[str, Any]:
    path = ROWS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def summary() -> str:
    lines = ["| task | measure | the experiment's network | the network that validation chose | best simple method |",
             "|---|---|---|---|---|"]
    for name, told in TOLD.items():
        if not (row := measured(name)):
            continue
        measure, own, best = told.measures[0], row["network"], chosen(row)
        simple = baselines(row, measure)
        better = max if measure in ("accuracy", "macro_f1") else min
        method, value = better(simple.items(), key=lambda pair: pair[1]) if simple else ("–", float("nan"))
        anchor = told.title.lower().translate(str.maketrans("", "", ":(),.")).replace(" ", "-")
        cells = " | ".join(f"{name} {figure(row, name, measure)}" for name in (own, best))
        lines.append(f"| [{told.title}](#{anchor}) | {measure} | {cells} | {method.replace('_', ' ')} "
                     f"{shown(value, measure)} |")
    return "\n".join(lines) + "\n"


def chosen(row: dict[str, Any]) -> str:
    """The network with the lowest validation loss."""
    networks: dict[str, Any] = row["networks"]
    return min(networks, key=lambda network: networks[network]["mean"]["val/best_loss"])


def section(name: str, told: Told) -> str:
    row = measured(name)
    seeds = "" if len(row["seeds"]) > 1 else f" One seed: {row['seeds'][0]}."
    about = f"{told.about} Experiment `{row['experiment']}`.{seeds}"
    lines = [f"## {told.title}\n", f"{about}\n", f"    {row['command']}\n"]
    lines += ["| | parameters | " + " | ".join(told.measures) + " | seconds |",
              "|---|---|" + "---|" * len(told.measures) + "---|"]
    for network, figures in sorted(row["networks"].items(), key=lambda pair: pair[0] != row["network"]):
        values = " | ".join(figure(row, network, measure) for measure in told.measures)
        mean = figures["mean"]
        mark = f"**{network}**" if network == chosen(row) and len(row["networks"]) > 1 else network
        lines.append(f"| {mark} | {mean['model/parameters']:,.0f} | {values} | {mean['seconds']:.0f} |")
    methods = {method: None for measure in told.measures for method in baselines(row, measure)}
    for method in methods:
        values = " | ".join(shown(baselines(row, measure).get(method), measure) for measure in told.measures)
        lines.append(f"| *{method.replace('_', ' ')}* | | {values} | |")
    for method, value in told.known:
        lines.append(f"| published: {method} | | {value} |{' |' * len(told.measures)}")
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
        sys.exit("docs/results.md: not what benchmarks/results/rows/ holds; run `python tools/results.py`")


if __name__ == "__main__":
    main()
