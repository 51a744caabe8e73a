"""Write docs/results.md from what benchmarks/rows.py measured; `--check` only compares."""

import json
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

PROJECT = Path(__file__).parent.parent
ROWS = PROJECT / "benchmarks" / "results" / "rows"


class Task(NamedTuple):
    title: str
    about: str
    measures: tuple[str, ...]       # the first is the one that networks are compared by
    published: tuple[tuple[str, str], ...] = ()     # method, figure and where it is from
    objective: str = "val/best_loss"    # by which validation selects a network; "": they predict different things
    paired: bool = False                # whether differences from the experiment's network are shown, seed by seed


DL4TSC = "Fawaz et al., their repository dl-4-tsc"
HALF = ("{} of the training docstrings have the label that is predicted, one of six packages. The network that also "
        "predicts the next word learns that from all of them.")
TCN = "Bai et al. (2018), table 1"
TRANSFER = ("{} of the training docstrings of six packages have a label. The pre-trained network has learnt the next "
            "word of docstrings of seven others (experiment `next_word`), whose embeddings, vocabulary and core it "
            "begins with; its vocabulary has the words of both.")
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
    **{f"etth1_{horizon}": Task(
        f"ETTh1: {horizon} hours ahead", "Seven series of a transformer, 8,640, 2,880 and 2,880 hours; the other 3,020 "
        f"are not used. From 14 days the next {horizon} hours are forecast, and every window of the test hours is "
        "scored. Scaled errors are those of series divided by their deviation in training, as published. The learning "
        "rate and clipping were chosen among six variants whose test errors were in view, which flatters them.",
        ("scaled_mse", "scaled_mae", "mase", "coverage"),
        (("linear models", f"scaled MSE {linear} (LTSF-Linear)"),
         ("SegRNN", f"scaled MSE {published}; {corrected} once no test window is dropped (Lin et al., 2023)")))
       for horizon, linear, published, corrected in ((96, 0.375, 0.341, 0.368), (336, 0.439, 0.401, 0.444))},
    **{f"beijing_{share}": Task(
        f"PM2.5 a day ahead, {share} % hidden", "The next 24 hours of PM2.5 in Beijing from three days of it and of "
        f"weather, origins six hours apart. The series has 214 holes of up to 155 hours; {share} % more of what is "
        "read is hidden in runs of such lengths, and every known value of the next day is scored.", ("mae", "mse"),
        paired=True)
       for share in (10, 30, 50)},
    **{f"parking_{share}": Task(
        "Car parks at uneven times" + (f", {share} % of the stamps removed" if share else ""),
        "Occupancy ÷ capacity of 30 car parks in Birmingham at the day's next 8 stamps, from stamps of two days, as "
        "recorded: stamps come twice, some values are negative or above the capacity, two parks have few. "
        + (f"{share} % of the stamps are not read, and all the same predicted. " if share else "")
        + "One network reads the time between stamps and the times to those ahead, the other bins of 30 minutes, with "
        "a mask.", ("mae", "mse", "r2"), paired=True) for share in (0, 50, 80)},
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
    "docstrings_tail": Task(
        "Docstrings with a long tail", "Which of 24 packages is a docstring from? Of the largest there are 100 times "
        "as many in training as of the smallest, 8; the validation and test splits have what the packages have. "
        "The losses have the settings of their papers, but for LDAM's scale of the logits, 5 (it re-weights from epoch "
        "10 on); nothing else was tuned. The weights are those with the highest macro F1 on validation data.",
        ("macro_f1", "balanced_accuracy", "accuracy"), objective="val/best_label/macro_f1", paired=True),
    "objects": Task(
        "Documented objects: two inputs, three targets", "From a docstring and four numbers of the source: which of "
        "six packages, which kind of object (function, class, method, module), how many parameters. The weights are "
        "those with the highest macro F1 of the package on validation data, or of the only target. "
        "What gives a target away is no input: names of packages are taken out of every docstring, and the depth of "
        "the definition is not among the numbers; parameters with a default are, a strong clue to their number. "
        "Beside the networks of one target each, the three in one network are worse after equally many epochs. "
        "After twice as many, which still costs less than three networks, the package's macro F1 is lower by "
        "0.005 ± 0.003 (paired), within the spread, the kind's higher by 0.009 ± 0.004, and the squared error of "
        "the parameters 0.10 ± 0.01 higher. A weight of a tenth for the parameters costs them more than it gives "
        "the others. 128 units instead of 64, of which two seeds ran, have 0.849 and 0.835, 0.796 and 0.789, 1.43 "
        "and 1.48. The figures of twice the epochs were kept to four digits.",
        ("package/macro_f1", "kind/macro_f1", "parameters/mse"), objective="", paired=True),
    "half_labelled": Task(
        "Docstrings of which a tenth is labelled", HALF.format("A tenth"), ("package/macro_f1", "package/accuracy"),
        objective="val/best_package/macro_f1", paired=True),
    "half_labelled_30": Task(
        "Docstrings of which 30 % are labelled", HALF.format("30 %"), ("package/macro_f1", "package/accuracy"),
        objective="val/best_package/macro_f1", paired=True),
    "half_labelled_100": Task(
        "Docstrings that are all labelled", HALF.format("All"), ("package/macro_f1", "package/accuracy"),
        objective="val/best_package/macro_f1", paired=True),
    "nafld": Task(
        "Death within five years: events", "17,549 patients with a fatty liver and their controls: what was "
        "measured of them up to day 0, at uneven times and each time few of six, and age, sex, body measures, case or "
        "control. Of those who were followed for less than 1,826 days, 39 %, it is unknown who dies: they are masked "
        "in training, and in the figures others weigh for them, by 1 / the chance of staying under observation. Means "
        "over five folds by matched set of the area under the ROC curve and the average precision. Logistic "
        "regressions read the age, the patient's facts, or these and the last value of each test, and what is missing.",
        ("died/auroc", "died/auprc"), objective="val/best_died/loss"),
    **{name: Task(title, TRANSFER.format(share), ("package/macro_f1", "package/accuracy"),
                  objective="val/best_package/macro_f1", paired=True) for name, title, share in (
        ("transfer", "From the next word to a tenth of the labels", "A tenth"),
        ("transfer_30", "From the next word to 30 % of the labels", "30 %"),
        ("transfer_100", "From the next word to all labels", "All"))},
    "counting": Task(
        "Generated lines beyond the reach", "2,000 lines of 100 to 600 characters: letters and marks at random, after "
        "each mark how many there were, modulo 10. Back-propagation reaches 64 steps, or the whole line; both read "
        "every line to its end, and the state is carried on; whole lines make a sixth of the updates of the "
        "weights. The letters, marks and ends of lines cost 2.98 bits per character, "
        "whatever reads them; the digits are what can be learnt.", ("bpc",),
        paired=True),
    "docstring_lines": Task(
        "Docstrings beyond the reach", "Docstrings of networkx of 100 to 600 characters, longer ones cut there, each a "
        "sequence of its own; as above.", ("bpc",), paired=True),
}
# measures, whatever their target, of which a higher one is better
HIGHER = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "auprc")
DIGITS = {"accuracy": 3, "balanced_accuracy": 3, "macro_f1": 3, "nll": 3, "frame_accuracy": 3, "mase": 3, "smape": 2,
          "scaled_mse": 3, "scaled_mae": 3, "crps": 3, "coverage": 2, "r2": 3, "bpc": 3, "auroc": 3, "auprc": 3}


def page() -> str:
    parts = [
        "# Results\n",
        "One section per task, each with the command that reproduces its figures (add `--mirror FOLDER` where data is "
        "downloaded). Figures are of the test split, mean ± standard deviation over seeds 1, 2, 3. Weights are those "
        "with the lowest validation loss, the network in bold has the lowest mean of it, and nothing was selected on "
        "test data. The networks of a table differ in their core alone, unless it says otherwise; `mlp` and `cnn` have "
        "no recurrence and about as many parameters, and were trained the same way. Seconds are those of a "
        "training on two cores, which may have had other work. Written by `python tools/results.py` from "
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
        better = max if kind(measure) in HIGHER else min
        method, value = better(simple.items(), key=lambda pair: pair[1]) if simple else ("–", float("nan"))
        anchor = task.title.lower().translate(str.maketrans("", "", ":(),.%")).replace(" ", "-")
        chosen = (row["network"], selected(row, task) or row["network"])
        cells = " | ".join(f"{network} {figure(row, network, measure)}" for network in chosen)
        lines.append(f"| [{task.title}](#{anchor}) | {measure} | {cells} | {method.replace('_', ' ')} "
                     f"{shown(value, measure)} |")
    return "\n".join(lines) + "\n"


def kind(measure: str) -> str:
    """Without its target."""
    return measure.rpartition("/")[2]


def selected(row: dict[str, Any], task: Task) -> str | None:
    """The network with the best mean of what validation goes by."""
    networks: dict[str, Any] = row["networks"]
    if not task.objective or len(networks) == 1:
        return None
    best = max if kind(task.objective) in HIGHER else min
    return best(networks, key=lambda network: networks[network]["mean"][task.objective])


def section(name: str, task: Task) -> str:
    row = measured(name)
    numbers = ", ".join(map(str, row["seeds"]))
    seeds = "" if row["seeds"] == [1, 2, 3] else f" Seed{'s' * (len(row['seeds']) > 1)} {numbers}."
    lines = [f"## {task.title}\n", f"{task.about} Experiment `{row['experiment']}`.{seeds}\n",
             f"    {row['command']}\n",
             "| | parameters | " + " | ".join(task.measures) + " | seconds |",
             "|---|---|" + "---|" * len(task.measures) + "---|"]
    for network, figures in sorted(row["networks"].items(), key=lambda pair: pair[0] != row["network"]):
        values = " | ".join(figure(row, network, measure) for measure in task.measures)
        means = figures["mean"]
        mark = f"**{network}**" if network == selected(row, task) else network
        lines.append(f"| {mark} | {means['model/parameters']:,.0f} | {values} | {means['seconds']:.0f} |")
    methods = {method: None for measure in task.measures for method in baselines(row, measure)}
    for method in methods:
        values = " | ".join(shown(baselines(row, measure).get(method), measure) for measure in task.measures)
        lines.append(f"| *{method.replace('_', ' ')}* | | {values} | |")
    for method, value in task.published:
        lines.append(f"| published: {method} | | {value} |{' |' * len(task.measures)}")
    if "paired" in row:
        lines += intervals(row, task)
    if task.paired and len(row["seeds"]) > 1:
        lines += differences(row, task)
    return "\n".join(lines) + "\n"


def differences(row: dict[str, Any], task: Task) -> list[str]:
    """Each network less the experiment's, seed by seed: mean ± standard error, bold beyond twice that."""
    lines = [f"\nDifference from *{row['network']}*, paired by seed: mean ± standard error, bold beyond twice that.\n",
             "| | " + " | ".join(task.measures) + " |", "|---|" + "---|" * len(task.measures)]
    own = row["networks"][row["network"]]["seeds"]
    for network, figures in row["networks"].items():
        if network != row["network"]:
            cells = [difference(figures["seeds"].get(f"test/{measure}"), own[f"test/{measure}"], measure)
                     for measure in task.measures]
            lines.append(f"| {network} | {' | '.join(cells)} |")
    return lines


def intervals(row: dict[str, Any], task: Task) -> list[str]:
    """Each network less each simple method, where the row has intervals of the difference."""
    lines = ["\nDifference, mean over seeds, and in brackets its 95 % interval by a paired bootstrap; bold where that "
             "does not hold 0.\n",
             "| | | " + " | ".join(task.measures) + " |", "|---|---|" + "---|" * len(task.measures)]
    for network, methods in row["paired"].items():
        for method, measures in methods.items():
            cells = []
            for measure in task.measures:
                found, low, high = measures[kind(measure)]
                text = f"{found:+.3f} ({low:+.3f} to {high:+.3f})"
                cells.append(f"**{text}**" if low > 0 or high < 0 else text)
            lines.append(f"| {network} | less *{method}* | {' | '.join(cells)} |")
    return lines


def difference(values: list[float] | None, own: list[float], measure: str) -> str:
    if values is None:
        return ""
    paired = [value - other for value, other in zip(values, own, strict=True)]
    error = stdev(paired) / len(paired) ** 0.5
    text = f"{mean(paired):+.{DIGITS.get(kind(measure), 3)}f} ± {error:.{DIGITS.get(kind(measure), 3)}f}"
    return f"**{text}**" if abs(mean(paired)) > 2 * error else text


def baselines(row: dict[str, Any], measure: str) -> dict[str, float]:
    target, slash, name = measure.rpartition("/")
    prefix, longer = f"baseline/{target}{slash}", tuple(f"_{each}" for each in DIGITS if each.endswith(f"_{name}"))
    return {key.removeprefix(prefix).removesuffix(f"_{name}"): value for key, value in row["baselines"].items()
            if key.startswith(prefix) and key.endswith(f"_{name}") and not key.endswith(longer)}


def figure(row: dict[str, Any], network: str, measure: str) -> str:
    figures, key = row["networks"][network], f"test/{measure}"
    if key not in figures["mean"]:
        return ""
    deviation = f" ± {shown(figures['std'][key], measure)}" if len(row["seeds"]) > 1 else ""
    return f"{shown(figures['mean'][key], measure)}{deviation}"


def shown(value: float | None, measure: str) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS[kind(measure)]}f}" if kind(measure) in DIGITS else f"{value:.3g}"


def main() -> None:
    path = PROJECT / "docs" / "results.md"
    text = page()
    if "--check" not in sys.argv:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit("docs/results.md: does not match benchmarks/results/rows/; run `python tools/results.py`")


if __name__ == "__main__":
    main()
