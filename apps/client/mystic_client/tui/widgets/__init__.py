"""Widgets: they draw the model and say what the user did."""
