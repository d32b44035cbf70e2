"""Figures for print: a module per family turns tidy tables into a figure and its numbers."""
