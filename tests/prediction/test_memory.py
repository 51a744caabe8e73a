"""A state on disk: to go on where sequences ended, and with nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.prediction.conftest import CAUSAL, CORES, Made, Make, asked, refused, some
from unroll.prediction.memory import Memory, load_memory, write_memory
from unroll.prediction.predictor import Predictor

TOGETHER = ["stream", "tag", "labels", "values", "next", "text_tag", "text_labels", "text_values", "bytes"]


def loaded(path: Path, predictor: Predictor, names: list[str]) -> Memory:
    return load_memory(path, predictor.memory(len(names)), names, predictor.model.digest)


def as_file(made: Made, path: Path, sequences: list, names: list[str]) -> Path:
    """Sequences as a table that the model reads, or, of a stream, as a text."""
    if made.predictor.spec.layout == "stream":
        path = path.with_suffix(".txt")
        path.write_text(sequences[0], encoding="utf-8")
        return path
    columns = made.predictor.spec.inputs[made.predictor.input].names
    parts = []
    for name, each in zip(names, sequences, strict=True):
        rows = pd.DataFrame(list(each) if isinstance(each, str) else each, columns=columns)
        parts.append(rows.assign(series=name, step=range(len(rows))))
    pd.concat(parts).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("name", "cell"), [*((name, "lstm") for name in TOGETHER),
                       *((name, cell) for name in TOGETHER[:2] for cell in CORES if cell != "lstm")]
)
def test_two_files_are_one_file(zoo: Make, name: str, cell: str, tmp_path: Path) -> None:
    made = zoo(name, cell)
    count = 1 if made.predictor.spec.layout == "stream" else 3
    sequences, names = some(made, count), ["a", "b,b", "ç"][:count]
    whole = asked(made, as_file(made, tmp_path / "whole.csv", sequences, names), tmp_path / "out.csv")
    parts = []
    for number, cut in enumerate((slice(0, 9), slice(9, 11), slice(11, None))):
        given = as_file(made, tmp_path / f"{number}.csv", [each[cut] for each in sequences], names)
        parts.append(asked(made, given, tmp_path / "out.csv", state=tmp_path / "state" if number else None,
                           save_state=tmp_path / "state" if number < 2 else None))
    joined = pd.concat(parts).sort_values(["sequence", "step"], kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(joined, whole.sort_values(["sequence", "step"]).reset_index(drop=True), rtol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "mlp"])
@pytest.mark.parametrize("name", ["class", "value"])
def test_a_prediction_of_a_whole_sequence_goes_on(zoo: Make, name: str, cell: str, tmp_path: Path) -> None:
    made = zoo(name, cell)
    sequences = some(made, 2)
    whole = asked(made, as_file(made, tmp_path / "whole.csv", sequences, ["a", "b"]), tmp_path / "out.csv")
    first = as_file(made, tmp_path / "1.csv", [each[:9] for each in sequences], ["a", "b"])
    # in another order
    second = as_file(made, tmp_path / "2.csv", [each[9:] for each in sequences[::-1]], ["b", "a"])
    asked(made, first, tmp_path / "out.csv", save_state=tmp_path / "state")
    rest = asked(made, second, tmp_path / "out.csv", state=tmp_path / "state")
    assert rest["sequence"].tolist() == ["b", "a"]
    pd.testing.assert_frame_equal(rest[::-1].reset_index(drop=True), whole, rtol=1e-6)


@pytest.mark.parametrize("name", ["lines", "rows", "text_class", "text_value"])
def test_texts_a_line_each_go_on(zoo: Make, name: str, tmp_path: Path) -> None:
    made = zoo(name)
    texts = some(made, 3)
    for file, cut in (("whole", slice(None)), ("1", slice(0, 5)), ("2", slice(5, None))):
        (tmp_path / f"{file}.txt").write_text("\n".join(each[cut] for each in texts) + "\n")
    whole = asked(made, tmp_path / "whole.txt", tmp_path / "out.csv")
    first = asked(made, tmp_path / "1.txt", tmp_path / "out.csv", save_state=tmp_path / "state")
    rest = asked(made, tmp_path / "2.txt", tmp_path / "out.csv", state=tmp_path / "state")
    if "step" in whole:
        rest = pd.concat([first, rest]).sort_values(["sequence", "step"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, whole, rtol=1e-6)


@pytest.mark.parametrize("cell", CORES)
@pytest.mark.parametrize("name", ["tag", "stream", "class", "lines"])
def test_a_state_comes_back_as_it_was(zoo: Make, name: str, cell: str, tmp_path: Path) -> None:
    assert name in CAUSAL
    made = zoo(name, cell)
    memory = made.predictor.memory(3)
    made.predictor.predict(some(made, 3), memory)
    write_memory(tmp_path / "state", memory, ["a", "b", "c"], made.predictor.model.digest)
    again = loaded(tmp_path / "state", made.predictor, ["c", "a"])
    expected = memory.lanes(np.array([2, 0]))
    assert again.steps.tolist() == expected.steps.tolist()
    assert again.last.keys() == expected.last.keys()
    for name, last in again.last.items():
        assert last.tolist() == expected.last[name].tolist()
    for one, other in zip(again.state, expected.state, strict=True):
        assert [part.tolist() for part in one] == [part.tolist() for part in other]


def test_the_same_state_is_the_same_bytes(zoo: Make, tmp_path: Path) -> None:
    made = zoo("tag", "lstm")
    for name in ("one", "two"):
        memory = made.predictor.memory(2)
        made.predictor.predict(some(made, 2), memory)
        write_memory(tmp_path / name, memory, ["a", "b"], made.predictor.model.digest)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] if place >= 0 else \
        content[:place] + bytes([content[place] ^ 1])


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:5], lambda content: content[:-3], lambda content: content + b"x",
     flip(-1), flip(0), flip(20), lambda content: b"PK\x03\x04" + content, lambda content: b"a,b\n1,2\n",
     lambda content: (2).to_bytes(8, "little") + b"{}", lambda content: (2).to_bytes(8, "little") + b"[]",
     lambda content: (1 << 62).to_bytes(8, "little") + content],
)
def test_a_damaged_state_is_one_line(zoo: Make, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    made = zoo("tag", "lstm")
    memory = made.predictor.memory(1)
    write_memory(tmp_path / "state", memory, ["a"], made.predictor.model.digest)
    (tmp_path / "state").write_bytes(damage((tmp_path / "state").read_bytes()))
    said = refused(lambda: loaded(tmp_path / "state", made.predictor, ["a"]))
    assert said == f"{tmp_path / 'state'}: damaged, or not a state. Write one with --save-state."


def test_a_state_is_of_one_model_and_its_sequences(zoo: Make, tmp_path: Path) -> None:
    made, other = zoo("tag", "lstm"), zoo("tag", "lstm", seed=1)
    path = tmp_path / "state"
    write_memory(path, made.predictor.memory(2), ["a", "b"], made.predictor.model.digest)
    assert "the state of another model" in refused(lambda: loaded(path, other.predictor, ["a"]))
    assert "no state of the sequence 'c'; it has a, b" in refused(lambda: loaded(path, made.predictor, ["a", "c"]))
    assert "No such file" in refused(lambda: loaded(tmp_path / "none", made.predictor, ["a"]))
    assert "Is a directory" in refused(lambda: loaded(tmp_path, made.predictor, ["a"]))
    weights = made.model / "model.safetensors"
    assert "not a state" in refused(lambda: loaded(weights, made.predictor, ["a"]))


@pytest.mark.parametrize("name", ["class_mean", "forecast"])
@pytest.mark.parametrize("option", ["state", "save_state"])
def test_a_model_without_a_state_saves_none(zoo: Make, tmp_path: Path, name: str, option: str) -> None:
    made = zoo(name)
    given = made.workspace.root / made.predictor.spec.source.name
    said = refused(lambda: asked(made, given, tmp_path / "out.csv", **{option: tmp_path / "state"}))
    assert said.startswith(f"--{option.replace('_', '-')}: the model ")
    assert list(tmp_path.iterdir()) == []
