"""How the pictures of a run are read, and what their control is, in sentences."""

from __future__ import annotations

from mer_tf.reporting.run_files import Run

HEAT = (
    "How to read a heat map: grey is the frame, and colour from violet to yellow says how much of what the network "
    "found there raised the score of the class; the brightest is 1, the greatest value of the clip. One cell of the "
    "map covers many pixels, so colour runs beyond what was seen. Lift is a region's share of the heat over its share "
    "of the picture: 1 is what evenly spread heat has."
)
CONTROL = (
    "Its control is the picture Before and after training: the same clips by the same network before it was trained, "
    "and with parts of it drawn anew. Heat that untrained networks show as well was not learned."
)
NO_CONTROL = (
    "These maps have no control here, and heat on a part of a face is no proof that it was learned. Where the model "
    "has a pretrained encoder, mer-tf gradcam RUN --out DIR --change draws the untrained network beside them."
)
LAYERS = (
    "Of each layer: energy is the share of the heat that lies on eyes, brows, nose wings and mouth corners, and IoU "
    "(intersection over union) says how well the strongest heat covers them. The red one was chosen, on training "
    "frames."
)
WEIGHTS = (
    "How to read attention: the brighter a cell, the more it weighed in what was passed on; 1 x even is the weight "
    "that all cells alike would have. A weight says what was passed on, not what decided."
)
BLOCKS = (
    "How to read block weights: each square is a block of the face in the colour of its weight. A gate is free, so a "
    "small weight can be made good by a large vector behind it: weights that lie close together say little, unless "
    "--model.blocks.gate_cost sets a price on them. A block stands for all that its receptive field sees."
)
SHUFFLED = (
    "No untrained network is drawn beside it. Its control is the same command with --data.shuffle_labels True: what "
    "is bright there as well was not taught by the classes."
)


def how_to_read(run: Run, section: str) -> list[str]:
    """The sentences for the pictures of a section."""
    titles = run.pictures.loc[run.pictures["section"] == section, "title"].astype(str)
    if section == "gradcam":
        said = [HEAT, CONTROL if titles.str.startswith("Before and after").any() else NO_CONTROL]
        return [*said, LAYERS] if titles.str.startswith("Layers").any() else said
    if section == "attention":
        return [BLOCKS if run.settings["model.name"] == "gia_bia_bilstm" else WEIGHTS, SHUFFLED]
    return []
