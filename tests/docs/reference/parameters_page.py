"""docs/reference/parameters.md: each agent's form, field by field, from its JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.docs.reference.wording import code, table
from transformers.catalog import TRANSFORMERS
from transformers.tool import Step

INTRO = """# Parameters

Given with the task (`"parameters": {"agent-id": {"name": value}}`), as `-p agent-id.name=value` in a shell, or
uploaded as `parameters.json`. What is unknown, of the wrong type or out of range is refused with 422, which names the
field. A report echoes the defaults, what was given, and what held.

"""
BOUNDS = {
    "minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<", "minLength": "characters ≥",
    "maxLength": "characters ≤", "minItems": "entries ≥", "maxItems": "entries ≤", "pattern": "pattern",
}  # fmt: skip
Schema = Mapping[str, Any]


def parameters_page() -> str:
    return INTRO + "\n".join(_section(one.tool.id, step) for one in TRANSFORMERS for step in one.tool.steps)


def _section(tool_id: str, step: Step) -> str:
    schema = step.agent.parameters.model_json_schema()
    heading = f'## {tool_id} · {step.id}\n\n<a id="{tool_id}--{step.id}"></a>\n\n{step.agent.description}\n\n'
    fields = schema.get("properties", {})
    if not fields:
        return f"{heading}It has none.\n"
    required = schema.get("required", ())
    heads = ("parameter", "type", "default", "meaning")
    rows = [_row(name, field, schema.get("$defs", {}), needed=name in required) for name, field in fields.items()]
    return heading + table(heads, rows)


def _row(name: str, field: Schema, known: Schema, *, needed: bool) -> tuple[str, ...]:
    default = "required" if needed else code(json.dumps(field.get("default"), ensure_ascii=False))
    meaning = field.get("description", "")
    return code(name), _type(field, known), default if len(default) < 60 else "its own", meaning


def _type(field: Schema, known: Schema) -> str:
    """In words: what it may be, between which bounds."""
    if "$ref" in field:
        return _type(known[field["$ref"].rpartition("/")[2]], known)
    if "anyOf" in field or "oneOf" in field:
        options = field.get("anyOf", field.get("oneOf", ()))
        return " or ".join(dict.fromkeys(_type(option, known) for option in options))
    if "enum" in field or "const" in field:
        return ", ".join(code(option) for option in field.get("enum", [field.get("const")]))
    bounds = ", ".join(_bounds(field))
    return f"{_plain(field, known)}{f' ({bounds})' if bounds else ''}"


def _plain(field: Schema, known: Schema) -> str:
    kind = field.get("type", "anything")
    if kind == "array":
        return f"list of {_type(field['items'], known)}" if field.get("items") else "list"
    if kind == "object":
        values = field.get("additionalProperties")
        if isinstance(values, Mapping) and values:
            return f"map to {_type(values, known)}"
        return f"map of {', '.join(code(name) for name in field['properties'])}" if "properties" in field else "map"
    return {"null": "nothing", "string": "text"}.get(str(kind), str(kind))


def _bounds(field: Schema) -> Iterator[str]:
    for key, sign in BOUNDS.items():
        if key in field:
            value = field[key]
            yield f"{sign} {code(value) if key == 'pattern' else f'{value:,}'}"
