"""Where a curve of UAR against amplitude passes halfway between chance and its ceiling."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression


def halfways(curve: pd.DataFrame) -> pd.DataFrame:
    """`halfway` of each experiment and frame rate."""
    groups = curve.groupby(["experiment", "fps"], sort=False)
    return pd.DataFrame([{"experiment": e, "fps": f} | halfway(g) for (e, f), g in groups])


def halfway(curve: pd.DataFrame) -> dict[str, float]:
    """Amplitude (pixels) at which UAR passes halfway between chance and its ceiling, NaN when it never does, or when
    the interval at the greatest amplitude holds chance, so that nothing is known to rise.

    UAR is made non-decreasing in the amplitude first (isotonic regression, weighted equally), so that noise cannot
    cross twice; the ceiling is its value at the greatest amplitude. Columns amplitude, UAR, UAR_low, chance, at least
    two rows.
    """
    x, chance = curve["amplitude"].to_numpy(), float(curve["chance"].iloc[0])
    rising = IsotonicRegression().fit_transform(x, curve["UAR"])
    goal = (chance + rising[-1]) / 2
    above = np.flatnonzero(rising >= goal)
    known = float(curve["UAR_low"].iloc[x.argmax()]) > chance
    if not known or rising[-1] <= chance or above[0] == 0:
        return {"amplitude": float("nan"), "ceiling": float(rising[-1])}
    k = int(above[0])
    share = (goal - rising[k - 1]) / (rising[k] - rising[k - 1])
    return {"amplitude": float(x[k - 1] + share * (x[k] - x[k - 1])), "ceiling": float(rising[-1])}
