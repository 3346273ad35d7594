"""A product's own templates are tried by `interlock check`, before any package is built."""

from pathlib import Path

import pytest

from toolchain.build.overlay import overlay_problems
from toolchain.build.product import open_product
from toolchain.spec.codes import Code


def write(product: Path, name: str, text: str) -> Path:
    path = product / "packaging" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_template_that_works_is_no_problem(product: Path):
    assert overlay_problems(open_product(product)) == ()
    write(product, "deb/copyright.j2", "{{ package.name }}\n")
    assert overlay_problems(open_product(product)) == ()


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("deb/control.j2", "Package: x\n{{ nothing }}\n", 2, "'nothing' is undefined"),
        ("deb/postinst.j2", "a\nb\n{{ 1 / 0 }}\n", 3, "division by zero"),
        ("rpm/spec.j2", "Name: x\n{% if %}\n", 2, "Expected an expression"),
        ("common/service.j2", "{{ service.nothing }}\n", 1, "has no attribute 'nothing'"),
    ],
)
def test_each_broken_template_is_told_once_with_its_line(
    product: Path, name: str, text: str, line: int, words: str
):
    path = write(product, name, text)
    (problem,) = overlay_problems(open_product(product))
    assert problem.code is Code.TEMPLATE
    assert (problem.origin.file, problem.origin.line) == (str(path), line)
    assert words in problem.message
    assert "compare" in problem.cure


def test_files_that_are_no_templates_are_told(product: Path):
    write(product, "deb/postints.j2", "#!/bin/sh\n")
    (problem,) = overlay_problems(open_product(product))
    assert problem.code is Code.TEMPLATE_FILE
    assert "postints.j2 replaces no template" in problem.message
