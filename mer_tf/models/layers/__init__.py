"""Layers of our own, registered with Keras; `mer_tf.models.later.own` has their classes.

Keras itself writes the arguments of a layer into a model's file: they are numbers and texts.
"""
