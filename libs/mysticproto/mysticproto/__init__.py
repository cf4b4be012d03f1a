"""What Mystic's programs say to one another: no sockets, threads, clocks or files."""
