"""Templates: Jinja2 with strict names, and filters for each language that they write.

A product's own `packaging/` directory stands before Interlock's, so one file can be replaced.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment, FunctionLoader, StrictUndefined

from toolchain.errors import SpecError
from toolchain.render import quoting

TemplateReader = Callable[[str], str | None]


@dataclass
class TemplateError(SpecError):
    """A template is broken; `template` is its name below `packaging/`, `reason` what Jinja says."""

    template: str = ""
    line: int = 1
    reason: str = ""


class Templates:
    """Renders `deb/control.j2` and its like from text that a reader brings."""

    def __init__(self, read: TemplateReader) -> None:
        # Not HTML: each template's language has its own filter, and StrictUndefined its errors.
        self._environment = Environment(  # noqa: S701
            loader=FunctionLoader(read),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(
            sh=quoting.shell_word,
            rpm=quoting.rpm_text,
            rpm_path=quoting.rpm_path,
            deb_description=quoting.deb_description,
            command_word=quoting.command_word,
            environment_word=quoting.environment_word,
            unit_text=quoting.unit_text,
            sysusers=quoting.sysusers_text,
            roff=quoting.roff_text,
        )

    def render(self, name: str, **values: object) -> str:
        """Fill one template; raises SpecError when the template itself is at fault."""
        try:
            return self._environment.get_template(name).render(**values)
        except SpecError:
            raise
        except Exception as error:  # a product's template can raise whatever Python can
            line = getattr(error, "lineno", None) or _line(error)
            place = f"packaging/{name}" + (f":{line}" if line else "")
            reason = str(error) or type(error).__name__
            raise TemplateError(
                f"{place}: {reason}",
                "compare the product's template with the one that Interlock brings",
                template=name,
                line=line or 1,
                reason=reason,
            ) from error


def _line(error: Exception) -> int | None:
    """Where in the template an error comes from; Jinja calls each of its frames `<template>`."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((one.lineno for one in reversed(frames) if one.filename == "<template>"), None)
