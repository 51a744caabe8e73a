"""Simple classifiers by scikit-learn, for a network to be compared with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.data.encoders import Scaler, scaler_of
from unroll.data.npy import stretches
from unroll.data.parts import spread
from unroll.data.source import SPLITS, Split
from unroll.data.store import Prepared

Labels = NDArray[np.int64]


def words(prepared: Prepared, field: str, name: str, settings: EvaluateConfig) -> dict[str, Labels]:
    """TF-IDF of words and pairs of words, then logistic regression, its strength selected on validation data.

    Empty if no word occurs in two texts, as in a script without spaces.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    known = {split: prepared.known(name, split) for split in SPLITS}
    texts = {split: _texts(prepared, field, split, known[split]) for split in SPLITS}
    labels = {split: np.asarray(prepared.values(name, split)[known[split]]) for split in SPLITS}
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        train = vectors.fit_transform(texts["train"])
    except ValueError:
        print("evaluate: TF-IDF left out: no word occurs in two training texts")
        return {}
    validation, test = (vectors.transform(texts[split]) for split in ("validation", "test"))
    models = [LogisticRegression(C=c, max_iter=1000, random_state=settings.seed).fit(train, labels["train"])
              for c in (1.0, 10.0, 100.0)]
    best = max(models, key=lambda model: model.score(validation, labels["validation"]))
    return {"tfidf": np.asarray(best.predict(test), np.int64)}


def _texts(prepared: Prepared, field: str, split: Split, items: NDArray[np.int64]) -> list[str]:
    tokenizer, tokens, offsets = (
        prepared.tokenizer(field), prepared.tokens(field, split), prepared.offsets(split)
    )
    assert offsets is not None
    return [tokenizer.decode(tokens[offsets[item] : offsets[item + 1]]) for item in items]


def by_symbol(prepared: Prepared, field: str, name: str, classes: int) -> Labels:
    """The most frequent class of each symbol in training, whatever its neighbours are."""
    size = prepared.spec.inputs[field].size
    known = prepared.known(name, "train")
    train, test = (prepared.tokens(field, "train").astype(np.int64), prepared.tokens(field, "test").astype(np.int64))
    if prepared.spec.shifted(name):     # row t + 1 of the target is of symbol t
        train, test = np.roll(train, 1), np.roll(test, 1)
    tags = prepared.values(name, "train")[known]
    counts = np.bincount(train[known] * classes + tags, minlength=size * classes).reshape(size, classes)
    return np.asarray(counts.argmax(axis=1)[test], np.int64)


def after(before: Labels, classes: Labels, last: Labels, size: int) -> Labels:
    """The class (n,) that came most often after each of `last`; in training `classes` (N,) came after `before`."""
    best = np.full(max(before.max(), last.max()) + 1, np.bincount(classes, minlength=size).argmax())
    pairs, counts = np.unique(before * size + classes, return_counts=True)
    symbols, found = np.divmod(pairs, size)
    order = np.lexsort((found, -counts, symbols))       # the most frequent one of each symbol first
    known, first = np.unique(symbols[order], return_index=True)
    best[known] = found[order][first]
    return best[last]


def one_step(prepared: Prepared, field: str, name: str, settings: EvaluateConfig) -> Labels:
    """The known steps' classes by logistic regression on a step's own numbers and their squares and products."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    tags, test = prepared.values(name, "train"), prepared.known(name, "test")
    read = prepared.spec.inputs[field]
    # what is read beside a forecast has the scales of its frame
    scaler = Scaler.fit("standard", _stretches(prepared, field)) if read.scale is None else scaler_of(read)

    def scale(rows: NDArray[Any]) -> NDArray[Any]:
        return np.nan_to_num(scaler.encode(rows))       # a missing number is the mean

    steps = prepared.known(name, "train")
    steps = steps[spread(len(steps), settings.train_tokens)]
    known, labels = scale(prepared.sequences("train").inputs[field].raw(steps)), np.asarray(tags[steps])
    if (labels == labels[0]).all():
        return np.full(len(test), labels[0], np.int64)
    model: Any = make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=300, random_state=settings.seed))
    model.fit(known, labels)
    return np.asarray(model.predict(scale(prepared.sequences("test").inputs[field].raw(test))), np.int64)


def _stretches(prepared: Prepared, field: str) -> Iterator[NDArray[Any]]:
    """The training split's rows, some at a time."""
    for first, rows in stretches(prepared.values(field, "train")):
        yield prepared.raw(field, "train", first, first + len(rows))
