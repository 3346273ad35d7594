#!/usr/bin/env -S python3 -IS
"""Stands in, on one machine, for every command that an exported rollout runs on its hosts.

Linked under the names of those commands; which host it is comes from the environment. The answers
are those of the real commands; tests/hosts runs the same playbook where they are real.
"""

import fnmatch
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ["STUB_SITE"], f"{os.environ['STUB_HOST']}.json")


def say(text):
    sys.stdout.write(f"{text}\n")


def main(name, arguments):
    state = json.loads(STATE.read_text())
    state.setdefault("log", []).append(" ".join([name, *arguments])[:200])
    code = globals()[name.replace("-", "_")](state, arguments)
    STATE.write_text(json.dumps(state))
    return code


def dpkg_query(state, arguments):
    """Knows a package by its name, or all by a pattern, in the format that is asked for."""
    chosen = fnmatch.filter(state["packages"], arguments[-1])
    for name in chosen:
        words = {"db:Status-Status": "installed", "Package": name}
        text = arguments[-2].removeprefix("--showformat=")
        for word, value in {**words, "Version": state["packages"][name]}.items():
            text = text.replace(f"${{{word}}}", value)
        sys.stdout.write(text.replace("\\n", "\n"))
    return 0 if chosen else 1


def rpm(state, arguments):
    return 1


def systemctl(state, arguments):
    active = state.get("active", {})
    if arguments[0] == "show":
        said = {True: "active", False: "activating", None: "inactive"}
        for unit in arguments[2:]:
            enabled = "enabled" if unit in active else "disabled"
            say(f"ActiveState={said[active.get(unit)]}\nUnitFileState={enabled}\n")
    return 0


def fleetdesk_server(state, arguments):
    refused = state.get("refused")
    if refused:
        sys.stderr.write(refused + "\n")
    return 1 if refused else 0


def fleetdesk_database(state, arguments):
    command = arguments[0]
    shards = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--shard"]
    goal = [arguments[at + 1] for at, word in enumerate(arguments) if word in ("--to", "--phase")]
    if command == "apply":
        state["done"] = [*state.get("done", []), goal]
        return state.get("apply", 0)
    todo = [{"action": f"to {goal}", "blocked_by": state.get("blocked", [])}]
    actions = [] if goal in state.get("done", []) else todo
    servers = state.get("servers", [])
    told = [
        {"shard": s, "actions": actions, "servers": servers, "pending": [], "locked_by": None}
        for s in shards
    ]
    say(json.dumps({"shards": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[0]).name, sys.argv[1:]))
