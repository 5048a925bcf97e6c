"""What the tests of experiments share: trees, records and features of tiny clips, and results without pictures."""

import pytest

pytest.register_assert_rewrite("helpers.run_checks")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The option that names one cache for all experiments: what one has drawn or computed the next one finds."""
    return f"--data.cache={tmp_path_factory.mktemp('cache')}"


@pytest.fixture
def no_pictures(monkeypatch):
    """Finished runs draw no heat maps, which take as long as a tiny training; for those that nobody looks at."""
    monkeypatch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)
