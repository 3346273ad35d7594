"""The procrastinate App of this host, made from one settings file."""

import configparser
import importlib
import os
import sys
from pathlib import Path

import procrastinate

SETTINGS = Path(os.environ.get("PROCRASTINATE_SETTINGS", "/etc/procrastinate/worker.ini"))


class SettingsError(Exception):
    """The settings file is missing, or does not say what is needed; the message is one sentence."""


def read_settings(path: Path = SETTINGS) -> configparser.ConfigParser:
    """Read the settings; raises SettingsError."""
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read_string(path.read_text(encoding="utf-8"), str(path))
    except (OSError, configparser.Error) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    if not settings.has_section("shards") or not settings.options("shards"):
        raise SettingsError(f"{path} names no shard: add one under [shards]")
    return settings


def shard_names(settings: configparser.ConfigParser) -> list[str]:
    """The shards in the order of the file."""
    return settings.options("shards")


def make_app(settings: configparser.ConfigParser, shard: str = "") -> procrastinate.App:
    """Make the App of one shard, by default the first, with every task of the settings."""
    shard = shard or shard_names(settings)[0]
    if not settings.has_option("shards", shard):
        raise SettingsError(f"{SETTINGS} has no shard {shard!r} under [shards]")
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=settings.get("shards", shard))
    )
    sys.path.insert(1, settings.get("worker", "modules", fallback="/usr/lib/procrastinate-app"))
    tasks = settings.items("tasks") if settings.has_section("tasks") else []
    for namespace, reference in tasks:
        module, _, attribute = reference.partition(":")
        try:
            blueprint = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise SettingsError(f"{SETTINGS}: no tasks at {reference!r}: {error}") from error
        app.add_tasks_from(blueprint, namespace=namespace)
    return app


def worker_options(settings: configparser.ConfigParser) -> dict[str, object]:
    """What the [worker] section says of queues and concurrency; raises SettingsError."""
    try:
        concurrency = settings.getint("worker", "concurrency", fallback=1)
    except ValueError as error:
        raise SettingsError(f"{SETTINGS}: concurrency is not a number: {error}") from error
    queues = settings.get("worker", "queues", fallback="").replace(",", " ").split()
    return {"queues": queues or None, "concurrency": concurrency}


def __getattr__(name: str) -> procrastinate.App:
    # procrastinate's command imports `procrastinate_host.app`; only then is a shard chosen.
    if name == "app":
        return make_app(read_settings(), os.environ.get("PROCRASTINATE_SHARD", ""))
    raise AttributeError(name)
