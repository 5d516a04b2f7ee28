"""An entry that is a zip, or says so."""

from __future__ import annotations

import stat
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest

from grader.submission import Submission, archive, read
from grader.submission.members import MAX_MEMBERS, MAX_ZIP

NAME = "normalization.py"


def only_problem(found: Submission) -> str:
    assert found.files == {}
    assert len(found.problems) == 1
    return found.problems[0]


def info(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def raw_zip(
    content: bytes, claimed: int, method: int = 8, flags: int = 0, squeezed: int | None = None
) -> bytes:
    """A zip of one file whose headers claim `claimed` bytes, written by hand."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    sizes = (zlib.crc32(content), len(packed) if squeezed is None else squeezed, claimed, len(NAME), 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, *sizes) + NAME.encode() + packed
    head = struct.pack("<4s6H3L2H", b"PK\1\2", 20, 20, flags, method, 0, 33, *sizes)
    entry = head + struct.pack("<3H2L", 0, 0, 0, 0, 0) + NAME.encode()
    return local + entry + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local), 0)


@pytest.mark.parametrize("path", [NAME, f"dina/{NAME}", f"./{NAME}", f"dina\\{NAME}"])
def test_file_is_found_at_the_top_or_in_one_folder(hand_in, make_zip, good, path):
    assert hand_in("dina.zip", make_zip((path, good))) == Submission("dina", {NAME: good})


def test_file_two_folders_down_is_missing(hand_in, make_zip, good):
    problem = only_problem(hand_in("dina.zip", make_zip((f"my/work/{NAME}", good))))
    assert problem.startswith(f"{NAME} is missing: dina.zip holds my/work/{NAME}. Hand in")


def test_leavings_of_a_mac_are_passed_over(hand_in, make_zip, good):
    junk = [(f"__MACOSX/dina/._{NAME}", b"x"), ("dina/.DS_Store", b"x"), (f"dina/__pycache__/{NAME}", b"x")]
    assert hand_in("dina.zip", make_zip(*junk, (f"dina/{NAME}", good))) == Submission("dina", {NAME: good})


def test_notebook_in_a_zip_counts(hand_in, make_zip, make_notebook):
    found = hand_in("dina.zip", make_zip(("hw/Untitled.ipynb", make_notebook("def f():\n    return 1"))))
    assert b"def f()" in found.files[NAME]
    assert found.notes == (f"hw/Untitled.ipynb read as {NAME}",)


def test_files_that_would_hijack_grading_are_left_out_and_reported(hand_in, make_zip, good):
    found = hand_in("dina.zip", make_zip(("conftest.py", good), ("keras.py", good), (NAME, good)))
    assert found.files == {NAME: good}
    assert found.notes == (f"ignored, since only {NAME} counts: conftest.py, keras.py",)


@pytest.mark.parametrize(
    "path", [f"../{NAME}", f"/{NAME}", f"C:/{NAME}", f"c:{NAME}", f"x/../{NAME}", f"..\\{NAME}"]
)
def test_path_that_leaves_the_zip_is_ignored_and_reported(hand_in, make_zip, good, path):
    found = hand_in("eve.zip", make_zip((path, good)))
    assert only_problem(found) == f"{NAME} is missing: eve.zip holds no files"
    assert found.notes == (f"ignored members with an unsafe path: {path.replace(chr(92), '/')}",)


def test_unsafe_path_does_not_spoil_the_file_beside_it(hand_in, make_zip, good):
    assert hand_in("eve.zip", make_zip((f"../{NAME}", b"x = 1"), (NAME, good))).files == {NAME: good}


def test_name_cut_short_by_a_zero_byte_is_ignored(hand_in, make_zip, good):
    data = make_zip((f"{NAME}_.txt", good)).replace(b".py_.txt", b".py\0.txt")
    assert "is missing" in only_problem(hand_in("eve.zip", data))


def test_nothing_is_unpacked_to_disk(hand_in, make_zip, good, tmp_path):
    hand_in("eve.zip", make_zip((f"../{NAME}", good), (f"{tmp_path}/x.py", good), (NAME, good)))
    assert [path.name for path in tmp_path.iterdir()] == ["eve.zip"]
    assert not (tmp_path.parent / NAME).exists()


def test_link_in_a_zip_is_not_read(hand_in, make_zip):
    data = make_zip((info(NAME, stat.S_IFLNK | 0o777), b"/etc/passwd"))
    problem = f"{NAME} is a symbolic link in the zip, which is not followed: zip the file itself"
    assert only_problem(hand_in("eve.zip", data)) == problem


def test_device_in_a_zip_is_not_read(hand_in, make_zip, good):
    data = make_zip((info(NAME, stat.S_IFCHR | 0o777), good))
    assert "is not an ordinary file in the zip" in only_problem(hand_in("eve.zip", data))


def test_encrypted_file_is_told_to_drop_the_password(hand_in, good):
    problem = only_problem(hand_in("eve.zip", raw_zip(good, len(good), flags=1)))
    assert problem == f"{NAME} is encrypted: make the zip without a password"


def test_unusual_compression_is_refused(hand_in, good):
    problem = only_problem(hand_in("eve.zip", raw_zip(good, len(good), method=zipfile.ZIP_LZMA)))
    assert "is compressed in an unusual way" in problem


def test_same_name_twice_is_not_chosen_between(hand_in, make_zip, good):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = make_zip((NAME, good), (NAME, b"x = 1"))
    assert (
        only_problem(hand_in("eve.zip", data)) == f"{NAME} is there more than once ({NAME}, {NAME}): keep one"
    )


def test_zip_in_a_zip_is_not_opened(hand_in, make_zip, good):
    problem = only_problem(hand_in("eve.zip", make_zip(("work.zip", make_zip((NAME, good))))))
    assert "eve.zip holds work.zip; a zip inside an entry is not opened" in problem


def test_damaged_file_is_a_problem(hand_in, make_zip, good):
    data = bytearray(raw_zip(good, len(good)))
    data[30 + len(NAME) + 5] ^= 0xFF
    assert (
        only_problem(hand_in("eve.zip", bytes(data))) == f"{NAME} is damaged in the zip: make the zip again"
    )


def test_stream_that_does_not_unpack_is_a_problem(hand_in, good):
    data = bytearray(raw_zip(good, len(good)))
    data[30 + len(NAME)] |= 6  # a kind of block that does not exist
    assert (
        only_problem(hand_in("eve.zip", bytes(data))) == f"{NAME} is damaged in the zip: make the zip again"
    )


def test_name_that_is_not_in_its_encoding_is_a_problem(hand_in, good):
    data = raw_zip(good, len(good), flags=0x800).replace(NAME.encode(), b"\xff" * len(NAME))
    assert "is not a readable zip" in only_problem(hand_in("eve.zip", data))


def test_wrong_checksum_is_a_problem(hand_in, good):
    crc = struct.pack("<L", zlib.crc32(good))
    data = raw_zip(good, len(good)).replace(crc, b"\1\2\3\4")
    assert "is damaged" in only_problem(hand_in("eve.zip", data))


@pytest.mark.parametrize("content", [b"", b"Rar!\x1a\x07\x00", b"PK\3\4", b"PK\5\6" + b"\0" * 10])
def test_file_that_is_no_zip_is_a_problem(hand_in, content):
    assert "eve.zip is not a readable zip" in only_problem(hand_in("eve.zip", content))


def test_truncated_zip_is_a_problem(hand_in, make_zip, good):
    assert "is not a readable zip" in only_problem(hand_in("eve.zip", make_zip((NAME, good))[:-30]))


def test_empty_zip_is_missing_the_file(hand_in, make_zip):
    assert only_problem(hand_in("eve.zip", make_zip())) == f"{NAME} is missing: eve.zip holds no files"


def test_zip_over_the_limit_is_refused_by_its_size(tmp_path):
    with (tmp_path / "eve.zip").open("wb") as file:
        file.truncate(MAX_ZIP + 1)
    assert "the limit is 50 MB" in only_problem(read(tmp_path / "eve.zip", (NAME,)))


def test_large_member_is_refused_by_its_header_without_being_read(hand_in, monkeypatch):
    monkeypatch.setattr(archive, "_read", pytest.fail)
    problem = only_problem(hand_in("eve.zip", raw_zip(b"#", 50_300_000)))
    assert problem == f"{NAME} is 50.3 MB; the limit is 1 MB: leave data and outputs out"


def test_zip_bomb_that_lies_about_its_size_is_read_no_further_than_the_limit(hand_in):
    bomb = raw_zip(b"#" * 100_000_000, 999_999)
    tracemalloc.start()
    problem = only_problem(hand_in("eve.zip", bomb))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "is damaged" in problem
    assert peak < 20_000_000


def test_member_that_unpacks_to_too_many_times_its_size_is_a_bomb(hand_in):
    problem = only_problem(hand_in("eve.zip", raw_zip(b"#" * 900_000, 900_000)))
    assert problem == f"{NAME} unpacks to more than 200 times its size, as a zip bomb does"


def test_reading_stops_at_the_limit_whatever_the_header_said(make_zip):
    data = make_zip((NAME, bytes(range(256)) * 20))
    with archive.listing(data) as listing:
        (member,) = listing.members
        lying = archive.zipfile.ZipFile(archive.io.BytesIO(data))
        lying.infolist()[0].compress_size *= 100
        # From Python 3.12 on zipfile itself stops at the size that the header claims.
        with pytest.raises(Exception, match=r"limit is 0 MB|is damaged in the zip"):
            archive._read(lying, lying.infolist()[0], 100)
        assert len(member.load(5120)) == 5120


def test_bomb_in_a_file_not_asked_for_is_never_unpacked(hand_in, make_zip, good):
    found = hand_in("eve.zip", make_zip(("data.bin", b"\0" * 30_000_000), (NAME, good)))
    assert found.files == {NAME: good}
    assert found.problems == ()


def test_zip_with_100_000_members_is_refused_before_it_is_listed(hand_in, monkeypatch):
    monkeypatch.setattr(archive.zipfile, "ZipFile", pytest.fail)
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    body = entry * 100_000
    data = body + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(body), 0, 0)
    started = time.monotonic()
    problem = only_problem(hand_in("eve.zip", data))
    assert problem.startswith(f"eve.zip holds more than {MAX_MEMBERS:,} files")
    assert time.monotonic() - started < 5


def test_terminal_escapes_in_a_member_name_are_not_passed_on(hand_in, make_zip):
    found = hand_in("eve.zip", make_zip(("\x1b[31m\u202ered.py", b"x")))
    assert all(text.isprintable() for text in (*found.notes, *found.problems))
