"""Whether a column is a time by its name."""

import re

# of a clock, which begin anew
PARTS = ("quarter", "month", "week", "weekday", "dayofweek", "dayofyear", "day", "hour", "minute")
CLOCK = ("date", "time", "datetime", "timestamp", "stamp", "ts", "epoch", "unix", "step", "year", "second", "seconds",
         "日期", "时间", "年份", "月份", "年月", *PARTS)
PLAIN = ("t", "ds", "ms", *CLOCK)       # of which some are a time only where they are the whole name
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")


def has_time_name(name: str) -> bool:
    """Whether one of its words is a time: start_time, eventDate."""
    return any(word.lower() in CLOCK for word in WORD.findall(name)) or is_plain(name)


def is_of_time(name: str) -> bool:
    """Whether all of its words are, beside day_of_week's "of": hour, monthNumber; no sales_per_day."""
    words = [word.lower() for word in WORD.findall(name)]
    return bool(words) and words[0] in CLOCK and all(word in (*CLOCK, "of", "in", "number") for word in words)


def is_plain(name: str) -> bool:
    """Whether all of it is a time."""
    return name.strip().lower() in PLAIN
