"""`python -m backend …`: the `agensium` command where scripts are not on the path, as on Windows."""

from backend.cli import app

app(prog_name="agensium")
