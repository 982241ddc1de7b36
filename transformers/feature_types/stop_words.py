# ruff: noqa: SIM905  a list of words is no easier to read
"""English words that sentences are made of and names of things are not."""

STOP_WORDS = frozenset(
    """a about after all also an and any are as at be been but by can could did do does for from had has have he her his
    how i if in into is it its just may me more most my no not of on one only or other our out over she should so some
    such than that the their them then there these they this those to under up was we were what when where which who
    will with would you your""".split()
)
