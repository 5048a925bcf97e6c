"""Weights are loaded when their bytes are known: mtcnn's by the published hash, VGGFace's by that of the first load."""

import pytest

from mer_tf.config import MerError
from mer_tf.files import sha256
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.weight_files import same_as_before
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.preprocessing import mtcnn_files
from mer_tf.preprocessing.mtcnn_files import SHA256, checked_weights, weights_path


@pytest.fixture
def other(tmp_path, monkeypatch):
    """The three files with one byte changed, found in the place of the package's."""
    for name in SHA256:
        data = bytearray(weights_path(name).read_bytes())
        data[-1] ^= 1
        (tmp_path / f"{name}.lz4").write_bytes(data)
    monkeypatch.setattr(mtcnn_files, "weights_path", lambda name: tmp_path / f"{name}.lz4")
    return tmp_path


def test_the_installed_files_are_the_published_ones():
    for name in SHA256:
        assert checked_weights(name) == weights_path(name)


@pytest.mark.parametrize("name", SHA256)
def test_a_changed_file_is_never_unpickled(other, name):
    with pytest.raises(MerError, match=rf"{name}\.lz4: SHA-256 is .*, so it is not unpickled; install mtcnn 1\.0\.0"):
        checked_weights(name)
    (other / f"{name}.lz4").unlink()
    with pytest.raises(MerError, match="cannot be read .* install mtcnn 1.0.0 again"):
        checked_weights(name)


def test_neither_encoder_nor_detector_takes_them(other, monkeypatch):
    import joblib

    from mer_tf.preprocessing.mtcnn import build_detector

    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("unpickled"))
    with pytest.raises(MerError, match="onet"):
        build_encoder(VggFaceLstm(encoder="mtcnn-onet"), input_size=48)
    with pytest.raises(MerError, match="pnet"):
        build_detector()


def test_the_first_hash_of_a_weight_file_is_kept_and_a_change_is_refused(tmp_path):
    path = tmp_path / "rcmalli_vggface_tf_notop_resnet50.h5"
    path.write_bytes(b"first")
    assert same_as_before(path) == sha256(path)
    assert (tmp_path / f"{path.name}.sha256").read_text() == f"{sha256(path)}  {path.name}\n"
    assert same_as_before(path) == sha256(path)
    path.write_bytes(b"second")
    with pytest.raises(MerError, match=r"was loaded first \(rcmalli.*sha256\); put the first file back, or delete"):
        same_as_before(path)
    (tmp_path / f"{path.name}.sha256").unlink()
    assert same_as_before(path) == sha256(path)


@pytest.mark.parametrize("kept", [b"", b"\n"])
def test_an_empty_note_is_written_anew(tmp_path, kept):
    path, note = tmp_path / "w.h5", tmp_path / "w.h5.sha256"
    path.write_bytes(b"x")
    note.write_bytes(kept)
    assert same_as_before(path) == note.read_text().split()[0] == sha256(path)
    note.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MerError, match=r"w\.h5\.sha256"):
        same_as_before(path)


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path, monkeypatch):
    from mer_tf.models.encoders import weight_files

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "w.h5").write_bytes(b"x")
    monkeypatch.setattr(weight_files, "write_text", refuse)
    assert same_as_before(tmp_path / "w.h5") == sha256(tmp_path / "w.h5")
