"""Cells of an LSTM with other gates than Keras' own; `keras.layers.RNN` runs them over time."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("mer_tf")
class PeepholeCell(keras.layers.LSTMCell):
    """An LSTM whose gates see the cell too (Gers & Schmidhuber, IJCNN 2000; Greff et al., TNNLS 2017, section II):

        i = s(W_i x + R_i h + p_i * c + b_i)        c' = f * c + i * tanh(W_g x + R_g h + b_g)
        f = s(W_f x + R_f h + p_f * c + b_f)        o  = s(W_o x + R_o h + p_o * c' + b_o)        h' = o * tanh(c')

    The output gate sees the new cell, the others the last one. Peepholes p (3, units), of i, f and o, start at 0, where
    this is Keras' LSTM. tanh is that of Greff et al.
    """

    def build(self, input_shape: Any) -> None:
        """Weights of Keras' cell, in its order i, f, g, o, and the peepholes."""
        super().build(input_shape)
        self.peepholes = self.add_weight(shape=(3, self.units), initializer="zeros", name="peepholes")

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """One step: inputs (B, D), states [h, c], each (B, units)."""
        hidden, cell = states
        i, f, g, o = ops.split(_projected(self, inputs, hidden), 4, axis=-1)
        gate, (of_i, of_f, of_o) = self.recurrent_activation, (self.peepholes[k] for k in range(3))
        cell = gate(f + of_f * cell) * cell + gate(i + of_i * cell) * self.activation(g)
        hidden = gate(o + of_o * cell) * self.activation(cell)
        return hidden, [hidden, cell]


@keras.saving.register_keras_serializable("mer_tf")
class CoupledCell(keras.layers.LSTMCell):
    """An LSTM that forgets what it writes over: f = 1 - i (CIFG of Greff et al., TNNLS 2017).

    Three quarters of an LSTM's weights, in the order i, g, o. The input gate's bias starts at -1, which is Keras' 1 of
    the forget gate.
    """

    def build(self, input_shape: Any) -> None:
        """Kernels (D, 3 units) and (units, 3 units), bias (3 units,)."""
        wide = 3 * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], wide), initializer=self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, wide), initializer=self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(wide,), initializer=self._forgets_little, name="bias")

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """One step: inputs (B, D), states [h, c], each (B, units)."""
        hidden, cell = states
        i, g, o = ops.split(_projected(self, inputs, hidden), 3, axis=-1)
        write = self.recurrent_activation(i)
        cell = (1 - write) * cell + write * self.activation(g)
        hidden = self.recurrent_activation(o) * self.activation(cell)
        return hidden, [hidden, cell]

    def _forgets_little(self, shape: Any, dtype: Any = None) -> Any:
        return ops.concatenate([-ops.ones((self.units,), dtype), ops.zeros((shape[0] - self.units,), dtype)])


def _projected(cell: Any, inputs: Any, hidden: Any) -> Any:
    """What all gates see of the input and of the last step: (B, gates * units)."""
    return ops.matmul(inputs, cell.kernel) + ops.matmul(hidden, cell.recurrent_kernel) + cell.bias
