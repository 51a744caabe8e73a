"""The row of docs/results.md that tells who dies: five folds by matched set, scored for those who were lost, too.

Those who were followed for less than the horizon are unknown. So that the others stand for them, a death at t weighs
1 / G(t-) and a survivor 1 / G(horizon-), where G is the Kaplan-Meier estimate of staying under observation on the
patients outside the fold (Uno et al., 2007).
"""

import json
import time
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import Config
from unroll.config.sources.nafld import FOLDS
from unroll.data.missing import held
from unroll.data.source import SPLITS, Split
from unroll.data.store import Prepared, open_prepared
from unroll.evaluation.ranking import Ranking
from unroll.evaluation.scored import score_split
from unroll.models.folder import load_model
from unroll.sources import Access
from unroll.stages.prepare import prepare
from unroll.stages.train import train

if TYPE_CHECKING:
    from benchmarks.rows import Ended, Row

PROJECT = Path(__file__).parent.parent
TARGET, SAMPLES = "died", 1000
MEASURES = ("auroc", "auprc")
Reals = NDArray[np.float64]


def measure(row: "Row", names: list[str], seeds: list[int], fixed: list[str], workspace: Workspace, ended: "Ended"
            ) -> dict[str, Any]:
    """As `benchmarks.rows.measure` has it, and "paired": each network less each baseline, with its 95 % interval."""
    runs: dict[str, dict[int, list[dict[str, float]]]] = {name: {seed: [] for seed in seeds} for name in names}
    simple: list[dict[str, Any]] = []
    for seed, name, fold in product(seeds, names, range(1, FOLDS + 1)):
        overrides = [f"experiment={row.experiment}", *row.settings, *row.networks[name], f"data.fold={fold}",
                     f"train.seed={seed}", *fixed]
        config = compose(PROJECT / "conf", overrides)[1]
        own = Workspace(PROJECT, workspace.root / f"{fold}-{sorted(config.data.inputs)}")
        if not own.prepared.exists():
            prepare(own, config.runtime, config.data)
        figures = ended.get(overrides)
        if figures is None:
            figures = _run(own, config)
            ended.add(overrides, figures)
            print(name, seed, fold, round(figures["seconds"], 1), flush=True)
        runs[name][seed].append(figures)
        if (name, seed) == (names[0], seeds[0]):
            simple.append(_fold(open_prepared(own.prepared), config))
    return _summary(runs, simple)


def _run(workspace: Workspace, config: Config) -> dict[str, float]:
    """Figures, and what the network gives each patient of the test split who is known."""
    started = time.perf_counter()
    train(workspace, config.runtime, config.data, config.model, config.train, config.pretrained)
    figures = {"seconds": time.perf_counter() - started}
    figures |= json.loads((workspace.metrics / "train.json").read_text(encoding="utf-8"))
    prepared = open_prepared(workspace.prepared)
    scored = score_split(load_model(workspace.model, prepared).network, prepared, "test", TARGET, config.evaluate)
    return figures | {f"p/{name}": float(p) for name, p in zip(_names(prepared), scored.predictions[:, 1], strict=True)}


def _names(prepared: Prepared) -> list[str]:
    """The known patients of the test split."""
    places = prepared.places("test")
    return [places[at].name for at in prepared.known(TARGET, "test")]


def _fold(prepared: Prepared, config: Config) -> dict[str, Any]:
    """The known patients of the test split: whether they died, weights, matched sets, and what simple methods say."""
    data: Any = config.data
    mirror = Path(config.runtime.mirror) if config.runtime.mirror else None
    raw = pd.read_csv(Access(PROJECT, mirror).fetch(data.patients.url, data.patients.sha256))
    raw = raw.set_index(raw["id"].astype(str))
    tested = {place.name for place in prepared.places("test")}
    names = _names(prepared)
    patients, others = raw.loc[names], raw[~raw.index.isin(tested)]
    days, dead = patients["futime"].to_numpy(float), _labels(prepared, "test") == 1
    staying = censoring(others["futime"].to_numpy(float), others["status"].to_numpy() == 0)
    weights = 1 / staying(np.where(dead, days, data.horizon))
    features = {split: _features(prepared, split) for split in SPLITS}
    labels = {split: _labels(prepared, split) for split in SPLITS}
    facts = {split: values[:, : -2 * prepared.spec.inputs["x"].width] for split, values in features.items()}
    return {"names": names, "dead": dead, "weights": weights,
            "sets": patients["case.id"].fillna(patients["id"]).to_numpy(),
            "methods": {"age": features["test"][:, 0], "facts": _logistic(facts, labels),
                        "last values": _logistic(features, labels)}}


def _labels(prepared: Prepared, split: Split) -> NDArray[np.int64]:
    """(n,) 1 of those who died, of the known patients."""
    return np.asarray(prepared.values(TARGET, split)[prepared.known(TARGET, split)], np.int64)


def _features(prepared: Prepared, split: Split) -> Reals:
    """(n, ·) of the known patients: facts, last values of each test, and which of both are known."""
    known, offsets = prepared.known(TARGET, split), prepared.offsets(split)
    assert offsets is not None
    facts = np.asarray(prepared.raw("patient", split)[known], np.float64)
    last = np.array([_last(prepared.raw("x", split, *offsets[at : at + 2].tolist())) for at in known])
    return np.concatenate([_complete(facts), ~np.isnan(facts), _complete(last), ~np.isnan(last)], axis=1)


def _last(steps: Reals) -> Reals:
    """(F,) the last known value of each test, NaN of one that never was."""
    return np.where(np.isnan(steps).all(axis=0), np.nan, held(steps)[-1])


def _complete(values: Reals) -> Reals:
    return np.where(np.isnan(values), np.nanmean(values, axis=0), values)


def _logistic(features: dict[Split, Reals], labels: dict[Split, NDArray[np.int64]]) -> Reals:
    """Test-split probabilities by logistic regression, its regularisation selected on validation data."""
    models = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000)).fit(
        features["train"], labels["train"]) for c in (0.001, 0.01, 0.1, 1.0, 10.0)]

    def loss(model: Any) -> float:
        p = model.predict_proba(features["validation"])[:, 1]
        return float(-np.log(np.where(labels["validation"] == 1, p, 1 - p)).mean())

    return np.asarray(min(models, key=loss).predict_proba(features["test"])[:, 1])


def censoring(days: Reals, censored: NDArray[np.bool_]) -> Any:
    """t → G(t-), the Kaplan-Meier estimate of being under observation just before t."""
    times = np.unique(days)
    at_risk = len(days) - np.searchsorted(np.sort(days), times)
    lost = np.bincount(np.searchsorted(times, days[censored]), minlength=len(times))
    left = np.concatenate([[1.0], np.cumprod(1 - lost / at_risk)])
    return lambda t: left[np.searchsorted(times, t)]


def _summary(runs: dict[str, dict[int, list[dict[str, float]]]], simple: list[dict[str, Any]]) -> dict[str, Any]:
    methods = {method: [[Ranking(fold["methods"][method], fold["dead"]) for fold in simple]]
               for method in simple[0]["methods"]}
    networks = {name: [[Ranking(np.array([run[f"p/{patient}"] for patient in fold["names"]]), fold["dead"])
                        for run, fold in zip(folds, simple, strict=True)] for folds in by_seed.values()]
                for name, by_seed in runs.items()}
    weights = [fold["weights"] for fold in simple]
    scores = {name: [_mean(rankings, weights) for rankings in seeds] for name, seeds in {**methods, **networks}.items()}
    found: dict[str, Any] = {}
    for name, by_seed in runs.items():
        each = [{f"test/{TARGET}/{one}": score[one] for one in MEASURES}
                | {f"val/best_{TARGET}/loss": mean(run["val/best_loss"] for run in folds),
                   "seconds": sum(run["seconds"] for run in folds), "model/parameters": folds[0]["model/parameters"]}
                for score, folds in zip(scores[name], by_seed.values(), strict=True)]
        found[name] = {
            "mean": {key: mean(run[key] for run in each) for key in each[0]},
            "std": {key: stdev([run[key] for run in each]) if len(each) > 1 else 0.0 for key in each[0]},
            "seeds": {key: [run[key] for run in each] for key in each[0] if key.startswith("test/")}}
    return {"networks": found, "paired": _paired(methods, networks, simple), "baselines": {
        f"baseline/{TARGET}/{method}_{one}": scores[method][0][one] for method in methods for one in MEASURES}}


def _mean(rankings: list[Ranking], weights: list[Reals]) -> dict[str, float]:
    """Over the folds."""
    each = [ranking.measure(own) for ranking, own in zip(rankings, weights, strict=True)]
    return {one: mean(score[one] for score in each) for one in MEASURES}


def _paired(methods: dict[str, list[list[Ranking]]], networks: dict[str, list[list[Ranking]]],
            simple: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """network → method → measure: the mean difference over seeds, and the 95 % interval of a bootstrap of sets."""
    draw = np.random.default_rng(0)
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in (*methods, *networks)}
    numbers = [np.unique(fold["sets"], return_inverse=True)[1] for fold in simple]
    for sample in range(SAMPLES + 1):       # the first one is what there is
        weights = [fold["weights"] * (1 if sample == 0 else np.bincount(
            draw.integers(number.max() + 1, size=number.max() + 1), minlength=number.max() + 1)[number])
            for fold, number in zip(simple, numbers, strict=True)]
        for name, seeds in {**methods, **networks}.items():
            each = [_mean(rankings, weights) for rankings in seeds]
            samples[name].append({one: mean(score[one] for score in each) for one in MEASURES})

    def interval(name: str, method: str, one: str) -> list[float]:
        less = [own[one] - other[one] for own, other in zip(samples[name], samples[method], strict=True)]
        return [less[0], *np.quantile(less[1:], [0.025, 0.975]).tolist()]

    return {name: {method: {one: interval(name, method, one) for one in MEASURES} for method in methods}
            for name in networks}
