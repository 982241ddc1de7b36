"""`make reference`: the pages under docs/reference/ that are made from the code, written anew."""

from tests.docs.reference.pages_made import FOLDER, made

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
