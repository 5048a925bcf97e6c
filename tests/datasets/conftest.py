"""Look-alike trees and their listings, each written and read once for all tests that change nothing in them."""

from functools import cache

import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.datasets.lookalike import PLANS, write_lookalike


@pytest.fixture(scope="session")
def tree_of(tmp_path_factory):
    """tree_of(dataset, counts, layout) -> the root of a tree that a test only reads."""
    home = tmp_path_factory.mktemp("lookalikes")

    @cache
    def write(dataset, counts, layout):
        return write_lookalike(dataset, home / f"{dataset}-{counts}-{layout}", counts=counts, layout=layout)

    return lambda dataset, counts="small", layout=None: write(dataset, counts, layout or PLANS[dataset][1][0])


@pytest.fixture(scope="session")
def listed(tree_of):
    """listed(dataset, counts, layout) -> what the adapter lists of such a tree."""
    listing = cache(dataset_listing)
    return lambda dataset, *tree: listing(dataset, tree_of(dataset, *tree))
