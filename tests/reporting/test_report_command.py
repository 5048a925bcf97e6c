"""mer-tf report, as it is typed."""

import sys

import pytest

from mer_tf import cli


def start(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["mer-tf", "report", *map(str, arguments)])
    cli.main()


def test_report_writes_a_page_and_names_it(whole_run, tmp_path, monkeypatch, capsys):
    out = tmp_path / "pages" / "one.html"
    start(monkeypatch, whole_run, whole_run, "--out", out)
    assert capsys.readouterr().out.strip() == str(out)
    assert "<title>exp_made_up: 2 runs</title>" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("arguments", "said"), [([], "name at least one run"), (["nowhere"], "nowhere: is no run")])
def test_bad_input_ends_with_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        start(monkeypatch, *arguments)
    assert str(stopped.value).startswith(f"error: {said}")
    assert not (tmp_path / "report.html").exists()
