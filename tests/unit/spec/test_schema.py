"""The JSON Schemas that editors read, against the draft and against the checks that run here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.unit.spec.sample import SAMPLE
from toolchain.spec.problem import Complaint
from toolchain.spec.shape.schema import SpecKind, schema_text, validator_of
from toolchain.spec.values.formats import FORMATS

# The words that the sentences in `structure` know; `$ref` is replaced before validation.
KEYWORDS = {
    "type", "properties", "additionalProperties", "required", "items", "enum", "format", "pattern",
    "minimum", "maximum", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
    "propertyNames", "uniqueItems", "oneOf", "allOf", "title", "description", "examples", "default",
    "$ref", "$id", "$schema", "definitions",
}  # fmt: skip


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, itself first."""
    yield part
    for key in ("properties", "definitions"):
        for below in part.get(key, {}).values():
            yield from schemas(below)
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(part.get(key), dict):
            yield from schemas(part[key])
    for key in ("oneOf", "allOf"):
        for below in part.get(key, []):
            yield from schemas(below)


@pytest.fixture(params=SpecKind, ids=lambda kind: kind.value)
def schema(request: pytest.FixtureRequest) -> Any:
    return json.loads(schema_text(request.param))


def test_it_is_a_schema_of_draft_7(schema: Any) -> None:
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)


def test_every_keyword_has_a_sentence(schema: Any) -> None:
    for part in schemas(schema):
        assert set(part) <= KEYWORDS


def test_every_key_is_explained(schema: Any) -> None:
    definitions = schema["definitions"]
    for part in schemas(schema):
        for name, about in part.get("properties", {}).items():
            named = definitions.get(about.get("$ref", "").removeprefix("#/definitions/"), {})
            explained = {**named, **about}
            if set(part["properties"]) == {"all", "amd64", "arm64"}:
                continue
            assert explained.get("title"), name
            assert explained.get("description", "").endswith("."), name


def test_every_format_has_a_check(schema: Any) -> None:
    for part in schemas(schema):
        if "format" in part:
            assert part["format"] in FORMATS


def test_every_mapping_is_closed(schema: Any) -> None:
    for part in schemas(schema):
        if "properties" in part:
            assert part["additionalProperties"] is False


def test_examples_are_examples() -> None:
    for kind in SpecKind:
        validator = validator_of(kind)
        for part in schemas(json.loads(schema_text(kind))):
            for example in part.get("examples", []):
                # As an editor's user would write it: through YAML, where quotes tell.
                found = list(
                    validator.evolve(schema=_resolved(kind, part)).iter_errors(_view(example))
                )
                assert not found, (example, found)


def _resolved(kind: SpecKind, part: dict[str, Any]) -> dict[str, Any]:
    from toolchain.spec.shape.schema import inlined

    inlined = inlined(part, json.loads(schema_text(kind))["definitions"])
    assert isinstance(inlined, dict)
    return inlined


def _view(value: Any) -> Any:
    from toolchain.spec.shape.plain import Plain

    match value:
        case bool():
            return Plain(str(value).lower())
        case int():
            return Plain(value)
        case list():
            return [_view(item) for item in value]
        case dict():
            return {key: _view(item) for key, item in value.items()}
        case _:
            return value


PATTERNS = {
    (part["format"], part["pattern"])
    for kind in SpecKind
    for part in schemas(json.loads(schema_text(kind)))
    if "format" in part and "pattern" in part
}
LIKELY = st.one_of(
    st.text(max_size=20),
    st.text("abz09.-_/<>=, :@v", max_size=20),
    st.sampled_from([
        "4.1.0", "4.2.0-rc1", ">= 4.0.0", ">= 11, < 20", "/usr/bin/a", "/etc/a/b", "/var/lib/a",
        "0644", "split-host", "fleetdesk", "a.1", "xz:9", "2026-05-04", "https://a", "A <a@b>",
    ]),
)  # fmt: skip


@settings(max_examples=60)
@pytest.mark.parametrize(("name", "pattern"), sorted(PATTERNS))
@given(text=LIKELY)
def test_an_editor_refuses_nothing_that_is_right(name: str, pattern: str, text: str) -> None:
    """Patterns may be looser than the checks, never stricter."""
    import re

    try:
        FORMATS[name](text)
    except Complaint:
        return
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SpecKind.PRODUCT, "product.yaml"),
        (SpecKind.RELEASE, "4.0.0.yaml"),
        (SpecKind.RELEASE, "4.1.0.yaml"),
    ],
)
def test_plain_jsonschema_accepts_the_sample_too(kind: SpecKind, name: str) -> None:
    """Editors use other validators than ours, and YAML 1.2 in which dates are strings."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    document = yaml.load(SAMPLE[name], Loader=Loader)  # noqa: S506
    assert list(Draft7Validator(json.loads(schema_text(kind))).iter_errors(document)) == []
