"""Weights of another model, taken over into a fresh network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unroll.base.errors import UserError
from unroll.config.pretrained import PretrainedConfig, within
from unroll.data.spec import Spec
from unroll.data.tokenizers import Tokenizer
from unroll.models.by_field import plain
from unroll.models.folder import Model, load_model
from unroll.models.network import Network

Rows = list[Any]        # what each row of a table or a matrix stands for
Tokenizers = Mapping[str, Tokenizer]


def take_over(network: Network, spec: Spec, tokenizers: Tokenizers, folder: Path, settings: PretrainedConfig) \
        -> Iterator[str]:
    """Load parts of the model in `folder` into the network, and freeze some; yields a line for each part.

    Rows of embeddings and heads are matched by what they stand for: symbols, categories and classes that both have;
    those that only the network has begin as without a model. Raises `UserError` where the model is another than its
    digest says, or a part does not fit.
    """
    base = load_model(folder)
    if base.digest != settings.sha256:
        reason = "has other weights" if settings.sha256 else "set it to its digest, so that another model is noticed"
        raise UserError("stale" if settings.sha256 else "missing-value", "pretrained.sha256",
                        f"{settings.model} {reason}: {base.digest}.")
    if any(within("core", part) for part in settings.load) and network.core.cell is not base.network.core.cell:
        raise UserError("conflict", "model.core.kind", f"{settings.model} has a core of kind {base.config.core.kind}, "
                        "and this network another. Choose its kind, or leave core out of pretrained.load.")
    theirs = {plain(name): value for name, value in base.network.state_dict().items()}
    ours = {plain(name): value for name, value in network.state_dict().items()}
    for part in settings.load:
        names = [name for name in ours if within(name, part)]
        _check(part, "network", names, ours)
        _check(part, "model", [name for name in theirs if within(name, part)], theirs)
        matched = _matched(spec, tokenizers, base, names)
        for field, (new, old) in matched.items():
            if new != old and not {*new} & {row for row in old if not _special(row)}:
                raise UserError("conflict", "pretrained.load", f"{field}: none of its {len(new):,} symbols or classes "
                                f"is one of the {len(old):,} of {settings.model}. Leave it out, or, of a text, take "
                                "over the tokenizer, too (docs/configuration.md).")
        for name in names:
            if name not in theirs:
                raise UserError("conflict", "pretrained.load", f"the model has no {name}. Name parts that both have.")
            _copy(name, ours[name], theirs[name], *matched.get(_field(name), ([], [])))
        yield f"{part} from {settings.model}" + "".join(
            f"; {len({*new} & {*old}):,} of {len(new):,} rows of {field}" for field, (new, old) in matched.items()
            if new != old)
    for part in settings.freeze:
        _check(part, "network", [name for name in ours if within(name, part)], ours)
    for name, parameter in network.named_parameters():
        if any(within(plain(name), part) for part in settings.freeze):
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise UserError("no-effect", "pretrained.freeze", "nothing is left to be trained. Leave a part out.")


def _check(part: str, owner: str, found: list[str], names: Mapping[str, Tensor]) -> None:
    if not found:
        parts = sorted({_field(name) for name in names})
        raise UserError("unknown-name", "pretrained.load", f"the {owner} has no {part}; it has {', '.join(parts)}.")


def _special(row: Any) -> bool:
    """Whether it stands for what is unknown, begins or ends, and so is in every vocabulary."""
    return isinstance(row, tuple) and (len(row) == 1 or row[1] == "")


def _field(name: str) -> str:
    """The part that a parameter belongs to: core, or one field's encoder or head."""
    section, *rest = name.split(".")
    return f"{section}.{rest[0]}" if section in ("inputs", "heads") else section


def _copy(name: str, own: Tensor, given: Tensor, new: Rows, old: Rows) -> None:
    """Row by row where rows stand for something, else as a whole."""
    rows = own.dim() > 0 and len(new) == len(own) and len(old) == len(given)
    if rows and own.shape[1:] == given.shape[1:] and new != old:
        at = {row: place for place, row in enumerate(old)}
        places = [(place, at[row]) for place, row in enumerate(new) if row in at]
        to, start = (torch.tensor(list(each), dtype=torch.long) for each in zip(*places, strict=True)) if places else (
            torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long))
        own[to] = given[start]
    elif own.shape == given.shape:
        own.copy_(given)
    else:
        raise UserError("conflict", "pretrained.load", f"{name} is {tuple(own.shape)} here and {tuple(given.shape)} "
                        "in the model. Choose the model's sizes, or leave its part out.")


def _matched(spec: Spec, tokenizers: Tokenizers, base: Model, names: list[str]) \
        -> dict[str, tuple[Rows, Rows]]:
    """What the rows of tables stand for, here and in the model, by part."""
    found = {}
    for part in dict.fromkeys(map(_field, names)):
        section, _, field = part.partition(".")
        if section == "inputs" and field in base.spec.inputs:
            found[part] = _inputs(spec, tokenizers, field), _inputs(base.spec, base.tokenizers, field)
        if section == "heads" and field in base.spec.targets:
            found[part] = _targets(spec, tokenizers, field), _targets(base.spec, base.tokenizers, field)
    return {part: rows for part, rows in found.items() if all(rows)}


def _inputs(spec: Spec, tokenizers: Tokenizers, field: str) -> Rows:
    described = spec.inputs[field]
    if field in tokenizers:
        return symbols(tokenizers[field])
    return [(column, name) for column, names in enumerate(described.categories or ())
            for name in ("", *names)]     # the first is that of all others


def _targets(spec: Spec, tokenizers: Tokenizers, field: str) -> Rows:
    target = spec.targets[field]
    if target.symbols and target.of is not None and target.of in tokenizers:
        return symbols(tokenizers[target.of])
    return list(target.classes or ())


def symbols(tokenizer: Tokenizer) -> Rows:
    """What each symbol is, whichever number it has."""
    try:
        texts: Rows = list(tokenizer.vocabulary)
    except UserError:       # words, whose text depends on those before them
        texts = [tokenizer.decode([symbol]) for symbol in range(tokenizer.size)]     # type: ignore[arg-type]
    begin = tokenizer.begin if tokenizer.items else None        # else it is a newline
    special = {tokenizer.unknown: "unknown", tokenizer.end: "end", begin: "begin"}
    return [(special[number],) if number in special else text for number, text in enumerate(texts)]
