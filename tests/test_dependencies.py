"""pyproject.toml, environment.yml and the two locks name one set of dependencies."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}
RUNS, DEVELOPMENT = LOCKS
CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base", "msal-extensions": "msal_extensions"}


def declared(*extras: str) -> list[Requirement]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


def locked(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ;\\]+)", LOCKS[lock], re.MULTILINE))


def test_environment_holds_the_dependencies_and_the_sandbox():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {line for line in environment if isinstance(line, str)} - {"pip", f"python{PROJECT['requires-python']}"}
    ours = {f"{CONDA_NAMES.get(need.name, need.name)}{need.specifier}" for need in declared("sandbox")}
    assert conda == ours


def test_environment_asks_for_the_same_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python{PROJECT['requires-python']}" in environment


@pytest.mark.parametrize("need", declared("sandbox", "setup"), ids=str)
def test_what_runs_need_is_pinned(need):
    refuse_unpinned(need, RUNS)


@pytest.mark.parametrize("need", declared(*PROJECT["optional-dependencies"]), ids=str)
def test_what_developers_need_is_pinned(need):
    refuse_unpinned(need, DEVELOPMENT)


def refuse_unpinned(need: Requirement, lock: str) -> None:
    version = locked(lock).get(need.name.lower())
    assert version is not None, f"{need.name} is not in {lock}: run make lock"
    assert need.specifier.contains(version)


def test_developers_have_what_runs_have():
    assert locked(RUNS).items() <= locked(DEVELOPMENT).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_hashes_every_pin_and_names_no_registry(lock):
    pins = re.findall(r"^[a-z0-9-]+(?:\[[^]]*\])?==.*?(?=^[a-z0-9-]+(?:\[[^]]*\])?==|\Z)", LOCKS[lock], re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in LOCKS[lock]
    assert "index-url" not in LOCKS[lock]
