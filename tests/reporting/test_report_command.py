"""mer-tf report, as it is typed."""

import pytest
from helpers.running import mer_tf


def test_report_writes_a_page_and_names_it(whole_run, tmp_path):
    out = tmp_path / "pages" / "one.html"
    assert mer_tf("report", whole_run, whole_run, "--out", out).strip() == str(out)
    assert "<title>exp_made_up: 2 runs</title>" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("arguments", "said"), [([], "name at least one run"), (["nowhere"], "nowhere: is no run")])
def test_bad_input_ends_with_one_line(tmp_path, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        mer_tf("report", *arguments, cwd=tmp_path)
    assert str(stopped.value).startswith(f"error: {said}")
    assert not (tmp_path / "report.html").exists()
