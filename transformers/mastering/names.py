"""Column names compared as people mean them: custNo, CUST_NO and "Cust No" are the same words."""

import re
import unicodedata


def words_of(name: str) -> list[str]:
    """Lower case, without accents, split at separators, at capitals and before digits."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    return re.sub(r"[\W_]+", " ", split.casefold()).split()


def same_name(one: str, other: str) -> bool:
    return one == other or ("".join(words_of(one)) == "".join(words_of(other)) != "")
