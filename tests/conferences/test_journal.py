"""The journal's file: its content, the files it refuses, and its state after a crash."""

import contextlib
import os
import stat

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.full_disk import full_disk
from support.strategies import USUALLY

from webrtc_async import Conference, Journal, JournalError, Member, Participant, Resource, Session
from webrtc_async.conferences.journal import LIFETIME

TOKEN = "eyJ-token-of-a"
CONFERENCE = Conference(
    key="k",
    session=Session(id="s-1"),
    members=(Member(name="a", participant=Participant(id="p-1"), token=TOKEN),),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "set-ups.jsonl"


def keys_in(path):
    """Return the keys in a journal."""
    with contextlib.closing(Journal(path).open("1")) as journal:
        return journal.keys


async def write_some(path, **settings):
    """Write one finished plan and one unfinished plan."""
    journal = Journal(path, **settings).open("1")
    await journal.begin("k")
    for created in CONFERENCE.resources:
        await journal.record("k", created)
    await journal.finish(CONFERENCE)
    await journal.begin("cut")
    await journal.record("cut", Resource("session", "s-2"))
    await journal.record("cut", Resource("participant", "p-2", "b"))
    journal.close()


@pytest.mark.parametrize("fsync", [False, True])
@pytest.mark.parametrize("keep_tokens", [False, True])
@pytest.mark.anyio
async def test_a_journal_is_read_back(path, fsync, keep_tokens):
    """A journal lists finished and unfinished plans, and tokens only if asked."""
    await write_some(path, fsync=fsync, keep_tokens=keep_tokens)
    journal = Journal(path).open("1")
    known = journal.finished("k")
    assert known is not None
    assert known.resources == CONFERENCE.resources
    assert known["a"].token == (TOKEN if keep_tokens else "")
    assert (TOKEN in path.read_text()) is keep_tokens
    assert journal.unfinished("cut") == (
        Resource("session", "s-2"),
        Resource("participant", "p-2", "b"),
    )
    assert journal.keys == ("cut", "k")
    assert journal.finished("cut") is None
    await journal.forget("k")
    journal.close()
    assert keys_in(path) == ("cut",)


@pytest.mark.anyio
async def test_only_its_owner_may_read_it(path):
    """Only the owner may read the file, because it may hold tokens."""
    await write_some(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o666, 0o640, 0o604])
@pytest.mark.anyio
async def test_a_file_that_others_could_read_becomes_private(path, mode):
    """A journal in a file that existed is as private as a new one, before a token is written."""
    path.touch()
    path.chmod(mode)
    await write_some(path, keep_tokens=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TOKEN in path.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("mode", [0o600, 0o666])
@pytest.mark.anyio
async def test_no_token_is_written_to_the_file_of_another_user(path, mode):
    """Another user's file gets no tokens, because its owner can always read it."""
    path.touch()
    path.chmod(mode)
    os.chown(path, 65534, 65534)
    with pytest.raises(JournalError, match=r"another user can read .* leave out keep_tokens"):
        Journal(path, keep_tokens=True).open("1")
    assert path.read_bytes() == b""
    await write_some(path)
    assert TOKEN not in path.read_text()


@pytest.mark.anyio
async def test_expired_conferences_are_forgotten(path):
    """After nine hours the service has deleted the session, so its plan is set up again."""
    await write_some(path, clock=lambda: 1000.0)
    journal = Journal(path, clock=lambda: 1000.0 + LIFETIME - 1).open("1")
    assert journal.finished("k") is not None
    journal.close()
    journal = Journal(path, clock=lambda: 1000.0 + LIFETIME).open("1")
    assert journal.finished("k") is None
    journal.close()


@pytest.mark.anyio
async def test_a_line_that_a_crash_cut_short_is_dropped(path):
    """A crash at any byte of the file loses nothing but the line that it cut."""
    await write_some(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        journal = Journal(path).open("1")
        lines = whole[:length].count(b"\n")
        assert (journal.finished("k") is not None) == (lines >= 5)
        assert len(journal.unfinished("cut")) == max(lines - 6, 0)
        await journal.begin("next")
        journal.close()
        assert "next" in keys_in(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b'{"journal":1,"account":"2"}\n',
            "belongs to account '2', but the client's account is '1'",
        ),
        (b'{"plan":"k","begun":1}\n', "is not the first line of a journal"),
        (b"id,name\n", "line 1 of the journal .* cannot be read"),
        (b'{"journal":2,"account":"1"}\n', "is not the first line of a journal"),
        (b'{"journal":1,"account":"1"}\n{}\n', "line 2 .* is of an unknown kind"),
        (b'{"journal":1,"account":"1"}\n{"plan":"k","colour":1}\n', "line 2 .* no field 'colour'"),
        (b'{"journal":1,"account":"1"}\n{"plan":\n{}\n', "line 2 .* cannot be read"),
        (b'{"journal":1,"account":"1"}\n\xff\n', "line 2 .* cannot be read"),
    ],
)
@pytest.mark.anyio
async def test_a_file_that_is_not_the_account_s_journal_is_refused(path, content, said):
    """Another account's journal, another file or a broken line is refused and not changed."""
    path.write_bytes(content)
    with pytest.raises(JournalError, match=said):
        Journal(path).open("1")
    assert path.read_bytes() == content


@pytest.mark.anyio
async def test_a_line_without_a_conference_is_refused(path):
    """A finished line is only parsed, and refused, when its conference is asked for."""
    path.write_bytes(
        b'{"journal":1,"account":"1"}\n{"plan":"k","done":9e9,"conference":{}}\n'
        b'{"plan":"m","done":9e9,"conference":{"session":"s","members":{}}}\n'
    )
    journal = Journal(path).open("1")
    for key in ("k", "m"):
        with pytest.raises(JournalError, match="does not describe a conference"):
            journal.finished(key)
    journal.close()


@pytest.mark.anyio
async def test_a_path_that_cannot_be_used_is_refused(tmp_path):
    """A directory, or a file in a missing one, is refused with the system's reason."""
    with pytest.raises(JournalError, match="cannot be opened: Is a directory"):
        Journal(tmp_path).open("1")
    with pytest.raises(JournalError, match="cannot be opened: No such file"):
        Journal(tmp_path / "none" / "j").open("1")


@pytest.mark.anyio
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
async def test_a_device_is_refused(device):
    """A device, which may have no end, is refused before it is read."""
    with pytest.raises(JournalError, match="not a regular file"):
        Journal(device).open("1")


@pytest.mark.anyio
async def test_a_journal_has_one_user_at_a_time(path):
    """A second user is refused, because both would set up the same plans."""
    journal = Journal(path).open("1")
    with pytest.raises(JournalError, match="in use"):
        journal.open("1")
    with pytest.raises(JournalError, match="in use by another process"):
        Journal(path).open("1")
    journal.close()
    journal.close()
    Journal(path).open("1").close()


@pytest.mark.anyio
async def test_a_closed_journal_is_not_written(path):
    """A closed journal refuses to begin a plan."""
    journal = Journal(path).open("1")
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        await journal.begin("k")


@pytest.mark.anyio
async def test_a_full_disk_leaves_complete_lines(path):
    """A line that does not fit is not written in part, and the error says that work stops."""
    for room in range(200, 240):
        path.unlink(missing_ok=True)
        begun = 0
        with contextlib.closing(Journal(path, clock=lambda: 1.0).open("1")) as journal:
            try:
                with full_disk(path, room - path.stat().st_size):
                    while True:
                        await journal.begin(f"plan-{begun}")
                        begun += 1
            except JournalError as error:
                said = str(error)
        assert "cannot be written: " in said
        assert said.endswith(
            "Nothing more is started. Make it writable, then repeat the call to continue."
        )
        assert path.read_bytes().endswith(b"\n")
        assert len(keys_in(path)) == begun > 1


@pytest.mark.anyio
async def test_concurrent_lines_share_an_fsync(path):
    """Many concurrent lines are all on the disk when their writers continue."""
    with contextlib.closing(Journal(path, fsync=True).open("1")) as journal:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(journal.begin, str(number))
    assert set(keys_in(path)) == {str(number) for number in range(20)}


@pytest.mark.anyio
async def test_a_failing_disk_is_an_error(path):
    """A failing fsync raises JournalError."""
    reading, writing = os.pipe()
    journal = Journal(path, fsync=True).open("1")
    os.dup2(writing, journal._file)  # a pipe takes lines, but has no fsync
    with pytest.raises(JournalError, match=r"cannot be written: .*Nothing more is started"):
        await journal.begin("k")
    journal.close()
    os.close(reading)
    os.close(writing)


@pytest.mark.anyio
async def test_a_truncated_file_is_an_error(path):
    """Reading a line that was cut out of the open file raises JournalError."""
    await write_some(path)
    with contextlib.closing(Journal(path).open("1")) as journal:
        os.truncate(path, 40)
        with pytest.raises(JournalError, match="cannot be read"):
            journal.finished("k")


@USUALLY
@given(st.lists(st.text(max_size=20), unique=True, max_size=5))
def test_any_key_is_read_back(tmp_path_factory, keys):
    """Keys of any characters, including line breaks, are read back."""

    async def write() -> None:
        path = tmp_path_factory.mktemp("journal") / "j"
        journal = Journal(path).open("1")
        for key in keys:
            await journal.begin(key)
        journal.close()
        assert keys_in(path) == tuple(keys)

    anyio.run(write)
