"""Work that is nothing but computing, for whoever wants some. Knows nothing of the product."""


def fibonacci(number: int) -> int:
    """The slow way."""
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
