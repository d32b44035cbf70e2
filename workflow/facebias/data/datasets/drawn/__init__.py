"""Drawn people, filmed while they show an emotion: the data set that the project brings along.

``people`` lists who is drawn and which films exist, without drawing; ``stage`` draws them.
"""
