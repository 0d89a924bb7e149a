"""Files that must be held whole: the named reasons, and the refusal that carries one."""

from enum import StrEnum


class QuarantineReason(StrEnum):
    """Why a file is held whole: nothing of it is loaded until a person decides."""

    READER_FAILED = "reader_failed"
    READER_MISSING = "reader_missing"
    UPLOAD_CHANGED = "upload_changed"
    UPLOAD_MISSING = "upload_missing"
    NAME_TAKEN = "name_taken"
    UNEXPECTED_NAME = "unexpected_name"
    UNEXPECTED_ENCODING = "unexpected_encoding"
    MISSING_HEADER = "missing_header"
    MISSING_COLUMN = "missing_column"
    MISSING_TRAILER = "missing_trailer"
    TRAILER_MISMATCH = "trailer_mismatch"
    TOO_MANY_ERRORS = "too_many_errors"
    MALFORMED_DOCUMENT = "malformed_document"
    DOCUMENT_TOO_LARGE = "document_too_large"
    CORRUPT_ARCHIVE = "corrupt_archive"
    ENCRYPTED_ARCHIVE = "encrypted_archive"
    UNSAFE_ARCHIVE = "unsafe_archive"
    DECOMPRESSION_LIMIT = "decompression_limit"


class FileRefused(Exception):
    """A usage file that must be quarantined; what was decoded of it before must be discarded."""

    def __init__(self, reason: QuarantineReason, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(f"{reason.value}: {message}")
