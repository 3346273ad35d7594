"""The reference page of a refactoring: its keys, examples that are checked, and what is refused."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from tests.unit.spec.refactoring.broken import break_table
from tests.unit.spec.refactoring.locked import lock_table
from tests.unit.spec.refactoring.product import TABLES, Specs
from tests.unit.spec.refactoring.refused import REFUSED
from toolchain.refactor.generate import generate
from toolchain.spec.codes import Code
from toolchain.spec.reference import key_table
from toolchain.spec.schema.replay import Replay
from toolchain.spec.shape.schema import Schema as JsonSchema
from toolchain.spec.shape.schema import SpecKind, inlined, schema_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A declaration on the tables of the product, its later phases (m, c), and SQL before it."""

    declared: str
    later: str
    title: str = "Example"
    before: str = ""

    @property
    def operation(self) -> str:
        """The key by which the step declares it."""
        return self.declared.partition(":")[0]

    @property
    def specs(self) -> Specs:
        """The product whose second release declares it."""
        return Specs(
            expand=_block(self.declared),
            migrate="change: it" if "m" in self.later else None,
            contract="change: it" if "c" in self.later else None,
            before="sql: b.sql" if self.before else None,
            raw=f"{self.before or 'SELECT 1'};\n",
        )


def operations() -> tuple[str, ...]:
    """Every key by which a step may declare a refactoring, in the schema's order."""
    definitions = _definitions()
    steps = definitions["expand"]["properties"]
    return tuple(
        key
        for key, each in steps.items()
        if each["$ref"] == f"#/definitions/{key}" and "properties" in definitions[key]
    )


def operation_page(operation: str, examples: Sequence[Example]) -> str:
    """One page of Markdown: all of one operation."""
    definitions = _definitions()
    keys = inlined(definitions[operation], definitions)
    lines = [
        f"# {operation}",
        "",
        f"{keys['description']}",
        "",
        "Written from the code, with examples that are checked; do not edit. They stand on the"
        " [tables of the index](README.md#the-tables-of-the-examples).",
        "",
        "## Keys",
        "",
        *key_table(keys),
        "",
        *(line for example in examples for line in _example(example)),
        "## Refused",
        "",
        "`check` refuses these declarations, and the example's where this SQL has run before:",
        "",
        *(line for case in REFUSED[operation] for line in _refused(case, examples[0])),
    ]
    return "\n".join(lines).rstrip() + "\n"


def index_page() -> str:
    """The list of the operations, each in a sentence, and the tables of their examples."""
    definitions = _definitions()
    lines = [
        "# Refactorings",
        "",
        "What a step of an expand may declare instead of SQL of its own."
        " [Change a schema](../../how-to/refactor-a-schema.md) tells how they are used, and what"
        " holds for all of them. Written from the code; do not edit.",
        "",
        "| operation | what it is for |",
        "| --- | --- |",
        *(f"| [{key}]({key}.md) | {definitions[key]['description']} |" for key in operations()),
        "",
        "Each page has the keys, an example with the SQL of its phases and their locks, the"
        " statements of servers that break, and what is refused. A step that does not get its lock"
        " in time lets go and tries again, so that servers do not queue behind it.",
        "",
        "## The tables of the examples",
        "",
        *_fenced("sql", TABLES),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _definitions() -> JsonSchema:
    definitions: JsonSchema = json.loads(schema_text(SpecKind.RELEASE))["definitions"]
    return definitions


def _example(example: Example) -> Iterator[str]:
    checked = example.specs.check()
    assert checked.product is not None, example.specs.told()
    steps = [
        step
        for release in checked.product.releases
        for step in release.database.steps
        if step.change == "it"
    ]
    replay = Replay()
    replay.apply(TABLES + example.before)
    before = replay.schema
    refactoring = steps[0].refactoring
    assert refactoring is not None
    phases = generate("it", refactoring, before)
    ready = "expand" if phases.ready_at_expand else "migrate"
    yield from (f"## {example.title}", "")
    if example.before:
        yield from ("Where there is also", "", *_fenced("sql", f"{example.before};"))
    yield from _declared(example)
    why = phases.why[0].lower() + phases.why[1:].rstrip(".")
    yield from (f"Strategy `{phases.strategy.value}`: {why}. Ready after the {ready}.", "")
    yield from lock_table(steps, TABLES + example.before)
    yield from break_table(phases.limits, replay, steps)
    for step in steps:
        yield from _folded(f"SQL of the {step.phase.value}", step.sql.text or "")
        if step.undo is not None:
            yield from _folded(f"Undo of the {step.phase.value}", step.undo.text or "")


def _block(declared: str) -> str:
    """A declaration laid out as a person would, as deep as a step's keys stand."""
    tree = yaml.load(declared.replace("\n      ", "\n"), yaml.BaseLoader)  # noqa: S506
    laid_out = yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, width=90)
    if ": {" in laid_out.splitlines()[0]:
        # PyYAML puts a mapping without another inside into one line.
        laid_out = yaml.safe_dump(tree, sort_keys=False, default_flow_style=False)
    return laid_out.strip().replace("\n", "\n      ")


def _declared(example: Example) -> Iterator[str]:
    """What both specs say of their schema, word for word."""
    files = example.specs.files()
    for name in ("1.1.0.yaml", *(["1.2.0.yaml"] if "c" in example.later else [])):
        text = files[name].decode()
        part = text[text.index("schema:") : text.index("server:")]
        yield f"Release {name.removesuffix('.yaml')}:"
        yield ""
        yield from _fenced("yaml", part.replace("  # what changes\n", ""))


def _folded(head: str, text: str) -> Iterator[str]:
    yield from (f"<details><summary>{head}</summary>", "", *_fenced("sql", text), "</details>", "")


def _refused(case: str, example: Example) -> Iterator[str]:
    if case.startswith(f"{example.operation}:"):
        specs, shown = Specs(expand=case, migrate=None, contract=None), _fenced("yaml", case)
    else:
        specs = Specs(
            expand=example.declared,
            migrate=None,
            contract=None,
            before="sql: b.sql",
            raw=f"{case};\n",
        )
        shown = _fenced("sql", f"{case};")
    (told,) = (each for each in specs.check().problems if each.code is Code.REFACTORING)
    yield from (*shown, f"> {told.message}; {told.cure}", "")


def _fenced(language: str, text: str) -> tuple[str, ...]:
    return (f"```{language}", *text.strip("\n").splitlines(), "```", "")
