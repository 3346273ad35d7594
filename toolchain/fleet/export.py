"""A plan written out for the engine that carries it out: Ansible, Puppet or Chef."""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from toolchain.edge.exported import Exported, write_exported
from toolchain.fleet.engine_names import check_names
from toolchain.plan.rollout.telling.orders import Orders
from toolchain.plan.rollout.telling.pins import WavePins, pins_of
from toolchain.render.ansible import ansible_files, readme_values
from toolchain.render.chef import chef_files
from toolchain.render.puppet import puppet_files
from toolchain.render.templates import TemplateReader, Templates

_TASKS = (
    "arrived",
    "ask-law",
    "ask-servers",
    "ask-shards",
    "begin",
    "earlier",
    "end",
    "health",
    "install-deb",
    "install-rpm",
    "installed",
    "known",
    "move-servers",
    "move-shards",
    "phases",
    "start-services",
    "upgrade-server",
)


class Engine(Enum):
    """Who carries a plan out."""

    ANSIBLE = "ansible"
    PUPPET = "puppet"
    CHEF = "chef"


def export(
    orders: Orders, engine: Engine, directory: Path, read: TemplateReader
) -> tuple[str, ...]:
    """Write a plan for an engine; the paths of the files, sorted.

    `read` brings templates. What an operator keeps in the directory stays. Raises UsageError for
    names that the engine cannot bear, OutputError where the directory cannot be written.
    """
    check_names(
        {*orders.servers, *orders.runners},
        (name for waves in orders.runners.values() for names in waves.values() for name in names),
    )
    files = tuple(_WRITERS[engine](orders, read))
    write_exported(directory, files)
    return tuple(sorted(file.path for file in files))


def _ansible(orders: Orders, read: TemplateReader) -> Iterator[Exported]:
    for task in _TASKS:
        yield _copy(read, f"ansible/role/tasks/{task}.yml", f"roles/interlock/tasks/{task}.yml")
    yield _copy(read, "ansible/role/vars/main.yml", "roles/interlock/vars/main.yml")
    yield _copy(read, "ansible/ansible.cfg", "ansible.cfg")
    yield _copy(read, "ansible/group_vars.yml", "group_vars/all.yml", kept=True)
    readme = Templates(read).render("ansible/README.md.j2", **readme_values(orders))
    yield Exported(path="README.md", text=readme)
    for path, text in ansible_files(orders):
        yield Exported(path=path, text=text)


def _puppet(orders: Orders, read: TemplateReader) -> Iterator[Exported]:
    waves = pins_of(orders)
    yield _copy(read, "puppet/hiera.yaml", "hiera.yaml")
    yield _copy(read, "puppet/interlock.pp", "manifests/init.pp")
    yield _readme(orders, waves, "puppet", Templates(read))
    for path, text in puppet_files(waves):
        yield Exported(path=path, text=text)


def _chef(orders: Orders, read: TemplateReader) -> Iterator[Exported]:
    waves, templates = pins_of(orders), Templates(read)
    yield _copy(read, "chef/metadata.rb", "cookbooks/interlock_pins/metadata.rb")
    yield _copy(read, "chef/default.rb", "cookbooks/interlock_pins/recipes/default.rb")
    yield _readme(orders, waves, "chef", templates)
    for path, text in chef_files(orders.product.name, waves, templates):
        yield Exported(path=path, text=text)


def _readme(
    orders: Orders, waves: tuple[WavePins, ...], engine: str, templates: Templates
) -> Exported:
    values = {"product": orders.product.name, "target": str(orders.target), "waves": waves}
    return Exported(path="README.md", text=templates.render(f"{engine}/README.md.j2", **values))


def _copy(read: TemplateReader, name: str, path: str, *, kept: bool = False) -> Exported:
    text = read(name)
    assert text is not None  # noqa: S101  (it is part of the installation)
    return Exported(path=path, text=text, kept=kept)


_WRITERS: dict[Engine, Callable[[Orders, TemplateReader], Iterator[Exported]]] = {
    Engine.ANSIBLE: _ansible,
    Engine.PUPPET: _puppet,
    Engine.CHEF: _chef,
}
