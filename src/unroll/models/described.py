"""Names that moved to `unroll.models.manifest`."""

from unroll.models.manifest import STEP, STEP_INT8, WEIGHTS, open_folder
from unroll.models.manifest import ModelFolder as Opened

__all__ = ["STEP", "STEP_INT8", "WEIGHTS", "Opened", "open_folder"]
