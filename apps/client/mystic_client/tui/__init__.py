"""The terminal program: an app that joins session and store, screens, and widgets that know the model alone."""
