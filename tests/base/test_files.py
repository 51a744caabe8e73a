import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll.base.files import HOST, replacing, sha256, to_json, write_json, write_json_list, write_text


def everything(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_a_file_appears_when_the_body_ends_and_not_before(tmp_path):
    with replacing(tmp_path / "below" / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "below" / "a.txt").exists()
    assert everything(tmp_path) == {"below/a.txt": "new"}


def test_a_file_is_replaced_by_its_successor(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert everything(tmp_path) == {"a.txt": "new"}


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "old.txt").write_text("old")
    with replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
    assert everything(tmp_path) == {"out/new.txt": "new"}


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_body_that_raises_leaves_the_old_file_and_nothing_else(tmp_path, reason):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(reason), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise reason
    assert everything(tmp_path) == {"a.txt": "old"}


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_body_that_raises_leaves_the_old_folder_and_nothing_else(tmp_path, reason):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("old")
    with pytest.raises(reason), replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "a.txt").write_text("half")
        raise reason
    assert everything(tmp_path) == {"out/a.txt": "old"}
    assert os.listdir(tmp_path) == ["out"]


def test_a_body_that_raises_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(ValueError), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ValueError
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_of_the_same_number_left_is_not_taken_over(tmp_path):
    with replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
    temporary.mkdir()
    (temporary / "left.txt").write_text("left")
    with replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
    assert everything(tmp_path) == {"out/new.txt": "new"}


def test_equal_values_are_equal_bytes_whatever_their_order(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None, "周"]})
    write_json(tmp_path / "b.json", {"a": [1.5, None, "周"], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert "周" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_a_list_written_value_by_value_is_the_same_json(tmp_path):
    values = [("a\nb\u2028", 0), ["周", {"b": [], "a": None}], 1.5]
    write_json(tmp_path / "a.json", values)
    write_json_list(tmp_path / "b.json", iter(values))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_what_is_no_json_is_refused_and_the_old_file_stays(tmp_path):
    write_json(tmp_path / "a.json", {"loss": 1.0})
    before = (tmp_path / "a.json").read_bytes()
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert (tmp_path / "a.json").read_bytes() == before


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(value=VALUES)
def test_json_gives_back_what_it_was_given(value):
    assert json.loads(to_json(value)) == value


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_a_text_keeps_its_line_ends(tmp_path, text):
    write_text(tmp_path / "a.txt", text)
    assert (tmp_path / "a.txt").read_bytes() == text.encode()


def test_a_digest_is_the_one_that_others_compute(tmp_path):
    (tmp_path / "a.txt").write_text("abc")      # the test vector of FIPS 180-2
    assert sha256(tmp_path / "a.txt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_folder_whose_successor_cannot_be_put_in_place_stays(tmp_path, monkeypatch):
    from unroll.base.files import replacing

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("old")
    real = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError) as caught, replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
    assert caught.value.filename == str(tmp_path / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a.txt").read_text() == "old"


def test_what_dead_processes_left_of_an_output_goes_and_no_more(tmp_path):
    (tmp_path / f".out.{HOST}.999999999.partial").mkdir()
    (tmp_path / f".out.{HOST}.{os.getpid()}.old").mkdir()     # in a container, a number comes again
    kept = {f".out.{HOST}.{os.getppid()}.partial": "of one that lives", ".out.elsewhere.999999999.partial": "elsewhere",
            f".other.{HOST}.999999999.partial": "other", ".out.labels.20240131.old": "the user's",
            f".out.{HOST}.20240131120000.old": "a date"}
    for name, text in kept.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "out").mkdir()
    with replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("new")
    assert everything(tmp_path) == {**kept, "out/a": "new"} and len(os.listdir(tmp_path)) == len(kept) + 1
