"""Results can be read on a machine, and at a speed, that has no time for TensorFlow."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["mer_tf", "mer_tf.evaluation.metrics", "mer_tf.reporting.plots", "mer_tf.datasets"])
def test_loads_neither_keras_nor_tensorflow(module):
    code = f"import sys, {module}; print(sorted({{'keras', 'tensorflow', 'mtcnn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
