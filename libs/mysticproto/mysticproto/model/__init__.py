"""The vocabulary: everything that a client and a server can say, whatever bytes carry it.

    requests    client -> server   each has the client's own number `n`, which the answer repeats
    replies     server -> client   the answer to one request
    events      server -> client   what happened, with the log's sequence number; the same for everybody who may see it
    passing     server -> client   what is said once and not kept, so it has no number

Structs are encoded as arrays with a tag in front: fields are only ever appended, with defaults, so versions may differ.
Times are whole microseconds since 1970 UTC (`..._us`), sizes bytes, ids and sequence numbers positive 63-bit integers.
Names and texts in events and replies come from people: they are cleaned by the server, and must be cleaned again by
whoever draws them on a terminal (`names.clean_text`).
"""

from typing import TypeAlias

from mysticproto.model.base import *  # noqa: F403
from mysticproto.model.events import *  # noqa: F403
from mysticproto.model.events import Event
from mysticproto.model.passing import *  # noqa: F403
from mysticproto.model.passing import Passing
from mysticproto.model.places import *  # noqa: F403
from mysticproto.model.replies import *  # noqa: F403
from mysticproto.model.replies import Reply
from mysticproto.model.requests import *  # noqa: F403

FromServer: TypeAlias = Event | Passing | Reply
