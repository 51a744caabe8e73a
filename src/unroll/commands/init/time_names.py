"""Whether a column is a time by its name."""

import re

PARTS = ("quarter", "month", "week", "day", "hour", "minute", "min")     # of a clock, which begin anew
CLOCK = ("date", "time", "datetime", "timestamp", "stamp", "ts", "epoch", "unix", "step", "year", "second", "seconds",
         "日期", "时间", "年份", "月份", "年月", *PARTS)
PLAIN = ("t", "ds", "ms", *CLOCK)       # of which some are a time only where they are the whole name
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")


def has_time_name(name: str) -> bool:
    """Whether one of its words is a time: start_time, eventDate."""
    return any(word.lower() in CLOCK for word in WORD.findall(name)) or is_plain(name)


def is_plain(name: str) -> bool:
    """Whether all of it is a time."""
    return name.strip().lower() in PLAIN
