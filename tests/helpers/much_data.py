"""A process that trains from records of far more pixels than it may keep, and says how much memory it took for them."""

import sys
from pathlib import Path

import numpy as np

from mer_tf.config import Clip, Preprocess

BUDGET = 8 * 2**20
CLIPS, LENGTH, SIDE = 96, 60, 96
CONFIG = Preprocess(face="none", size=SIDE, flow="dis", clips_per_shard=8)


def write(folder: Path) -> None:
    """Records of noise."""
    from mer_tf.files import sha256
    from mer_tf.records.clip import ClipRecord
    from mer_tf.records.index import Index, IndexedClip, write_index
    from mer_tf.records.schema import encode
    from mer_tf.records.shards import Outcome, Shard, entry_of, store_shard

    rng, clips, shards = np.random.default_rng(0), [], {}
    for first in range(0, CLIPS, CONFIG.clips_per_shard):
        outcomes = []
        for k in range(first, first + CONFIG.clips_per_shard):
            frames = rng.integers(0, 256, (LENGTH, SIDE, SIDE, 3), np.uint8)
            flow = rng.normal(size=(LENGTH - 1, SIDE, SIDE, 2)).astype("float16")
            numbers = np.arange(LENGTH)
            record = ClipRecord(
                f"c{k:02d}", "toy", f"s{k}", "a", 200.0, numbers, frames, flow, None, None, np.eye(2, 3)
            )
            outcomes.append(Outcome(encode(record, CONFIG.image_format), entry_of(record)))
        shard = Shard(folder / f"{first}.tfrecord", ())
        store_shard(shard, outcomes, {})
        clips += [IndexedClip(**outcome.entry, shard=shard.path.name) for outcome in outcomes]
        shards[shard.path.name] = sha256(shard.path)
    write_index(Index(folder, CONFIG, "", tuple(clips), shards, 0, {}))


def anonymous() -> int:
    """Bytes of this process that no file stands behind."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def train(folder: Path) -> None:
    """Print the bytes of the images that are trained on, and by how many the process grew meanwhile."""
    import keras

    from mer_tf.config import Train
    from mer_tf.datasets.windows import plan_windows
    from mer_tf.inputs import shelf
    from mer_tf.inputs.images import image_store
    from mer_tf.records.stored import stored_clips
    from mer_tf.training.trainer import FoldTrainer

    shelf.IN_MEMORY = BUDGET
    clip = Clip(frames=6, stride=10, mirror=True, balance=False)

    def build() -> keras.Model:
        given = [keras.Input((5, SIDE, SIDE, 3), name=name) for name in ("frames", "flow")]
        means = [keras.layers.Dense(2)(keras.layers.GlobalAveragePooling3D()(x)) for x in given]
        return keras.Model(given, keras.layers.Add()(means))

    class Watch(keras.callbacks.Callback):
        most = 0

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            self.most = max(self.most, anonymous())

    def clips(directory: Path):
        for x in stored_clips(directory, flow=True):
            watch.most = max(watch.most, anonymous())
            yield x.clip_id, x.frames, x.flow

    trainer, watch = FoldTrainer(build, Train(epochs=2, batch_size=8, jit_compile=False)), Watch()
    list(zip(range(3), stored_clips(folder, flow=True), strict=False))  # what reading and a step take anyway
    before = anonymous()
    store = image_store(clips(folder), clip, "previous", str(folder))
    labels = {f"c{k:02d}": k % 2 for k in range(CLIPS)}
    plan = plan_windows(labels, store.length, clip, ("a", "b"), 0)
    trainer.fit(store, plan, labels, clip.frames, 0, callbacks=[watch])
    images = sum(x.nbytes for side in (store.frames, store.flow) for x in side.values())
    print(images, watch.most - before)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    train(Path(sys.argv[1]))
