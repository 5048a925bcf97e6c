"""Look-alike trees and their listings, each written and read once for all tests that change nothing in them."""

from functools import cache

import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.synthetic.layouts import casme as lookalike_casme
from mer_tf.synthetic.layouts import casme2 as lookalike_casme2
from mer_tf.synthetic.layouts import others as lookalike_others
from mer_tf.synthetic.layouts import samm as lookalike_samm
from mer_tf.synthetic.layouts.plan import timed
from mer_tf.synthetic.layouts.write import PLANS, write_lookalike


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
            for module in (lookalike_casme, lookalike_casme2, lookalike_others, lookalike_samm):
                patch.setattr(module, "timed", shortest if counts == "published" else timed)
            return write_lookalike(dataset, home / f"{dataset}-{counts}-{layout}", counts=counts, layout=layout)

    return lambda dataset, counts="small", layout=None: write(dataset, counts, layout or PLANS[dataset][1][0])


@pytest.fixture(scope="session")
def listed(tree_of):
    """listed(dataset, counts, layout) -> what the adapter lists of such a tree."""
    listing = cache(dataset_listing)
    return lambda dataset, *tree: listing(dataset, tree_of(dataset, *tree))
