"""Paths hang on the root, whatever the working directory, and no name leads out of its folder."""

import os

import pytest

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.records import where


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in ("notebooks/deep", "parameters"):
        (tmp_path / "root" / name).mkdir(parents=True)
    monkeypatch.delenv(where.ROOT_VARIABLE, raising=False)
    return tmp_path / "root"


def test_root_is_found_from_anywhere_below(root, monkeypatch):
    """JupyterLab works in notebooks/, papermill where its caller stood."""
    for folder in (root, root / "notebooks", root / "notebooks" / "deep"):
        monkeypatch.chdir(folder)
        assert where.root() == root
        assert where.runs() == root / "runs"
        assert where.sandbox_file() == root / ".sandbox" / "sandbox.json"


def test_variable_wins_over_the_working_directory(root, tmp_path, monkeypatch):
    other = tmp_path / "other"
    for name in ("notebooks", "parameters"):
        (other / name).mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(other))
    assert where.root() == other


def test_no_root_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.delenv(where.ROOT_VARIABLE, raising=False)
    with pytest.raises(ParameterError, match="awsfed init DIR"):
        where.root(start=tmp_path)
    with pytest.raises(ParameterError, match="names a folder without"):
        where.root(environment={where.ROOT_VARIABLE: str(tmp_path / "gone")})


@pytest.mark.parametrize(
    "name",
    [
        "../p.csv", "a/../../p.csv", "/etc/passwd", "", ".", "..", "~/p.csv", "~root/p.csv", "a\\..\\b.csv", "C:/p.csv", "C:p.csv", "p.csv\x00", "p\n.csv",
        "\u202ep.csv", "a/..", "//server/p.csv", "file:p.csv", "link/p.csv", "link.csv", "loop.csv",
    ],
)  # fmt: skip
def test_name_that_leads_out_is_refused(name, root, tmp_path):
    """`{run}` = `../escaped` left the folder of records in papermill 2.7; a link is the same with other means."""
    (tmp_path / "p.csv").write_text("secret")
    base = root / "parameters"
    (base / "link").symlink_to(tmp_path)
    (base / "link.csv").symlink_to(tmp_path / "p.csv")
    (base / "loop.csv").symlink_to(base / "loop.csv")
    with pytest.raises(ParameterError):
        where.inside(base, name) if name != "." else where.table_file(".")


def test_name_below_is_taken(root, monkeypatch):
    monkeypatch.chdir(root)
    (root / "parameters" / "sub").mkdir()
    (root / "parameters" / "sub" / "g.csv").write_text("x")
    (root / "parameters" / "same.csv").symlink_to(root / "parameters" / "sub" / "g.csv")
    monkeypatch.chdir(os.sep)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(root))
    assert where.table_file("sub/g.csv").read_text() == where.table_file("same.csv").read_text() == "x"
    with pytest.raises(ParameterError, match=r"no file parameters/none\.csv"):
        where.table_file("none.csv")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("04-approles", "04-approles"),
        ("../../x", "x"),
        ("", "none"),
        ("...", "none"),
        ("a b/c:d", "a-b-c-d"),
        ("é", "none"),
        (".hidden", "hidden"),
    ],
)
def test_slug_is_a_harmless_part_of_a_name(text, slug):
    assert where.slug(text) == slug


def test_slug_is_short():
    assert len(where.slug("x" * 1000)) == 60
