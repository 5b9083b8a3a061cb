"""The files to run the service with: what they name exists, and they are as closed as they claim."""

import hashlib
import hmac
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.support.account import KEY, mirror
from tests.support.grafana import expanded, panels
from tests.support.program import ROOT
from tpmirror.cli.main import cli
from tpmirror.config import Settings, load, variable_of
from tpmirror.errors import UsageError
from tpmirror.service.daemon import GRACE, PULSE
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.web.security import check_exposure

EMAIL = "somebody@example.com"
VARIABLES = {variable_of(setting) for setting in fields(Settings)}
BEFORE = ("upgrade", "roles")
"""What Compose runs to its end before it starts those that need the mirror."""
READER = "tpmirror_reader"
FILES = ("Dockerfile", "docker-compose.yml", "deploy/tpmirror.service", "deploy/kubernetes.yaml")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(read("docker-compose.yml"))


@pytest.fixture(scope="module")
def kubernetes() -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(read("deploy/kubernetes.yaml"))}


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", read("deploy/tpmirror.service"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name):
    named = set(re.findall(r"TPMIRROR_[A-Z_]+", read(name)))
    assert named
    assert named <= VARIABLES


def test_settings_in_compose_are_accepted(compose, tmp_path):
    given = {name: str(value) for name, value in compose["services"]["tpmirror"]["environment"].items()}
    secret = tmp_path / "secret"
    secret.write_text(24 * "0f")
    given |= {name: str(secret) for name in given if name.endswith("_FILE")}
    plain = {name: "" if value.startswith("${") else value for name, value in given.items()}
    assert load(plain).http_addr[1] == Settings().http_addr[1]


def test_whoever_reaches_the_dashboard_is_asked_for_a_password(compose, kubernetes):
    service = compose["services"]["tpmirror"]
    assert "TPMIRROR_HTTP_OPEN" not in read("docker-compose.yml") + read("deploy/kubernetes.yaml")
    assert service["environment"]["TPMIRROR_HTTP_TOKEN_FILE"] == "/run/secrets/dashboard_password"
    assert "dashboard_password" in service["secrets"]
    pod = kubernetes["Deployment"]["spec"]["template"]["spec"]
    (token,) = [one for one in pod["containers"][0]["env"] if one["name"] == "TPMIRROR_HTTP_TOKEN_FILE"]
    folder, _, name = token["value"].rpartition("/")
    assert folder == pod["containers"][0]["volumeMounts"][0]["mountPath"]
    assert {"key": name, "path": name} in pod["volumes"][0]["secret"]["items"]
    assert f"--from-literal={name}=" in read("docs/running.md")


def test_a_proxy_is_set_up_with_a_password_or_not_at_all():
    (settings,) = re.findall(r"```sh\n(TPMIRROR_HTTP_HOSTS=.*?)```", read("docs/running.md"), re.DOTALL)
    given = dict(re.findall(r"^(\w+)=(\S+)", settings, re.MULTILINE))
    assert given.keys() == {"TPMIRROR_HTTP_HOSTS", "TPMIRROR_HTTP_TOKEN"}
    check_exposure(load({**given, "TPMIRROR_HTTP_TOKEN": 24 * "0f"}))
    with pytest.raises(UsageError):
        check_exposure(load({**given, "TPMIRROR_HTTP_TOKEN": ""}))


def test_images_are_pinned_to_a_release(compose):
    built = {service["image"] for service in compose["services"].values() if "build" in service}
    images = [service["image"] for service in compose["services"].values() if service["image"] not in built]
    images += re.findall(r"^FROM (\S+)", read("Dockerfile"), re.MULTILINE)
    assert [image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)*$", image)] == []


def test_secrets_are_files_that_the_guide_creates(compose):
    guide = read("docs/running.md")
    for name, secret in compose["secrets"].items():
        file = secret["file"].removeprefix("${HOME}/.config/tpmirror/")
        stem = file.removesuffix("-password")
        assert f"~/.config/tpmirror/{file}" in guide or re.search(rf"for name in [\w ]*\b{stem}\b", guide), name
    used = {name for service in compose["services"].values() for name in service.get("secrets", [])}
    assert used == set(compose["secrets"])
    assert not re.search(r"PASSWORD: *[^$/]\w+$", read("docker-compose.yml"), re.MULTILINE)
    for name in re.findall(r"/run/secrets/(\w+)", read("docker-compose.yml")):
        assert name in compose["secrets"]


def test_every_service_is_checked_confined_and_reachable_from_this_machine_only(compose):
    for name, service in compose["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert name in BEFORE or service["healthcheck"]["test"][0] == "CMD", name
    for name in (*BEFORE, "tpmirror", "grafana"):
        service = compose["services"][name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_each_port_may_be_another_one(compose):
    guide = read("docs/running.md")
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            ((variable, usual),) = re.findall(r"^127\.0\.0\.1:\$\{([A-Z]+_PORT):-(\d+)\}:\d+$", port)
            assert f"`{variable}`" in guide or f"{variable}=" in guide, name
            assert variable not in VARIABLES, "compose would hand it to the service as a setting"
            assert usual in guide or usual in read("docs/postgresql.md"), name


def test_the_database_is_the_one_that_the_guide_uses(compose):
    environment = compose["services"]["postgres"]["environment"]
    user, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    assert f"postgresql://{user}@127.0.0.1:5432/{database}" in read("docs/postgresql.md")
    url = compose["services"]["tpmirror"]["environment"]["TPMIRROR_DATABASE_URL"]
    assert url == f"postgresql://{user}@postgres:5432/{database}"
    needed = [compose["secrets"][name]["file"] for name in compose["services"]["postgres"]["secrets"]]
    assert all(file.replace("${HOME}", "~") in read("docs/postgresql.md") for file in needed)


def test_the_image_checks_its_health_as_compose_does(compose):
    (command,) = re.findall(r"^ +CMD (\[.*\])$", read("Dockerfile"), re.MULTILINE)
    assert ["CMD", *yaml.safe_load(command)] == compose["services"]["tpmirror"]["healthcheck"]["test"]
    assert f":{Settings().http_addr[1]}/healthz" in command


def test_the_image_runs_without_root_and_from_pins():
    text = read("Dockerfile")
    assert re.search(r"^USER 65532:65532$", text, re.MULTILINE)
    assert "--require-hashes -r requirements/install.txt" in text
    copied = {
        name.rstrip("/") for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for name in line.split()
    }
    assert all((ROOT / name).exists() for name in copied)
    assert {f"!{name}" for name in copied} == {line for line in read(".dockerignore").splitlines() if line[0] == "!"}


def test_what_is_started_exists(compose, kubernetes, unit):
    (container,) = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    started = [["tpmirror", *compose["services"][name]["command"]] for name in ("upgrade", "tpmirror")]
    started.append(["tpmirror", *container["args"]])
    assert compose["services"]["tpmirror"]["image"] == compose["services"]["upgrade"]["image"]
    started.append(["tpmirror", unit["ExecStart"][0].split()[-1]])
    assert all(words[0] == "tpmirror" and words[1] in cli.commands for words in started)


def test_every_process_of_a_container_finds_key_and_mirror(compose, kubernetes):
    """As docker compose exec and kubectl exec start them: with the environment and without what starts the service."""
    (container,) = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    environments = [compose["services"]["tpmirror"]["environment"], {one["name"]: one for one in container["env"]}]
    for found in environments:
        assert {"TPMIRROR_API_KEY_FILE", "TPMIRROR_DATABASE_URL", "TPMIRROR_DATABASE_PASSWORD_FILE"} <= found.keys()
    assert not {"entrypoint"} & {*compose["services"]["upgrade"], *compose["services"]["tpmirror"]}
    guide = read("docs/running.md")
    for command in ("docker compose exec tpmirror tpmirror status", "kubectl exec deploy/tpmirror -- tpmirror status"):
        assert command in guide


def test_stopping_gets_longer_than_the_service_needs(compose, kubernetes, unit):
    graces = [compose["services"]["tpmirror"]["stop_grace_period"], unit["TimeoutStopSec"][0]]
    graces.append(kubernetes["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"])
    assert all(int(str(grace).removesuffix("s")) > GRACE for grace in graces)


def test_systemd_gets_its_sign_of_life_often_enough_and_the_key_as_a_credential(unit):
    assert unit["Type"] == ["notify"]
    assert int(unit["WatchdogSec"][0].removesuffix("s")) >= 10 * PULSE
    credential = unit["LoadCredential"][0].partition(":")[0]
    assert f"TPMIRROR_API_KEY_FILE=%d/{credential}" in unit["Environment"]
    assert unit["DynamicUser"] == ["yes"]
    assert unit["StateDirectory"] == ["tpmirror"]


def test_systemd_points_to_the_guide_that_its_installation_lays_there(unit):
    (address,) = unit["Documentation"]
    folder, _, name = address.removeprefix("file:").rpartition("/")
    assert f"-t {folder} docs/*.md" in read("docs/running.md")
    assert (ROOT / "docs" / name).is_file()


def test_kubernetes_mounts_what_it_names(kubernetes):
    pod = kubernetes["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    (mounted,) = (volume["secret"]["items"] for volume in pod["volumes"] if "secret" in volume)
    files = [one["value"] for one in container["env"] if one["name"].endswith("_FILE")]
    assert [file.rpartition("/")[2] for file in files] == [item["path"] for item in mounted]
    assert {file.rpartition("/")[0] for file in files} <= set(paths)
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]
    ports = {port["name"] for port in container["ports"]}
    assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} <= ports
    assert (
        kubernetes["Service"]["spec"]["selector"].items()
        <= kubernetes["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    )


def test_grafana_finds_its_data_source_and_dashboards(compose):
    (source,) = yaml.safe_load(read("deploy/grafana/provisioning/datasources/tpmirror.yaml"))["datasources"]
    (provider,) = yaml.safe_load(read("deploy/grafana/provisioning/dashboards/tpmirror.yaml"))["providers"]
    grafana = compose["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    assert provider["options"]["path"] == mounts["./deploy/grafana/dashboards"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    secret = re.fullmatch(r"\$__file\{/run/secrets/(\w+)\}", source["secureJsonData"]["password"])
    assert secret
    assert secret[1] in grafana["secrets"]
    assert source["url"] == "postgres:5432"
    assert source["user"] == READER


@pytest.fixture(scope="module")
def installed(compose, postgres, tmp_path_factory) -> Iterator[Any]:
    """A server on which everything ran that Compose runs before the service, twice as after an upgrade, and a sync."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "postgres_password").write_text("of the owner\n")
    (folder / "reader_password").write_text("of the reader\n")
    postgres.create("tpmirror")
    with as_role(postgres, "postgres") as conn:
        conn.execute("CREATE ROLE tpmirror LOGIN SUPERUSER")
    for name in BEFORE * 2:
        run_as_compose_does(compose["services"][name], postgres, folder)
    with Simulator(World(2, jobs=20, in_flight=2, owner=(EMAIL, 815)), token=KEY) as sim:
        mirror(sim, f"postgresql://tpmirror@/tpmirror?host={postgres.home}")
    yield postgres
    postgres.drop("tpmirror")
    with as_role(postgres, "postgres", "postgres") as conn:
        conn.execute("DROP ROLE tpmirror")


def as_role(server: Any, role: str, dbname: str = "tpmirror") -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(server.home), user=role, dbname=dbname, autocommit=True)


def run_as_compose_does(service: dict[str, Any], server: Any, secrets: Path) -> None:
    """Run a service's command to its end, with its own environment, secrets and files, but on this machine."""

    def here(value: str) -> str:
        for source, target in (volume.split(":")[:2] for volume in service.get("volumes", [])):
            value = value.replace(target, str(ROOT / source))
        return value.replace("$$", "$").replace("/run/secrets", str(secrets)).replace("@postgres:5432/", "@/")

    given = {name: here(value) for name, value in service["environment"].items()}
    path = f"{Path(sys.executable).parent}:{server.binaries.bin}:{os.environ['PATH']}"
    subprocess.run(
        [*service.get("entrypoint", ["tpmirror"]), *map(here, service["command"])],
        env={**given, "PGHOST": str(server.home), "PATH": path, "PYTHONPATH": str(ROOT)},
        cwd=secrets,
        check=True,
        timeout=300,
    )


def test_what_needs_the_mirror_waits_until_it_is_migrated_and_closed(compose):
    services = compose["services"]
    done = {"condition": "service_completed_successfully"}
    assert services["upgrade"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["roles"]["depends_on"] == {"upgrade": done}
    for name in services.keys() - {*BEFORE, "postgres"}:
        assert services[name]["depends_on"] == {"roles": done}, name
    assert [services[name]["restart"] for name in BEFORE] == ["no", "no"]


def test_grafana_reads_all_that_it_draws_as_the_reader(installed):
    with as_role(installed, READER) as conn:
        for _, panel in panels():
            for target in panel["targets"]:
                conn.execute(expanded(target["rawSql"]).encode())


@pytest.mark.parametrize(
    "statement",
    ["SELECT owner FROM input_videos", "SELECT owner FROM videos", "SELECT input_owner FROM job_overview",
     "SELECT old_value FROM field_changes", "SELECT payload FROM quarantined_jobs", "SELECT value FROM mirror_scope"],
)  # fmt: skip
def test_the_reader_of_compose_sees_nothing_personal(installed, statement):
    with as_role(installed, "tpmirror") as conn:
        conn.execute(statement)
        assert conn.execute("SELECT DISTINCT owner FROM input_videos WHERE owner IS NOT NULL").fetchall() == [(EMAIL,)]
    with as_role(installed, READER) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


def test_the_reader_of_compose_has_the_password_of_its_secret(installed):
    with as_role(installed, "postgres") as conn:
        ((stored,),) = conn.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [READER]).fetchall()
    _, rounds, salt, key, _ = re.split(r"[$:]", stored)
    salted = hashlib.pbkdf2_hmac("sha256", b"of the reader", b64decode(salt), int(rounds))
    assert hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == b64decode(key)  # RFC 5802


def test_the_guide_explains_every_problem():
    codes = set(re.findall(r'Problem\(\s*"(\w+)"', read("tpmirror/store/health.py")))
    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in read("docs/running.md")] == []
