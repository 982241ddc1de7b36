"""A contract: what a table's columns have to be. Read from YAML or JSON, in one of four shapes.

    columns:                        # a list, or a map by name
      - name: customer_id
        type: integer               # string integer decimal boolean date datetime time; string where none is named
        required: true              # the column has to be there, and every cell filled
        unique: true
        allowed: [a, b]             # or enum, values
        min: 0                      # max, min_length, max_length, pattern (RE2, the whole cell), default
        aliases: [cust_no]          # names under which the column comes in

A Frictionless table schema (`fields` with `constraints`) and a JSON Schema (`properties`, `required`) say the same,
but that a JSON Schema's pattern is found anywhere in the cell.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import BadParameters, CustomerError, UnreadableFile

YAML_BOOL = "tag:yaml.org,2002:bool"
MOST_COLUMNS = 2000  # a contract is written by hand; beyond it is not one


class ContractType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


TYPE_NAMES = MappingProxyType(
    {"str": "string", "text": "string", "varchar": "string", "char": "string", "any": "string", "object": "string",
     "category": "string", "categorical": "string", "identifier": "string", "uuid": "string", "email": "string",
     "int": "integer", "bigint": "integer", "int64": "integer", "long": "integer", "year": "integer",
     "number": "decimal", "float": "decimal", "double": "decimal", "numeric": "decimal", "real": "decimal",
     "float64": "decimal", "bool": "boolean", "timestamp": "datetime", "date-time": "datetime"}
)  # fmt: skip
OTHER_NAMES = MappingProxyType(
    {"enum": "allowed", "values": "allowed", "allowed_values": "allowed", "minimum": "min", "maximum": "max",
     "minLength": "min_length", "maxLength": "max_length", "regex": "pattern", "mandatory": "required",
     "dtype": "type", "data_type": "type", "min_value": "min", "max_value": "max", "default_value": "default"}
)  # fmt: skip


class ContractColumn(BaseModel):
    """One column. `min` and `max` are numbers, or dates as text."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    name: str = Field(min_length=1)
    type: ContractType = ContractType.STRING
    required: bool = False
    unique: bool = False
    allowed: tuple[str, ...] = ()
    min: float | str | None = None
    max: float | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    default: str | None = None
    aliases: tuple[str, ...] = ()


class Contract(BaseModel):
    model_config = ConfigDict(frozen=True)

    columns: tuple[ContractColumn, ...] = Field(min_length=1, max_length=MOST_COLUMNS)


def read_contract(path: Path) -> Contract:
    """From the customer's document. Raises UnreadableFile with what does not fit."""
    import yaml

    try:
        said = path.read_text(encoding="utf-8-sig")
        document = json.loads(said) if said.lstrip().startswith(("{", "[")) else _yaml(said)
    except (yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFile("The schema is neither JSON nor YAML that can be read.", detail=str(error)) from None
    return contract_of(document, UnreadableFile)


def _yaml(said: str) -> Any:
    """With the truth values of YAML 1.2: to 1.1 `no` is one, too, and so is Norway."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in resolvers if tag != YAML_BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(YAML_BOOL, re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    return yaml.load(said, Loader=Loader)  # noqa: S506  # a SafeLoader


def contract_of(document: Any, error: type[CustomerError] = BadParameters) -> Contract:
    """Raises the error given, with a sentence that names the column."""
    columns = [_plain(name, said) for name, said in _columns(document, error)]
    names = [str(column["name"]).casefold() for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise error(f"The contract names the column {twice[0]!r} twice.")
    try:
        return Contract.model_validate({"columns": columns})
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        place = [part for part in first["loc"][1:] if not isinstance(part, int)]
        number = next((part for part in first["loc"] if isinstance(part, int)), None)
        name = "the columns" if number is None else f"column {columns[number]['name']!r}"
        raise error(f"The contract cannot be read: {name}: {'.'.join(map(str, place))}: {first['msg']}.") from None


def _columns(document: Any, error: type[CustomerError]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, what is said of it), whatever the document's shape."""
    if isinstance(document, Mapping) and document.get("type") == "array":
        document = document.get("items")
    required: list[Any] = []
    found: Any = document
    if isinstance(document, Mapping):
        found = next((document[key] for key in ("columns", "fields", "properties") if key in document), None)
        listed = document.get("required")
        required = listed if isinstance(listed, list) else []
    if isinstance(found, Mapping):
        for name, said in found.items():
            told = dict(said) if isinstance(said, Mapping) else {"type": said}
            told = _unanchored(told) if found is document.get("properties") else told
            yield str(name), told | ({"required": True} if name in required else {})
    elif isinstance(found, list):
        for said in found:
            column = {"name": said} if isinstance(said, str) else said
            if not isinstance(column, Mapping) or not column.get("name"):
                raise error("Every column of the contract needs a name.")
            yield str(column["name"]), dict(column)
    else:
        raise error("The contract has no columns: name them under `columns`.")


def _unanchored(told: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema looks for a pattern anywhere; ours is the whole cell's. Its own ^ and $ hold as before."""
    pattern = told.get("pattern")
    return told | {"pattern": f"(?s:.*)(?:{pattern})(?s:.*)"} if isinstance(pattern, str) else told


def _plain(name: str, said: dict[str, Any]) -> dict[str, Any]:
    """In our words; what a contract says that we do not check is left out."""
    constraints = said.pop("constraints", None)
    said |= dict(constraints) if isinstance(constraints, Mapping) else {}
    told = {OTHER_NAMES.get(key, key): value for key, value in said.items()}
    if isinstance(told.get("type"), list):  # JSON Schema: ["string", "null"]
        told["type"] = next((kind for kind in told["type"] if kind != "null"), "string")
    kind = str(told.get("type") or "string").lower()
    if kind == "string" and told.get("format") in {"date", "date-time", "time"}:
        kind = str(told["format"])
    told["type"] = TYPE_NAMES.get(kind, kind)
    if str(told.get("nullable")).lower() in {"false", "no", "off"}:
        told["required"] = True
    for key in ("default", "allowed"):
        told[key] = _as_text(told.get(key))
    return {key: told[key] for key in ContractColumn.model_fields if told.get(key) is not None} | {"name": name}


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return [_as_text(one) for one in value if one is not None]
    return value if value is None else str(value)
