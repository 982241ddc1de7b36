"""Before the upload: which file goes into which role, under which name. Pure: it asks no store and no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from backend.errors import BadRequest, FileTooLarge, UnreadableFile, UnsupportedFormat
from backend.storage.objects import OpenUpload
from transformers.tool import MEBIBYTE, PARAMETERS_ROLE, InputRole, Tool

PARAMETERS_FILE = InputRole(PARAMETERS_ROLE, formats=("json",), max_bytes=MEBIBYTE, is_table=False)
MOST_FILES = 1000  # of a role that takes several


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file the customer announced, as it stands on the task's row; size in bytes, as announced.

    `upload_id` stands for an upload in parts that is not completed.
    """

    filename: str
    key: str
    content_type: str
    size: int
    upload_id: str | None = None

    @property
    def upload(self) -> OpenUpload | None:
        return OpenUpload(self.key, self.upload_id) if self.upload_id else None

    def arrived(self, size: int) -> "PlannedFile":
        """The same file once it is in the store, of this size."""
        return replace(self, size=size, upload_id=None)

    def as_row(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def planned_files(inputs: Mapping[str, Any]) -> dict[str, list[PlannedFile]]:
    """The row's inputs, by role."""
    return {
        role: [PlannedFile(f["filename"], f["key"], f["content_type"], f["size"], f.get("upload_id")) for f in files]
        for role, files in inputs.items()
    }


def files_with(inputs: Mapping[str, Any], role: InputRole, new: Sequence[PlannedFile]) -> list[PlannedFile]:
    """All files of the role from now on. A role for several keeps those of other names, and its order.

    Raises:
        BadRequest: there are two of one name among the new ones, or too many.
    """
    if len(names := {file.filename for file in new}) != len(new):
        twice = next(name for name in names if sum(file.filename == name for file in new) > 1)
        raise BadRequest(
            f"Two files are called {twice!r}; give each a name of its own.", role=role.name, filename=twice
        )
    if not role.many and len(new) > 1:
        raise BadRequest(f"The role {role.name!r} takes one file.", role=role.name)
    before = planned_files(inputs).get(role.name, ()) if role.many else ()
    found = {file.filename: file for file in (*before, *new)}
    if len(found) > MOST_FILES:
        sentence = f"The role {role.name!r} takes at most {MOST_FILES:,} files."
        raise BadRequest(sentence, role=role.name, most=MOST_FILES)
    return list(found.values())


def keys_of(planned: Mapping[str, Sequence[PlannedFile]]) -> list[str]:
    return [file.key for files in planned.values() for file in files]


def rows_of(files: Iterable[PlannedFile]) -> list[dict[str, Any]]:
    return [file.as_row() for file in files]


def role_of(tool: Tool, name: str) -> InputRole:
    """A role of the tool, or that of parameters.json.

    Raises:
        BadRequest: with the roles there are in its context.
    """
    role = PARAMETERS_FILE if name == PARAMETERS_ROLE else tool.role(name)
    if role is None:
        known = [role.name for role in tool.roles] + [PARAMETERS_ROLE]
        raise BadRequest(f"{tool.name} has no input role called {name!r}.", role=name, roles=known)
    return role


def check_format(role: InputRole, filename: str) -> None:
    """The extension decides what we let in, in either case; intake looks at the content itself.

    Raises:
        UnsupportedFormat
    """
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    if extension not in role.formats:
        accepted = ", ".join(role.formats)
        raise UnsupportedFormat(
            f"{filename!r} is not of a format that the role {role.name!r} takes: {accepted}.",
            role=role.name, filename=filename, formats=list(role.formats),
        )  # fmt: skip


def check_size(role: InputRole, filename: str, size: int) -> None:
    """Size in bytes.

    Raises:
        UnreadableFile: it is empty.
        FileTooLarge
    """
    if size == 0:
        raise UnreadableFile(f"{filename!r} is empty.", role=role.name, filename=filename)
    if size > role.max_bytes:
        raise FileTooLarge(
            f"{filename!r} has {size:,} bytes; the role {role.name!r} takes at most {role.max_bytes:,}.",
            role=role.name, filename=filename, size=size, max_bytes=role.max_bytes,
        )  # fmt: skip
