"""Words that some servers take for the model's own punctuation: a text that holds them could begin a turn of its own.

Servers of open models may read `<|im_start|>system` in a customer's file as the beginning of a system message. A
zero-width joiner inside makes it mere text; on the way back it is taken out again.
"""

import re

JOINER = "\u200d"
_BEGINNINGS = ("<|", "[INST", "[/INST", "<start_of_turn", "<end_of_turn", "<s>", "</s>")
_SPECIAL = re.compile("|".join(re.escape(beginning) for beginning in _BEGINNINGS), re.IGNORECASE)
_BROKEN = re.compile("|".join(re.escape(f"{b[0]}{JOINER}{b[1:]}") for b in _BEGINNINGS), re.IGNORECASE)


def broken(text: str) -> str:
    """Most texts hold none of them, and come back as they are."""
    if "<" not in text and "[" not in text:
        return text
    return _SPECIAL.sub(lambda found: f"{found[0][0]}{JOINER}{found[0][1:]}", text)


def mended(text: str) -> str:
    return _BROKEN.sub(lambda found: found[0].replace(JOINER, ""), text) if JOINER in text else text
