"""What is learned about a block: two convolutions, a vector, and a weight between 0 and 1 that says how much it counts.

gACNN (Li et al., TIP 2019, section III): F = two 3 x 3 convolutions of a window, psi(F) a dense vector, and a gate of
pooling, convolution and two dense layers, sigmoid(Dense1(ReLU(Dense64(GAP(ReLU(BN(conv(maxpool2 F)))))))).

Tensors are (N, h, w, K, C), K blocks beside the channels: block by block weights are then one batched product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import layers, ops

from mer_tf.models.layers.blocks import Neighbours, WeightCost

if TYPE_CHECKING:
    from mer_tf.models.gia_bia_bilstm import Blocks


class BlockUnits:
    """Units of K blocks, each of its own weights or all sharing one set.

    Args:
        blocks: K.
        config: widths, `psi` and whether weights are shared.
        momentum: of batch normalisation; frames that `mask`, bool (N, 1, 1), leaves out move no statistic.
        name: prefix of the layers' names.
    """

    def __init__(self, blocks: int, config: Blocks, momentum: float, mask: Any, name: str) -> None:
        self.blocks, self.config, self.momentum, self.mask, self.name = blocks, config, momentum, mask, name
        self.own = not config.shared and blocks > 1

    def convolved(self, windows: Any) -> Any:
        """Two convolutions, each with batch normalisation and ReLU (the F of the paper)."""
        for number in (1, 2):
            windows = self._conv(windows, self.config.filters, f"conv{number}")
        return windows

    def vectors(self, features: Any, units: int) -> Any:
        """(N, h, w, K, C) -> (N, K, units) by a dense layer on all cells or on their mean (the paper's psi)."""
        flat = self.config.psi == "flatten"
        cells, given = ("hw", features) if flat else ("", ops.mean(features, axis=(1, 2)))
        return self._dense(given, cells, units, "psi", "lecun_normal")

    def weights(self, features: Any) -> Any:
        """The gate: (N, h, w, K, C) -> (N, K, 1), 0 to 1."""
        half = layers.MaxPooling3D((2, 2, 1), name=f"{self.name}_gate_pool")(features)
        seen = ops.mean(self._conv(half, self.config.gate_filters, "gate_conv"), axis=(1, 2))
        hidden = layers.ReLU(name=f"{self.name}_gate_relu")(
            self._dense(seen, "", self.config.gate_units, "gate_fc", "he_normal")
        )
        weights = layers.Activation("sigmoid", name=f"{self.name}_weights")(
            self._dense(hidden, "", 1, "gate_out", "lecun_normal")
        )
        return WeightCost(self.config.gate_cost, name=f"{self.name}_cost")(weights, self.mask)

    def _conv(self, x: Any, filters: int, name: str) -> Any:
        """3 x 3 convolution that keeps the size, batch normalisation, ReLU."""
        name, (height, width) = f"{self.name}_{name}", x.shape[1:3]
        if self.own:
            conv = layers.EinsumDense(
                "nhwkp,kpf->nhwkf",
                (height, width, self.blocks, filters),
                bias_axes="kf",
                kernel_initializer="he_normal",
                name=name,
            )
            x = conv(Neighbours(name=f"{name}_cells")(x))
        else:
            conv = layers.Conv3D(filters, (3, 3, 1), padding="same", kernel_initializer="he_normal", name=name)
            x = conv(x)
        # A block of its own weights has statistics of its own: its channels stand beside those of the others.
        merged = (width, self.blocks * filters) if self.own else (width * self.blocks, filters)
        norm = layers.BatchNormalization(momentum=self.momentum, name=f"{name}_bn")
        x = norm(ops.reshape(x, (-1, height, *merged)), mask=self.mask)
        return layers.ReLU(name=f"{name}_relu")(ops.reshape(x, (-1, height, width, self.blocks, filters)))

    def _dense(self, x: Any, cells: str, units: int, name: str, initializer: str) -> Any:
        """Dense layer on the axes `cells` and the channels of each block: (N, K, units)."""
        own = "k" if self.own else ""
        return layers.EinsumDense(
            f"n{cells}kf,{own}{cells}fe->nke",
            (self.blocks, units),
            bias_axes=f"{own}e",
            kernel_initializer=initializer,
            name=f"{self.name}_{name}",
        )(x)
