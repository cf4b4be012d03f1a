"""What can go wrong in a conversation, whose fault it is, and what to answer.

Two shapes. A `ProtocolError` says that bytes made no sense; a wire returns it as the last item of `feed`, so that what
came before it is still handled. A refusal (`model.Refused`) says that a well-formed request is not granted; it is an
ordinary reply. Both carry a `Code`: programs read the code, people read the sentence.
"""

from enum import StrEnum


class Code(StrEnum):
    """Stable names of everything that a server can answer instead of doing it. Only ever added to."""

    MALFORMED = "malformed"
    UNKNOWN_REQUEST = "unknown_request"
    FRAME_TOO_LARGE = "frame_too_large"
    WRONG_PROTOCOL = "wrong_protocol"
    UNSUPPORTED_VERSION = "unsupported_version"

    NOT_LOGGED_IN = "not_logged_in"
    ALREADY_LOGGED_IN = "already_logged_in"
    NAME_INVALID = "name_invalid"
    NAME_IN_USE = "name_in_use"
    NAME_CLAIMED = "name_claimed"
    BAD_SIGNATURE = "bad_signature"
    TOO_MANY_SESSIONS = "too_many_sessions"
    CLAIM_REQUIRED = "claim_required"
    WRONG_PASSWORD = "wrong_password"
    PASSWORD_UNFIT = "password_unfit"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    TLS_REQUIRED = "tls_required"
    BANNED = "banned"
    KICKED = "kicked"
    ACCOUNT_DELETED = "account_deleted"
    DEVICE_REMOVED = "device_removed"
    LOGIN_TIMEOUT = "login_timeout"

    UNKNOWN_USER = "unknown_user"
    NOT_TO_YOURSELF = "not_to_yourself"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    CLIENT_ID_REUSED = "client_id_reused"
    MUTED = "muted"
    WAITING_FULL = "waiting_full"
    UNKNOWN_MESSAGE = "unknown_message"
    MESSAGE_DELETED = "message_deleted"
    UNKNOWN_CONVERSATION = "unknown_conversation"
    BAD_SEARCH = "bad_search"

    GROUP_NAME_INVALID = "group_name_invalid"
    GROUP_EXISTS = "group_exists"
    UNKNOWN_GROUP = "unknown_group"
    ALREADY_IN_GROUP = "already_in_group"
    IN_ANOTHER_GROUP = "in_another_group"
    NOT_IN_GROUP = "not_in_group"
    NO_GROUP = "no_group"

    FILE_NOT_FOUND = "file_not_found"
    NOT_A_FOLDER = "not_a_folder"
    BAD_TICKET = "bad_ticket"
    FILE_CHANGED = "file_changed"
    FILE_UNFIT = "file_unfit"
    FILE_NAME_INVALID = "file_name_invalid"
    FILE_TOO_LARGE = "file_too_large"
    WRONG_HASH = "wrong_hash"
    QUOTA_REACHED = "quota_reached"
    DISK_FULL = "disk_full"
    UDP_UNAVAILABLE = "udp_unavailable"

    NOT_ALLOWED = "not_allowed"

    LIMIT_REACHED = "limit_reached"
    TOO_SLOW = "too_slow"
    IDLE = "idle"
    SERVER_FULL = "server_full"
    STORAGE_FULL = "storage_full"
    STORE_UNAVAILABLE = "store_unavailable"
    FILES_UNAVAILABLE = "files_unavailable"
    PASSWORDS_UNAVAILABLE = "passwords_unavailable"

    REPLACED = "replaced"
    STOPPING = "stopping"
    INTERNAL = "internal"


class ProtocolError(Exception):
    """The peer's bytes can't be understood, and the conversation ends after the answer.

    `code` is for programs, `text` for people. What can be answered and survived is not an error but a local reply.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
