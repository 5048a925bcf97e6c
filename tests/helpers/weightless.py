"""Networks of full size for tests of shapes and numbers alone, without the time and memory that weights take."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import keras

T = TypeVar("T")


def weightless(build: Callable[[], T]) -> T:
    """What `build` makes, none of whose weights is ever drawn."""

    def stateless() -> T:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    with ThreadPoolExecutor(1) as thread:  # Keras lists the weights still to be drawn, a list for each thread
        return thread.submit(stateless).result()
