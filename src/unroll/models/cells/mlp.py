from unroll.config.cell import CellSettings
from unroll.config.cells.mlp import Settings
from unroll.models.cells._causal import CausalCell


class Cell(CausalCell):
    """A perceptron on a window: the first layer reads its steps side by side, the others one step of the one below."""

    @classmethod
    def layer(cls, settings: CellSettings, input_size: int, depth: int, longest: int) -> "Cell":
        assert isinstance(settings, Settings)
        return cls(settings, input_size, (settings.window or longest) if depth == 0 else 1, 1)
