"""How many objects there are in the store, and the first of them; a process of its own, by its settings."""

from itertools import islice

from backend.doors import get_doors
from backend.orphans import ROOT


def main() -> None:
    left = [info.key for info in get_doors().storage.list(ROOT)]
    print(len(left), *islice(left, 3))


if __name__ == "__main__":
    main()
