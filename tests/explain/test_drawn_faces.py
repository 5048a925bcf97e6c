"""On drawn clips whose mouth and brows both move, heat lies on the part that tells the class.

The clips are the same for every model and only the labels differ. Clips in which one part alone moves would prove
nothing: the activations less the onset's differ from zero there alone, whatever the model has learnt.
"""

import keras
import numpy as np
import pytest
from helpers.drawn_clips import SHOWN, SIZE, TESTED

from mer_tf.explain.gradcam import GradCam
from mer_tf.explain.regions import aligned_landmarks, region_masks
from mer_tf.explain.upsampling import cell_grid, upsample
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.vggface_lstm import VggFaceLstm, end_to_end


def clip_model(encoder, frames, labels, epochs):
    features = encoder.predict(frames.reshape(-1, SIZE, SIZE, 3), verbose=0).reshape(*frames.shape[:2], -1)
    keras.utils.set_random_seed(1)
    config = VggFaceLstm(
        embedding=(64, 32), lstm_units=32, lstm_layers=1, head_units=32, center="onset", bn_momentum=0.9
    )
    head = config.build(features.shape[2:], 2)
    head.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    head.fit(inputs(features), labels, epochs=epochs, batch_size=16, verbose=0)
    return end_to_end(encoder, head)


def inputs(frames):
    return {"frames": frames, "onset": frames[:, :1], "mask": np.ones(frames.shape[:2], bool)}


@pytest.mark.slow
def test_heat_lies_on_the_part_that_tells_the_class(drawn):
    pytest.importorskip("mtcnn", reason="its ONet is the encoder")
    masks = region_masks(aligned_landmarks(SIZE), SIZE)
    masks["brows"] |= masks["eyes"]  # the skin between brow and upper lid moves with the brow
    frames, classes, subjects = drawn
    tested = np.isin(subjects, np.unique(subjects)[:TESTED])
    encoder = build_encoder(VggFaceLstm(encoder="mtcnn-onet"), input_size=SIZE).model
    lift = {}
    for part, labels in classes.items():
        for epochs in (0, 30):
            model = clip_model(encoder, frames[~tested], labels[~tested], epochs)
            tapped = GradCam(model, ["prelu3"])(inputs(frames[tested]), labels[tested])["prelu3"]
            maps = tapped.cam(minus_onset=True, local=True).sum(axis=1)
            heat = upsample(maps, SIZE, cell_grid(encoder, "prelu3"))
            for region in SHOWN:
                lift[part, epochs, region] = heat[:, masks[region]].sum() / heat.sum() / masks[region].mean()
        right = model.predict(inputs(frames[tested]), verbose=0).argmax(-1) == labels[tested]
        assert right.mean() > 0.75
    for part, other in (("mouth", "brows"), ("brows", "mouth")):
        assert lift[part, 30, part] > 1.5
        assert lift[part, 30, part] > lift[part, 30, other]
        assert lift[part, 30, part] > lift[other, 30, part]
        before, after = (lift[part, epochs, part] / lift[part, epochs, other] for epochs in (0, 30))
        assert after > before
