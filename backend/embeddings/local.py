"""Vectors without a model: words, pairs of words and pieces of words, hashed into a few hundred numbers.

For tests and the demo. It needs no download and no network, and the same text has the same vector on every machine.
Texts that share words or spellings come out near to one another; it knows nothing of meaning: "car" and "automobile"
are strangers to it, and so are the same sentence in two languages. A feature's weight grows with the logarithm of its
count, so that a word said ten times does not drown the others.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np

    Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

_WORD = re.compile(r"\w+")
_WORDS, _PAIRS, _PIECES = 1.0, 0.7, 0.3  # a shared word tells more than shared letters
_PIECE = 4  # bytes
_MIX = 0x9E37_79B9_7F4A_7C15  # 2^64 over the golden ratio: spreads neighbours over all bits
_UPPER_BITS = 33  # the best-mixed ones of a product; one of them is the sign


def embed_locally(texts: Sequence[str], dimensions: int) -> list[list[float]]:
    """One vector of length 1 a text, in their order; `dimensions` numbers each, 2 at least."""
    return [_vector(text, dimensions) for text in texts]


def _vector(text: str, dimensions: int) -> list[float]:
    import numpy as np

    words = _WORD.findall(text.casefold()) or [text]
    encoded = [word.encode("utf-8", "replace") for word in words]
    hashes = np.fromiter(map(crc32, encoded), np.uint64, len(encoded))
    pairs = hashes[:-1] * np.uint64(3) + hashes[1:]
    vector = np.zeros(dimensions)
    for salt, (features, weight) in enumerate(((hashes, _WORDS), (pairs, _PAIRS), (_pieces(encoded), _PIECES)), 1):
        vector += weight * _buckets(features, np.uint64(salt), dimensions)
    length = float(np.linalg.norm(vector))
    if length == 0:  # not a single letter, or all of them cancel out
        vector[0] = length = 1.0
    return (vector / length).tolist()  # type: ignore[no-any-return]


def _pieces(words: Sequence[bytes]) -> "Hashes":
    """Every four bytes of the words in a row: near spellings share most of them."""
    import numpy as np

    letters = np.frombuffer(b" " + b" ".join(words) + b" ", np.uint8).astype(np.uint64)
    count = len(letters) - _PIECE + 1
    pieces = np.zeros(max(count, 0), np.uint64)
    for place in range(_PIECE if count > 0 else 0):
        pieces |= letters[place : place + count] << np.uint64(8 * place)
    return pieces


def _buckets(features: "Hashes", salt: "np.uint64", dimensions: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The features' weights, each added to or taken from one of the dimensions."""
    import numpy as np

    distinct, counts = np.unique(features, return_counts=True)
    mixed = (distinct + salt) * np.uint64(_MIX)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_MIX)
    upper = mixed >> np.uint64(_UPPER_BITS)
    signs = (upper & np.uint64(1)).astype(np.int64) * 2 - 1
    places = ((upper >> np.uint64(1)) % np.uint64(dimensions)).astype(np.int64)
    added: np.ndarray[tuple[int], np.dtype[np.float64]] = np.zeros(dimensions)
    np.add.at(added, places, signs * (1.0 + np.log(counts)))
    return added
