"""Whether series are counts, whose distribution is of whole numbers."""

from collections.abc import Sequence

import numpy as np

from unroll.commands.init.roles import Roles

LARGEST = 20        # median of counts; the steps between larger ones hardly matter to an interval


def are_counts(roles: Roles, names: Sequence[str]) -> bool:
    """Whether all of these columns are whole numbers from 0 on, mostly small ones, and more than a flag."""
    for name in names:
        values = roles.columns[name].values
        known = values[~np.isnan(values)]
        if not len(known) or known.min() < 0 or (known != np.rint(known)).any():
            return False
        if np.median(known) > LARGEST or len(np.unique(known)) < 4:
            return False
    return True
