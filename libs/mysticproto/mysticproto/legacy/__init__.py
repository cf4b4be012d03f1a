"""The wires of five older programs, each in a module of its own."""
