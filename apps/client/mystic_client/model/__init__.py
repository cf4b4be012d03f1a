"""What the user knows: conversations, people, words typed and words shown. Pure: no sockets, no clocks, no screen."""
