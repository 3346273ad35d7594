"""Runs inside the system's own Python, where dnf's modules are: questions in, answers out.

Started by `dnf` with a JSON file; imports nothing of Interlock and runs on Python 3.6, which
RHEL 8's dnf has. It solves with dnf's own classes and never runs a transaction.
"""

import json
import sys
from typing import Any

import dnf  # type: ignore[import-not-found]
import dnf.exceptions  # type: ignore[import-not-found]
import dnf.rpm  # type: ignore[import-not-found]
import hawkey  # type: ignore[import-not-found]


def open_base(task: Any, root: str, protected: Any) -> Any:
    """A dnf whose host is `root`, which knows the packages under test and the local stand-ins."""
    base = dnf.Base()
    conf = base.conf
    conf.installroot = root
    conf.cachedir = conf.persistdir = task["work"]
    conf.logdir = task["work"]
    conf.reposdir = []
    conf.pluginpath = []
    conf.plugins = False
    conf.gpgcheck = conf.localpkg_gpgcheck = False
    conf.module_platform_id = "platform:none"
    conf.substitutions["releasever"] = "1"
    if task["architecture"] != "noarch":
        # Packages of another machine are asked about as on that machine.
        conf.substitutions["arch"] = task["architecture"]
        conf.substitutions["basearch"] = dnf.rpm.basearch(task["architecture"])
    conf.protected_packages = protected
    conf.protect_running_kernel = False
    base.repos.add_new_repo("local", conf, baseurl=["file://" + task["local"]])
    base.fill_sack(load_system_repo=True)
    found = base.add_remote_rpms(task["packages"], strict=True)
    return base, dict(zip(task["packages"], found))  # noqa: B905  (3.6)


def local(base: Any, name: Any) -> Any:
    """The stand-in of that name and version."""
    (package,) = (
        base.sack.query(flags=hawkey.IGNORE_EXCLUDES)
        .available()
        .filter(name=name[0], version=name[1])
    )
    return package


def ask(task: Any) -> Any:
    """For each question, why it is refused; empty where it is not."""
    base, packages = open_base(task, task["empty"], [])
    shards = (
        base.sack.query(flags=hawkey.IGNORE_EXCLUDES).available().filter(name__glob=task["shards"])
    )
    for question in task["questions"]:
        base.reset(goal=True)
        base.conf.best = True
        for path in question["packages"]:
            base.package_install(packages[path])
        asked = [local(base, name) for name in question["local"]]
        # A shard that is not asked about is no package that a repository could bring.
        base.sack.reset_excludes()
        base.sack.add_excludes([one for one in shards if one not in asked])
        for package in asked:
            base.package_install(package)
        try:
            base.resolve()
            yield ""
        except dnf.exceptions.DepsolveError as error:
            yield str(error)
    base.close()


def follow(task: Any) -> Any:
    """For each order, what is installed afterwards; None where it is refused."""
    for state in task["states"]:
        base, packages = open_base(task, state["root"], state["protected"])
        for order in state["orders"]:
            base.reset(goal=True)
            base.conf.best = order["best"]
            try:
                if order["package"] is None:
                    base.upgrade_all()
                else:
                    package = packages[order["package"]]
                    base.install(str(package), strict=order["best"])
                base.resolve(allow_erasing=order["bold"])
            except (dnf.exceptions.DepsolveError, dnf.exceptions.MarkingError):
                yield None
                continue
            yield after(base)
        base.close()


def after(base: Any) -> Any:
    """Name, version and release of all that stands on the host once the transaction is done."""
    there = {(p.name, p.evr) for p in base.sack.query().installed()}
    gone = {(p.name, p.evr) for p in base.transaction.remove_set}
    new = {(p.name, p.evr) for p in base.transaction.install_set}
    return sorted((there - gone) | new)


def main() -> None:
    """Read the task, print the answers."""
    with open(sys.argv[1]) as file:  # noqa: PTH123  (3.6)
        task = json.load(file)
    answers = {"questions": list(ask(task)), "states": list(follow(task))}
    print(json.dumps(answers))  # noqa: T201


main()
