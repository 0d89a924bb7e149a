from pathlib import Path

import pytest

from billing_pipeline.documents.store import (
    StoredDocumentDiffers,
    get_document,
    put_document,
)


def test_a_document_is_read_back_as_it_was_put(tmp_path: Path) -> None:
    stored = put_document(str(tmp_path), "brand", "INV-1", "pdf", b"content")

    assert get_document(stored) == b"content"
    assert stored.size_bytes == 7


def test_storing_the_same_content_twice_leaves_one_file(tmp_path: Path) -> None:
    first = put_document(str(tmp_path), "brand", "INV-1", "pdf", b"content")
    second = put_document(str(tmp_path), "brand", "INV-1", "pdf", b"content")

    assert first == second
    assert [path.name for path in tmp_path.rglob("*.*")] == [Path(first.path).name]


def test_other_content_of_the_same_name_replaces_nothing(tmp_path: Path) -> None:
    first = put_document(str(tmp_path), "brand", "INV-1", "pdf", b"one")
    put_document(str(tmp_path), "brand", "INV-1", "pdf", b"two")

    assert get_document(first) == b"one"


def test_a_changed_document_is_noticed(tmp_path: Path) -> None:
    stored = put_document(str(tmp_path), "brand", "INV-1", "pdf", b"content")
    Path(stored.path).write_bytes(b"CONTENT")

    with pytest.raises(StoredDocumentDiffers):
        get_document(stored)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "INV 2026/1"])
def test_no_name_leaves_the_tenants_folder(tmp_path: Path, name: str) -> None:
    stored = put_document(str(tmp_path), "brand", name, "pdf", b"x")

    assert Path(stored.path).resolve().parent == tmp_path / "brand"


def test_an_object_store_address_works_the_same() -> None:
    stored = put_document("memory://documents", "brand", "INV-1", "pdf", b"content")

    assert get_document(stored) == b"content"
