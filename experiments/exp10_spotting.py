"""Spotting in long videos: the flow spotter, HOOF + LSTM and a learned verdict, side by side, by leave one subject out.

Scored as in MEGC: intersection over union of .5, pooled over all videos; micro, macro and both, and STRS. Where a data
set has no folder, videos are drawn in its layout: then the printed figures beside it are of other videos.

python experiments/exp10_spotting.py                               # drawn, some twenty minutes of processor time
python experiments/exp10_spotting.py --casme_sq DIR --samm_lv DIR  # the data sets
python experiments/exp10_spotting.py --drawn.amplitude 1           # smaller movements
"""

from mer_tf.video.comparison import DrawnVideos, HoofLstm, Options

SPOTTING = Options(drawn=DrawnVideos(subjects=4, seconds=60), lstm=HoofLstm(window=4.0, units=24, epochs=30))

if __name__ == "__main__":
    from mer_tf.cli.script import spotting_main

    spotting_main(SPOTTING)
