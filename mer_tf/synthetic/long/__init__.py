"""Drawn videos of a minute and more: micro- and macro-expressions among blinks, speech, turns, gaze, light and cuts."""
