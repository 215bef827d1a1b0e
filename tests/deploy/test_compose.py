"""The composition of containers: each with few rights, no secret in it, and of names that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from storemon.settings import Settings
from tests.deploy.test_image import told

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSED: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("user", told("USER")) not in {"root", "0"}
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "who wants it elsewhere says so"
    assert re.fullmatch(r"[a-z/]+:v?\d+[\w.-]*|storemon", service["image"]), "a version is named"


def test_the_only_secret_comes_from_outside() -> None:
    from_outside = "${POSTGRES_PASSWORD:?write it into deploy/.env}"
    assert re.findall(r"://\w+:([^@]*)@", TEXT) == [from_outside]
    assert SERVICES["database"]["environment"]["POSTGRES_PASSWORD"] == from_outside
    assert len(re.findall("(?i)passw|secret", TEXT.replace(from_outside, ""))) == 2, (
        "the name, and a word of the comment"
    )
    assert {"deploy/.env", "deploy/prometheus/storemon.key"} < {*(DEPLOY.parent / ".gitignore").read_text().split()}


def test_the_database_is_out_of_reach() -> None:
    assert COMPOSED["networks"]["back"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["back"]
    assert "ports" not in SERVICES["database"]


def test_what_it_names_is_there() -> None:
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == COMPOSED["volumes"].keys()
    networks = {network for service in SERVICES.values() for network in service.get("networks", [])}
    assert networks == COMPOSED["networks"].keys()
    build = SERVICES["storemon"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert f"storemon:{told('VOLUME')}" in SERVICES["storemon"]["volumes"]
    variables = {name for name in SERVICES["storemon"]["environment"] if name.startswith("STOREMON_")}
    assert variables < {setting.variable for setting in Settings.described()}
