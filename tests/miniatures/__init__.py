"""Miniatures: tiny data sets, drawn, in the exact files and folders of the real ones.

Every module has a function ``write`` that makes one; ``performers`` draws the people in them.
"""
