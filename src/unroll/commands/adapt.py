"""`unroll predict --adapt`: intervals that follow the series of the file."""

from collections.abc import Mapping, Sequence

from unroll.prediction.adapted import Values, adapt, check
from unroll.prediction.inputs import Inputs
from unroll.prediction.predictor import Predictor


def adapted_forecasts(predictor: Predictor, inputs: Inputs, predictions: Mapping[str, Sequence[Values]]
                      ) -> dict[str, list[Values]]:
    """The forecast among the predictions, its intervals moved; prints from how many earlier ones."""
    check(predictor)
    name = predictor.forecast.name
    found = adapt(predictor, inputs.sequences, predictions[name])
    without = f"; {found.unmoved:,} series too short for that keep theirs" if found.unmoved else ""
    print(f"predict: intervals follow what {found.origins:,} earlier forecasts of the file's series missed by{without}")
    return {name: found.forecasts}
