"""Reports, a file for each kind of head: how good a model with this head is, beside methods without a network."""

from importlib import import_module
from importlib.util import find_spec

from unroll.config.head import HeadSettings
from unroll.evaluation.report import Reporter


def report_of(head: HeadSettings) -> Reporter:
    """The function `report` for a kind of head; no other is imported, since some take a second.

    It is in the module of the kind's name here, or in the one that the settings of another package's head name. A head
    with neither has the report of losses alone.
    """
    module = head.report or f"{__name__}.{head.kind}"
    found = head.report or find_spec(module)
    reporter: Reporter = import_module(module if found else f"{__name__}._losses").report
    return reporter
