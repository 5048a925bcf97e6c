"""Layers of our own, registered with Keras; `mer_tf.models.later.own` has their classes."""
