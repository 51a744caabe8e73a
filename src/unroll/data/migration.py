"""Specs of older formats as today's, JSON to JSON: model folders outlive the version that wrote them."""

from typing import Any

Json = dict[str, Any]


def migrate_spec(old: Json) -> Json:
    """A spec of an older format as one of today's; others as they are. The old one must be whole."""
    if old.get("format") == 2:
        old = _from_2(old)
    # format 4 can say more of an input, where there is more to say
    return {**old, "format": 4} if old.get("format") == 3 else old


def _from_2(old: Json) -> Json:
    """Format 2 held section `data` itself, and left out what a field does not have."""
    data, forecast = old["data"], old["data"].get("forecast")
    return {
        "format": 3,
        "layout": old["layout"],
        "longest": old["longest"],
        "inputs": {name: _input(field, _names(old, name)) for name, field in old["inputs"].items()},
        "targets": {name: _target(field, _names(old, field.get("of", name))) for name, field in old["targets"].items()},
        "forecast": forecast and {key: forecast[key] for key in ("horizon", "context", "season", "log", "stride")},
        "splits": {split: _counts(counts) for split, counts in old["splits"].items()},
        "source": {"kind": data["kind"], **old["source"]},
        "reading": _reading(data),
    }


def _names(old: Json, name: str) -> list[str] | None:
    names: list[str] | None = (old["data"]["columns"].get(name) if old["data"]["kind"] == "table" else
                               old["inputs"].get(name, {}).get("names"))
    return names


def _input(field: Json, names: list[str] | None) -> Json:
    width = 1 if field["kind"] == "tokens" else field.get("columns", field["size"])
    return {"kind": field["kind"], "size": field["size"], "width": width, "begin": field.get("begin"),
            "scale": field.get("scale"), "names": names}


def _target(field: Json, names: list[str] | None) -> Json:
    return {"kind": field["kind"], "per": field["per"], "size": field["size"], "of": field.get("of"),
            "ahead": field.get("ahead", 0), "classes": field.get("classes"), "scale": field.get("scale"),
            "frame": field.get("frame"), "names": None if field["kind"] == "classes" else names}


def _counts(counts: Json) -> Json:
    return {"sequences": counts["items"], "steps": counts["steps"],
            **{key: counts.get(key, 0) for key in ("characters", "bytes", "unknown")}}


def _reading(data: Json) -> Json:
    reading: Json = {"encoding": data.get("encoding") or "utf-8"}
    if data["kind"] not in ("table", "folder"):
        return reading
    reading |= {key: data[key] for key in ("delimiter", "decimal", "header")} | {"whole": data["kind"] == "folder"}
    if data["kind"] == "folder":
        return reading
    words = (data["tokenizer"] or {}).get("kind") == "word"
    rows = {key: data[key] for key in ("series", "time", "time_format")}
    return reading | {"table": {**rows, "joint": " " if words else ""}}
