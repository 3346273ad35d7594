#!/usr/bin/env python3
"""Stands in, on one machine, for every command that an exported rollout runs on its hosts.

Linked under the names of those commands; which host it is comes from the environment. The answers
are those of the real commands; tests/hosts runs the same playbook where they are real.
"""

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
    version = state["packages"].get(arguments[-1])
    if version is None:
        return 1
    say(f"installed {version}")
    return 0


def rpm(state, arguments):
    return 1


def systemctl(state, arguments):
    if arguments[0] == "is-enabled":
        say("enabled" if arguments[1] in state.get("active", {}) else "disabled")
        return 0
    if arguments[0] == "is-active":
        active = state["active"][arguments[1]]
        say("active" if active else "failed")
        return 0 if active else 3
    # systemd_service asks `show` and, where it must, `start`.
    say("LoadState=loaded\nActiveState=active")
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
