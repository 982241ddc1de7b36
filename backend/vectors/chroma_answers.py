"""ChromaDB that does not answer, in the words of our own error tree."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import StorageUnavailable


@contextmanager
def answering() -> Iterator[None]:
    """Raises StorageUnavailable: it was not reached, had no time, or failed by itself."""
    import httpx
    from chromadb.errors import InternalError, RateLimitError

    try:
        yield
    except (httpx.HTTPError, InternalError, RateLimitError) as error:
        raise StorageUnavailable(
            "The store of vectors did not answer.", detail=f"{type(error).__name__}: {error}"
        ) from error
