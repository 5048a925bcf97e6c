"""Drawn data: look-alikes of the data sets whose pictures nobody sat for. Never evidence about people.

`embedded` is the one door for the path from a data set to a report; cli/ and experiments/ may use the rest.
"""
