"""What tests of several directories share."""

import pytest


@pytest.fixture(scope="module")
def quick():
    """No confusion pictures, self-tests of few deals: they take longer than a tiny training, and have their tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.reporting.plots.confusion_png", lambda *_: None)
        patch.setattr("mer_tf.protocols.self_test.SHUFFLES", 3)
        patch.setattr("mer_tf.evaluation.self_test.SHUFFLES", 20)
        yield
