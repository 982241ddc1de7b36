"""Imported first by what starts a process: the garbage collector waits until everything that stays is loaded.

Nothing becomes garbage meanwhile, yet the collector would go over the growing heap some 400 times: a fifth of a
worker's start. What is there at the end stays for ever, so that later collections, and prefork's children with their
pages, leave it alone.
"""

import gc

gc.disable()


def over() -> None:
    """All is loaded."""
    gc.freeze()
    gc.enable()
