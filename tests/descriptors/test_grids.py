"""Grids of descriptors: the table is whole, its combinations are settings, and a bad row is named with its mend."""

import dataclasses

import pytest

from mer_tf.config import Clip, Experiment, MerError, Preprocess
from mer_tf.descriptors import METHODS, TRIVIAL, LbpTop, Mdmo
from mer_tf.descriptors.grids import COLUMNS, MAGNIFIED, TABLE, candidates, grid_faults, offers
from mer_tf.files import facts
from mer_tf.model import check_model
from mer_tf.models import presets
from mer_tf.preprocessing.recipes import SURE

DEMO = Experiment("demo", preprocess=Preprocess(flow_from="onset"), clip=Clip(test="whole"), model=LbpTop(tune=True))


def written(folder, *lines):
    path = folder / "grid.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return str(path)


def given(path, **settings):
    return dataclasses.replace(DEMO, model=LbpTop(tune=True, grid=path, **settings))


def test_every_row_says_where_it_is_from_and_how_sure_it_is():
    table = facts(TABLE)
    assert tuple(table.columns) == COLUMNS
    assert set(table["sure"]) <= set(SURE)
    assert (table["source"].str.len() > 10).all()
    assert not table.duplicated(["system", "setting", "value"]).any()


@pytest.mark.parametrize("system", sorted(set(facts(TABLE)["system"])))
def test_what_is_offered_to_a_system_are_experiments_that_can_be_run(system):
    name, magnify = system.removeprefix(MAGNIFIED), 8.0 * system.startswith(MAGNIFIED)
    config = dataclasses.replace(DEMO.preprocess, magnify=magnify)
    found = candidates(dataclasses.replace(DEMO, preprocess=config, model=METHODS[name](tune=True)))
    assert len({one.experiment for one in found}) == len(found) > 1
    for one in found:
        check_model(one.experiment, False)
        assert not one.method.tune
        assert len(one.method.C) == 1
    assert {"model.C"} <= {key for one in found for key in one.settings}


def test_what_no_source_tunes_is_left_alone_by_the_declarations_after_the_papers():
    table = facts(TABLE)
    ours = {system for system, rows in table.groupby("system") if set(rows["sure"]) == {"default"}}
    assert ours == set(presets.UNTUNED)
    assert {system.removeprefix(MAGNIFIED) for system in table["system"]} == set(METHODS) - set(TRIVIAL)


def test_settings_that_are_not_offered_stay_and_a_linear_kernel_has_no_gamma(tmp_path):
    rows = ["model.kernel,linear", "model.kernel,rbf", "model.gamma,none", "model.gamma,0.1", "model.radii,1 1 2"]
    path = written(tmp_path, *(f"lbp_top,{row},default,a test" for row in rows))
    found = candidates(given(path, blocks=(5, 5, 1), C=(10.0, 0.1)))
    assert {one.method.blocks for one in found} == {(5, 5, 1)}
    assert {one.method.radii for one in found} == {(1, 1, 2)}
    kinds = [(one.method.kernel, one.method.gamma, one.method.C) for one in found]
    linear = [("linear", None, (0.1,)), ("linear", None, (10.0,))]
    assert kinds == linear + [("rbf", gamma, (c,)) for gamma in (None, 0.1) for c in (0.1, 10.0)]
    assert len({one.point for one in found}) == 1
    assert candidates(dataclasses.replace(DEMO, model=Mdmo(tune=True, grid=path))) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "lbp_top,model.radius,1 1 2,code,x",
            r"grid.csv, line 2 \(lbp_top, model.radius\): .*mean model.radii",
        ),
        ("lbp_top,model.radii,1 1,code,x", r"line 2 .*model.radii=\(1, 1\): give .*; correct this row, or take it out"),
        ("lbp_top,model.radii,0 1 2,code,x", "line 2 .*give 1 or more; correct this row, or take it out"),
        ("lbp_top,model.C,-1,code,x", "line 2 .*give more than 0"),
        ("lbp_top,model.kernel,cubic,code,x", "line 2 .*one of linear, rbf, poly, chi2"),
        ("lbp_top,train.epochs,3,code,x", "line 2 .*train.epochs cannot be chosen; offer settings of model or pre"),
        ("lbp_top,model.name,mdmo,code,x", "line 2 .*cannot be chosen"),
        ("lbp_tip,model.C,1,code,x", "line 2 .*the system is unknown; use one of .*lbp_top"),
        ("lbp_top,model.C,1,surely,x", "line 2 .*sure='surely' is none of printed, code"),
        ("lbp_top,model.C,1,code,x\nlbp_top,model.C,1,code,y", "line 3 .*1 is offered twice; take one row out"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_mend_before_anything_is_computed(tmp_path, row, message):
    experiment = given(written(tmp_path, row))
    with pytest.raises(MerError, match=message):
        check_model(experiment, False)
    assert not [*grid_faults(DEMO)]


def test_a_table_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text("system,value\nlbp_top,1\n")
    with pytest.raises(MerError, match="lacks the columns setting, sure, source.*give the columns system, setting"):
        offers(str(path))
    with pytest.raises(MerError, match="nowhere.csv"):
        check_model(given("nowhere.csv"), False)
