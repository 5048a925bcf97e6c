"""Every experiment of one model end to end on tiny clips, all in one process and with one cache.

The main script is started as a user does in test_main_script.py, its runs in test_cli_runs.py.
"""

import pytest
from helpers.run_checks import goes_on_with_missing_folds, is_complete, predicts_every_clip_once, refuses_other_settings
from helpers.running import EXP2, EXPERIMENTS, last_directory, printed, tiny

SCRIPTS = sorted(EXPERIMENTS.glob("exp*.py"))
OF_MANY = ("exp7_baselines", "exp8_megc2019")
"""Scripts that run many systems into one table."""
PRETRAINING = "exp9_au_pretraining"
SPOTTING = "exp10_spotting"
"""Run in tests/video."""
ELSEWHERE = (*OF_MANY, PRETRAINING, SPOTTING, EXP2.stem)
"""Run in other files."""
TRIED = [script for script in SCRIPTS if script.stem not in ELSEWHERE]
AS_EXP2 = ("exp1_vggface_frames", "exp3_vggface_bilstm")
"""Their folds are trained from the same features as those of exp2, whose stopped run test_cli_runs.py has."""
SMALLER = {
    "exp4_cnn_lstm_fusion": (
        *("--clip.side=32", "--model.fusion.fc_units=4", "--model.fusion.fc8_units=4"),
        *("--model.fusion.channels", "2", "2", "2", "2", "2"),
    )
}
"""What an experiment has more of than TINY says."""


@pytest.fixture(scope="module", params=TRIED, ids=lambda p: p.stem)
def finished(request, one_cache, tmp_path_factory):
    """The script, the folder it was started in, and the run directory that its last line named."""
    script, folder = request.param, tmp_path_factory.mktemp(request.param.stem)
    options = [*tiny(script), *SMALLER.get(script.stem, ()), one_cache]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.protocols.pictures.attention.SHOWN", 1)
        return script, folder, last_directory(printed(script, *options, cwd=folder), folder)


@pytest.mark.slow
def test_last_line_names_a_complete_run_directory(finished):
    script, _, run = finished
    is_complete(run, script.stem)


@pytest.mark.slow
def test_every_clip_is_predicted_exactly_once_and_subjects_stay_apart(finished):
    predicts_every_clip_once(finished[2])


@pytest.mark.slow
@pytest.mark.parametrize("finished", [s for s in TRIED if s.stem not in AS_EXP2], indirect=True, ids=lambda p: p.stem)
def test_a_stopped_run_goes_on_with_its_missing_folds(finished, no_pictures):
    script, folder, run = finished
    goes_on_with_missing_folds(script, run, folder)


@pytest.mark.slow
def test_another_setting_is_refused_on_resume(finished):
    script, folder, run = finished
    refuses_other_settings(script, run, folder)


def test_every_experiment_is_a_declaration():
    for script in SCRIPTS:
        text = script.read_text()
        others = {PRETRAINING: "PRETRAINING = Options(", SPOTTING: "SPOTTING = Options("}
        declaration = others.get(script.stem, "EXPERIMENT = Experiment(")
        assert declaration in text, script
        assert "def " not in text, f"{script}: logic belongs in mer_tf"
