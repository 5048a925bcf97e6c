"""What tests of several directories share."""

from functools import cache

import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.synthetic.layouts import casme, casme2, others, samm
from mer_tf.synthetic.layouts.plan import timed
from mer_tf.synthetic.layouts.write import PLANS, write_lookalike


@pytest.fixture(scope="module")
def quick():
    """No confusion pictures, self-tests of few deals: they take longer than a tiny training, and have their tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.reporting.plots.confusion_png", lambda *_: None)
        patch.setattr("mer_tf.protocols.self_test.SHUFFLES", 3)
        patch.setattr("mer_tf.evaluation.self_test.SHUFFLES", 20)
        yield


def shortest(*clip, length, **more):
    """A clip of a published tree about as short as its kind can be: a tree of all lengths has twice the files."""
    return timed(*clip, length=(length[0], length[0] + 2), **more)


@pytest.fixture(scope="session")
def tree_of(tmp_path_factory):
    """tree_of(dataset, counts, layout) -> the root of a tree that a test only reads."""
    home = tmp_path_factory.mktemp("lookalikes")

    @cache
    def write(dataset, counts, layout):
        with pytest.MonkeyPatch.context() as patch:
            for module in (casme, casme2, others, samm):
                patch.setattr(module, "timed", shortest if counts == "published" else timed)
            return write_lookalike(dataset, home / f"{dataset}-{counts}-{layout}", counts=counts, layout=layout)

    return lambda dataset, counts="small", layout=None: write(dataset, counts, layout or PLANS[dataset][1][0])


@pytest.fixture(scope="session")
def listed(tree_of):
    """listed(dataset, counts, layout) -> what the adapter lists of such a tree."""
    listing = cache(dataset_listing)
    return lambda dataset, *tree: listing(dataset, tree_of(dataset, *tree))
