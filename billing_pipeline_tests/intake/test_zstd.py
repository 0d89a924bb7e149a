"""Usage files compressed with zstd: read like the others, within the same limits."""

from pathlib import Path

import pytest
from backports import zstd

from billing_pipeline.intake import archive
from billing_pipeline.intake.archive import open_usage
from billing_pipeline.mediation.refusal import FileRefused

TEXT = b"id,seconds\n" + b"c1,60\n" * 1000
WHOLE = zstd.compress(TEXT)


def read(tmp_path: Path, content: bytes, name: str = "calls.csv.zst") -> bytes:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with open_usage(str(path), name, max_bytes=64 * 1024 * 1024) as stream:
        return stream.read()


def test_a_zstd_file_reads_as_what_was_compressed_also_in_several_frames(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == TEXT
    assert read(tmp_path, WHOLE + WHOLE) == TEXT + TEXT
    assert read(tmp_path, WHOLE, "no_suffix.csv") == TEXT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(WHOLE[:-5], "corrupt_archive", id="cut short"),
        pytest.param(WHOLE + b"junk", "corrupt_archive", id="junk behind"),
        pytest.param(WHOLE[:9] + b"\xff\xff" + WHOLE[11:], "corrupt_archive", id="a flipped byte"),
        pytest.param(b"id,seconds\n", "corrupt_archive", id="only the name is compressed"),
        pytest.param(zstd.compress(b"0" * 100_000_000), "decompression_limit", id="a bomb"),
    ],
)
def test_a_damaged_or_swollen_zstd_file_is_held_whole(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        read(tmp_path, content)

    assert refused.value.reason.value == reason


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "zstd", None)

    with pytest.raises(FileRefused, match=r"install billing-pipeline\[zstd\]"):
        read(tmp_path, WHOLE)
