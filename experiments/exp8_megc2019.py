"""The composite of MEGC 2019: 442 clips of 68 subjects in 3 classes as flow images, leave one subject out.

See et al., FG 2019; networks of Liong et al. 2019 (STSTNet), Gan et al. 2019, Xia et al. 2020 and Wang et al. 2024.

python experiments/exp8_megc2019.py                                  # drawn flow images of 24 of the 68 subjects
python experiments/exp8_megc2019.py --data.root /data/norm_u_v_os    # ready-made, <subject>/u_test/<class>/*.png
python experiments/exp8_megc2019.py --data.dataset megc2019 --data.root /data/megc   # SMIC, CASME II, SAMM folders
python experiments/exp8_megc2019.py --methods recommended,STSTNet    # some of the rows

STSTNet trained as by its authors' code on drawn flow images in the composite's own size (half an hour on two cores):
    --methods STSTNet --data.subjects 68 --train.epochs 800 --train.batch_size 256 --train.learning_rate 5e-5
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Train
from mer_tf.models.presets import PUBLISHED
from mer_tf.models.ststnet import StstNet

EXPERIMENT = Experiment(
    name="exp8_megc2019",
    data=Data(dataset="flow-images", label_protocol="megc2019-3", subjects=68),
    preprocess=Preprocess(face="crop", flow="tvl1", flow_from="onset", recipe="ststnet"),
    clip=Clip(frames=1, segments="stride", side=28, mirror=False, balance=False, test="whole"),
    model=StstNet(dropout=0.5),
    train=Train(epochs=800, batch_size=256, learning_rate=5e-5),
    evaluation=Evaluation(split="loso"),
)

EMBEDDED = changed(EXPERIMENT, {"data.subjects": 24})

METHODS = {
    "majority": {"model.name": "majority"},
    "subject identity": {"model.name": "subject_identity"},
    "onset frame": {"model.name": "onset_frame"},
    "logistic regression": {"model.name": "flow_logistic"},
    "recommended": {"model.name": "patch_kernel"},
    "pixel kernel": {"model.name": "pixel_kernel"},
    "STSTNet": {"model.name": "ststnet", **PUBLISHED["ststnet"]},
    "OFF-ApexNet": {"model.name": "off_apexnet", **PUBLISHED["off_apexnet"]},
    "RCN-A": {"model.name": "rcn", **PUBLISHED["rcn"]},
    "au-flow-3 zero-shot": {"model.name": "au_flow", "model.weights": "au-flow-3", "model.head": "given"},
    "au-flow-4 zero-shot": {"model.name": "au_flow", "model.weights": "au-flow-4", "model.head": "given"},
    "au-flow-4 fine-tuned": {
        "model.name": "au_flow",
        "model.weights": "au-flow-4",
        "model.dropout": 0.3,
        "train.epochs": 15,
        "train.batch_size": 64,
        "train.learning_rate": 2e-4,
        "train.jit_compile": False,
    },
    "HTNet": {"model.name": "htnet", **PUBLISHED["htnet"]},
}
"""Rows on real data. HTNet has 140 million parameters: 68 trainings of it want a GPU."""

TRIVIAL = ("majority", "subject identity", "onset frame", "logistic regression")
"""What has learned nothing, seen no face, seen no motion; and pixels, which equal published networks."""
KERNELS = ("recommended", "pixel kernel")
"""Kernel ridge regression, seconds each: on patches by dictionaries of drawn images that ship, and on pixels alone."""
SHIPPED = tuple(name for name in METHODS if name.startswith("au-flow"))
"""Networks that were trained on drawn flow images alone, of a crop that was tuned on the 442 real ones (3) and of a
published one (4): as they are, and fine-tuned."""

# Minutes on two cores: fewer epochs; networks that are trained fold by fold are narrower too; HTNet is left out.
FEW = {"train.epochs": 12, "train.batch_size": 64, "train.jit_compile": False}
EMBEDDED_METHODS = {
    **{name: METHODS[name] for name in (*TRIVIAL, *KERNELS, *SHIPPED)},
    "STSTNet": {**METHODS["STSTNet"], "train.epochs": 100, "train.batch_size": 64, "train.learning_rate": 1e-3},
    "OFF-ApexNet": {**METHODS["OFF-ApexNet"], **FEW, "model.width": 0.125, "train.learning_rate": 1e-3},
    "RCN-A": {**METHODS["RCN-A"], **FEW, "model.width": 0.25, "train.learning_rate": 2e-2},
}

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, methods={"paper": METHODS, "embedded": EMBEDDED_METHODS}))
