"""Names on disk."""

import tracemalloc

import numpy as np

from unroll.data.encoders import Classes
from unroll.sources.common.stored import Labels


def test_one_long_name_does_not_widen_all_others(tmp_path):
    names = ["x" * 20_000, *(f"name{number}" for number in range(2000))]
    tracemalloc.start()
    labels = Labels(tmp_path, [(np.arange(len(names)), names)])
    whole = labels.of_sequences(tmp_path, np.arange(0, len(names) + 1, 3), lambda at, own: own[0])
    rows = labels[:]
    classes = Classes.fit([rows])
    numbers = classes.encode(rows, "here")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000         # 160 million bytes where each is as wide as the longest
    assert [classes.names[number] for number in numbers] == names == rows.tolist()
    assert (labels[1:3].tolist(), labels[0], whole[1]) == (["name0", "name1"], names[0], "name2")
