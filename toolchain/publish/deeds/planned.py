"""The releases that a rollout plan names, which pruning keeps."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain.errors import UsageError
from toolchain.model.version import Version


def read_plan(path: Path) -> tuple[tuple[Version, str], ...]:
    """The releases that a rollout plan goes to, from `interlock plan --json`; UsageError."""
    try:
        document: Any = json.loads(path.read_bytes())
        found = _plan_releases(document)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a plan that can be read") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is no rollout plan", "write one with 'interlock plan --json'"
        ) from error
    return tuple((version, str(path)) for version in dict.fromkeys(found))


def _plan_releases(document: Any) -> Sequence[Version]:
    if document["result"] != "plan":
        raise ValueError("it is a refusal")
    named = [document["target"], *(wave["release"] for wave in document["waves"])]
    if document["database"] is not None:
        named.append(document["database"])
    return [Version.parse(text) for text in named]
