"""How far a task is, in percent, by its finished steps alone."""

BEFORE_THE_END = 99  # the settlement alone says 100


def percent_done(done: float, steps: int) -> float:
    """`done` of so many steps; a step at work counts with its fraction."""
    return round(BEFORE_THE_END * done / steps, 1)
