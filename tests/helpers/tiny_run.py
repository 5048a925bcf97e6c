"""Options of the smallest run of exp2 that goes the whole way: drawn clips, two folds, one epoch."""

TINY = (
    "--data.subjects=2",
    "--data.clips_per_class=1",
    "--evaluation.folds=2",
    "--clip.stride=12",
    "--clip.non_micro_stride=12",
    "--model.encoder=mtcnn-onet",
    "--model.lstm_units=8",
    "--model.lstm_layers=1",
    "--model.embedding=8",
    "--train.epochs=1",
    "--train.jit_compile=False",
)
