"""What is exported where: names that mean themselves, an operator's files kept, and a large fleet."""

from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, Interlock
from toolchain.edge.exported import Exported, write_exported
from toolchain.errors import OutputError, UsageError
from toolchain.fleet.engine_names import check_names

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
FLEET = """\
product: fleetdesk
servers: [{host: web1, version: 4.0.0}]
shards: [{name: north, host: db1, release: 4.0.0}, {name: south, host: db1, release: 4.0.0}]
"""


@pytest.mark.parametrize(
    "host",
    [
        "web1:22",
        "a@b",
        "web[1:3]",
        "{{ lookup('pipe', 'id') }}",
        "-web",
        "a,b",
        "web 1",
        "!web1",
        "",
    ],
)
def test_a_host_whose_name_means_more_is_refused(host: str):
    with pytest.raises(UsageError, match="cannot be the name of a host"):
        check_names([host], [])


@pytest.mark.parametrize("host", ["all", "shards", "servers", "wave_01"])
def test_a_host_called_like_a_group_is_refused(host: str):
    with pytest.raises(UsageError, match="name of a group"):
        check_names([host], [])


def test_a_shard_that_no_configuration_has_is_refused():
    with pytest.raises(UsageError, match="no name of a shard"):
        check_names(["web1"], ["{{ 1 }}"])


def test_an_operators_files_stay_and_old_waves_go(tmp_path: Path):
    target = tmp_path / "rollout"
    write_exported(
        target,
        [
            Exported(path="waves/01.yml", text="1"),
            Exported(path="group_vars/all.yml", text="{}", kept=True),
        ],
    )
    (target / "group_vars/all.yml").write_text("mine")
    (target / "host_vars").mkdir()
    (target / "host_vars/web1.yml").write_text("mine")
    write_exported(
        target,
        [
            Exported(path="waves/02.yml", text="2"),
            Exported(path="group_vars/all.yml", text="{}", kept=True),
        ],
    )
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == [
        ".interlock-export",
        "group_vars/all.yml",
        "host_vars/web1.yml",
        "waves/02.yml",
    ]
    assert (target / "group_vars/all.yml").read_text() == "mine"


def test_a_directory_with_other_things_in_it_is_refused(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="no export has written"):
        write_exported(tmp_path, [Exported(path="a", text="a")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]


def test_export_and_output_belong_together(interlock: Interlock, tmp_path: Path):
    (tmp_path / "fleet.yaml").write_text(FLEET)
    source = (FLEETDESK, "--inventory", tmp_path / "fleet.yaml")
    for words in (("--export", "ansible"), ("--output", tmp_path / "x")):
        run = interlock("plan", *source, *words)
        assert run.returncode == 2
        assert "belong together" in run.stderr


@pytest.mark.parametrize("engine", ["ansible", "puppet", "chef"])
def test_five_hundred_servers_and_fifty_shards(engine: str, interlock: Interlock, tmp_path: Path):
    hosts = ", ".join(f"web{number}.example.com" for number in range(500))
    shards = "".join(f"  - {{name: s{n}, host: db{n % 10}, release: 4.0.0}}\n" for n in range(50))
    (tmp_path / "fleet.yaml").write_text(
        f"product: fleetdesk\nservers: [{{hosts: [{hosts}], version: 4.0.0}}]\nshards:\n{shards}"
    )
    source = (FLEETDESK, "--inventory", tmp_path / "fleet.yaml", "--json")
    run = interlock("plan", *source, "--export", engine, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    if engine == "puppet":
        assert len(list((tmp_path / "out/waves").glob("02-*/nodes/*.yaml"))) == 510
    if engine == "ansible":
        text = (tmp_path / "out/inventory.yml").read_text().replace("!unsafe ", "")
        groups = yaml.safe_load(text)["all"]["children"]
        assert len(groups["wave_02"]["hosts"]) == 500
        assert len(groups["shards"]["hosts"]["db3"]["interlock_shards"]["1"]) == 5
