"""The reference pages of the specs, written from the JSON Schemas and the problem codes."""

import json
from collections.abc import Iterator
from typing import Any

from toolchain.spec.codes import Code
from toolchain.spec.shape.schema import Schema, SpecKind, inlined, schema_text

_TYPES = {"object": "mapping", "array": "list", "string": "text", "integer": "number"}


def spec_page(kind: SpecKind) -> str:
    """One page of Markdown: every key of a kind of spec, in the schema's order."""
    schema = json.loads(schema_text(kind))
    whole = inlined(schema, schema["definitions"])
    lines = [
        f"# {schema['title']}",
        "",
        schema["description"],
        "",
        "Written from the JSON Schema; do not edit.",
        "",
        *key_table(whole),
    ]
    return "\n".join(lines) + "\n"


def key_table(schema: Schema) -> Iterator[str]:
    """The lines of a table of every key below a schema without references, in its order."""
    yield from ("| key | type | what it is | example |", "| --- | --- | --- | --- |")
    yield from _rows(schema, "")


def problems_page() -> str:
    """One page of Markdown: every problem that a report may name."""
    lines = [
        "# Problems",
        "",
        "What `interlock check` may find, by the id that its reports carry. Written from the code;"
        " do not edit.",
        "",
        "| id | meaning |",
        "| --- | --- |",
        *(f"| `{code.value}` | {code.title} |" for code in Code),
    ]
    return "\n".join(lines) + "\n"


def _rows(schema: Schema, above: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        if "title" not in part:
            continue  # the architectures of a source, which its own row tells of
        path = f"{above}{name}"
        about = part.get("description", "")
        if name in required:
            about += " Required."
        elif "default" in part:
            about += f" Default: `{_shown(part['default'])}`."
        yield f"| `{path}` | {_type(part)} | {_cell(about)} | {_example(part)} |"
        yield from _rows(part, f"{path}.")
        yield from _rows(part.get("items", {}), f"{path}[].")
        below = part.get("additionalProperties")
        if isinstance(below, dict):
            yield from _rows(below, f"{path}.NAME.")


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_TYPES.get(str(kind), str(kind)) for kind in kinds)


def _example(schema: Schema) -> str:
    examples = schema.get("examples", ())
    return f"`{_cell(_shown(examples[0]))}`" if examples else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
