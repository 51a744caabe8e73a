"""Reports, a file for each kind of head: how good a model with this head is, beside methods without a network."""

from importlib import import_module

from unroll.config.head import HeadSettings
from unroll.config.heads import HEADS
from unroll.evaluation.report import Reporter


def report_of(head: HeadSettings) -> Reporter:
    """The function `report` of a kind of head; it alone is imported, since some take a second.

    Another package's head names the module that has it (`report` in its settings), or has the one of losses alone.
    """
    module = head.report or f"{__name__}.{head.kind if head.kind in HEADS.own else '_losses'}"
    reporter: Reporter = import_module(module).report
    return reporter
