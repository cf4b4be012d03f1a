"""What requests mean and what happens: pure, without I/O, clock, randomness or threads."""
