from unroll.config.cell import CellSettings
from unroll.config.cells.cnn import Settings
from unroll.models.cells._causal import CausalCell


class Cell(CausalCell):
    """A convolution over time; each layer looks back twice as far as the one below (Bai et al., 2018)."""

    @classmethod
    def layer(cls, settings: CellSettings, input_size: int, depth: int, longest: int) -> "Cell":
        assert isinstance(settings, Settings)
        return cls(settings, input_size, settings.kernel_size, 2**depth)
