"""Tables of sequences that were drawn."""

import numpy as np

from tests.specs import make_spec
from unroll.generation.rows import RowSample
from unroll.prediction.rows import RowPrompt, new, repeated, rows_table

SPEC = make_spec(
    {"a": {"kind": "categories", "size": 3, "width": 1, "begin": 0, "end": 3, "categories": [["x", "y"]], "names": ["letter"]},
     "on": {"kind": "real", "size": 2, "begin": 0, "scale": {"mean": [0.3, 0.4], "deviation": [0.5, 0.5]}},
     "size": {"kind": "real", "size": 1, "per": "sequence", "scale": {"mean": [1e6], "deviation": [7.0]}, "names": ["sequence"]}},
    {"a": {"kind": "classes", "per": "step", "size": 3, "of": "a", "classes": ["x", "y", "end"]},
     "on": {"kind": "labels", "per": "step", "size": 2, "of": "on"}}, layout="items")
ON = np.float32([[-0.6, -0.8], [1.4, 1.2], [-0.6, 1.2]])        # scaled zeros and ones
SAMPLE = RowSample({"a": np.array([[1], [2], [2]]), "on": ON}, 1, {"size": np.float32([33510.75])})


def test_a_prompt_is_kept_to_its_last_digit_and_labels_are_whole() -> None:
    prompt = RowPrompt("m", {"a": np.array([["x"]]), "on": np.zeros((1, 2)), "size": [1234575.25]}, {}, SAMPLE.given)
    table = rows_table([SAMPLE], [prompt], SPEC, {})
    assert [*table] == ["sequence_", "letter", "on_1", "on_2", "sequence"]
    assert table["sequence"].tolist() == [1234575.25] * 3 and table["letter"].tolist() == ["x", "y", "y"]
    assert table[["on_1", "on_2"]].to_numpy().tolist() == [[0, 0], [1, 1], [0, 1]]


def test_new_sequences_are_numbered_and_repeated_ones_named_after_their_prompt() -> None:
    assert rows_table([SAMPLE, SAMPLE], new([SAMPLE.given] * 2), SPEC, {})["sequence_"].tolist() == ["1"] * 3 + ["2"] * 3
    prompt = RowPrompt("m", {}, {}, SAMPLE.given)
    assert [own.name for own in repeated([prompt], 2)] == ["m/1", "m/2"] and repeated([prompt], 1) == [prompt]
