"""`interlock report` at the command line: files written whole or not at all, and its refusals."""

from pathlib import Path

from tests.conftest import Interlock


def test_the_page_is_written_and_told(interlock: Interlock, product: Path, tmp_path: Path):
    done = interlock("report", product, "--output", "page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == "page.html: 2 releases; every promise holds: 4 pairs agree\n"
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "page.html"}


def test_the_day_is_that_of_the_build_where_one_is_given(
    interlock: Interlock, product: Path, tmp_path: Path
):
    interlock("report", product, "--output", "page.html", SOURCE_DATE_EPOCH="86400")
    assert '<time datetime="1970-01-02">' in (tmp_path / "page.html").read_text()
    done = interlock("report", product, "--output", "other.html", SOURCE_DATE_EPOCH="soon")
    assert done.returncode == 2
    assert "SOURCE_DATE_EPOCH is 'soon' and no time" in done.stderr


def test_no_place_to_write_to_is_a_usage_error(interlock: Interlock, product: Path):
    done = interlock("report", product)
    assert done.returncode == 2
    assert "give --output FILE or --json" in done.stderr


def test_what_cannot_be_written_leaves_what_was_there(
    interlock: Interlock, product: Path, tmp_path: Path
):
    (tmp_path / "page.html").mkdir()
    done = interlock("report", product, "--output", "page.html")
    assert done.returncode == 5
    assert "page.html cannot be written" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "page.html"}
    assert interlock("report", product, "--output", "no/where.html").returncode == 5
