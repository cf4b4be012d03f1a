"""A link between two network namespaces, with a rate, a delay, random loss and a queue. Linux, root, a C compiler.

    with laboratory(Line(rate_mbit=100, rtt_ms=100, loss_percent=1)) as lab:
        server = lab.start(Side.A, [sys.executable, "-m", "http.server", "--bind", A_ADDRESS])
        lab.run(Side.B, ["curl", f"http://{A_ADDRESS}:8000/"])

`link.c` holds the namespaces and carries the packets; `lab.py` starts it and the programs at both ends. Nothing has a
name and everything ends with the `with`, or with this process. `python -m tests.support.netlab` checks the figures.
"""

from tests.support.netlab.lab import A_ADDRESS, B_ADDRESS, Lab, LabError, Line, Side, laboratory, why_impossible

__all__ = ["A_ADDRESS", "B_ADDRESS", "Lab", "LabError", "Line", "Side", "laboratory", "why_impossible"]
