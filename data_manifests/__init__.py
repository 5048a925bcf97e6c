"""Facts from outside, as CSV: label protocols, action units, published results.

A package, so that the files travel with mer_tf.
"""
