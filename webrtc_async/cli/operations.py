"""The eleven operations as commands, on the account of the BW_ variables."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Final, TypeVar

import anyio
import click

from webrtc_async import (
    AccountsParticipantsResponse,
    AsyncWebRtcClient,
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    Outcome,
    Participant,
    PublishPermission,
    Session,
    Subscriptions,
    WebRtcError,
)
from webrtc_async.cli.printer import Printer

ResultT = TypeVar("ResultT")
Call = Callable[[AsyncWebRtcClient], Awaitable[ResultT]]

EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused or failed; 2 wrong use, or a variable is missing; 3 the outcome "
    "is unknown, so it may have been done; 4 not found; 130 interrupted."
)

session_id_option = click.option(
    "--session", "session_id", required=True, metavar="SESSION_ID", help="The session."
)


class Failed(click.ClickException):
    """The service refused, or could not be reached."""

    exit_code = 1


class WrongUse(Failed):
    """Nothing was sent: an argument or a setting is wrong."""

    exit_code = 2


class UnknownOutcome(Failed):
    """The request was sent, and nobody knows what became of it."""

    exit_code = 3


class NotFound(Failed):
    """There is no such session or participant."""

    exit_code = 4


def failure(error: WebRtcError) -> Failed:
    """Return an error of the client as one line with the exit code of its kind."""
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        kind: type[Failed] = WrongUse
    elif isinstance(error, NotFoundError):
        kind = NotFound
    else:
        kind = UnknownOutcome if error.outcome is Outcome.UNKNOWN else Failed
    return kind(str(error))


def perform(call: Call[ResultT]) -> ResultT:
    """Return what a call gives, on a client of the environment's.

    Raises:
        Failed: The client could not be made, or the call failed.
    """

    async def run() -> ResultT:
        async with AsyncWebRtcClient.from_env() as client:
            return await call(client)

    try:
        return anyio.run(run)
    except WebRtcError as error:
        raise failure(error) from None


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that every operation has."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


@click.group(epilog=EXIT_CODES)
def session() -> None:
    """Create, look at and delete sessions."""


@session.command("create")
@click.option("--tag", help="Your own label, at most 50 characters.")
@options
def create_session(tag: str | None, as_json: bool) -> None:
    """Create a session."""
    created = perform(lambda client: client.create_session(Session(tag=tag) if tag else None))
    Printer(as_json).show(created)


@session.command("get")
@click.argument("session_id")
@options
def get_session(session_id: str, as_json: bool) -> None:
    """Show a session."""
    Printer(as_json).show(perform(lambda client: client.get_session(session_id)))


@session.command("delete")
@click.argument("session_id")
@options
def delete_session(session_id: str, as_json: bool) -> None:
    """Delete a session and the subscriptions in it."""
    perform(lambda client: client.delete_session(session_id))
    Printer(as_json).done(f"Session {session_id} is deleted.")


@session.command("participants")
@click.argument("session_id")
@options
def list_session_participants(session_id: str, as_json: bool) -> None:
    """List the participants in a session."""
    Printer(as_json).show(perform(lambda client: client.list_session_participants(session_id)))


@click.group(epilog=EXIT_CODES, short_help="Create, get, delete, add and remove participants.")
def participant() -> None:
    """Create, look at and delete participants, and let them join and leave."""


@participant.command("create")
@click.option("--tag", help="Your own label, at most 50 characters.")
@click.option("--callback-url", help="Where its device's events are posted.")
@click.option(
    "--publish",
    multiple=True,
    type=click.Choice([each.value for each in PublishPermission], case_sensitive=False),
    help="What it may publish; may be given twice. Left to the service unless given.",
)
@click.option(
    "--show-token",
    is_flag=True,
    help="Print the device token, which is given only now. It is a secret.",
)
@options
def create_participant(
    tag: str | None,
    callback_url: str | None,
    publish: tuple[str, ...],
    show_token: bool,
    as_json: bool,
) -> None:
    """Create a participant."""
    permissions = frozenset(PublishPermission(each) for each in publish) if publish else None
    wanted = Participant(tag=tag, callback_url=callback_url, publish_permissions=permissions)
    created: AccountsParticipantsResponse = perform(
        lambda client: client.create_participant(None if wanted == Participant() else wanted)
    )
    Printer(as_json).created(created, show_token=show_token)


@participant.command("get")
@click.argument("participant_id")
@options
def get_participant(participant_id: str, as_json: bool) -> None:
    """Show a participant."""
    Printer(as_json).show(perform(lambda client: client.get_participant(participant_id)))


@participant.command("delete")
@click.argument("participant_id")
@options
def delete_participant(participant_id: str, as_json: bool) -> None:
    """Delete a participant."""
    perform(lambda client: client.delete_participant(participant_id))
    Printer(as_json).done(f"Participant {participant_id} is deleted.")


def subscription_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the session, and the three ways to say whom a participant receives in it.

    The command gets what was said as `chosen`; None for nothing said.
    """

    @wraps(command)
    def choose(
        *, session_id: str, everyone: bool, only: tuple[str, ...], nothing: bool, **others: Any
    ) -> None:
        chosen = _subscriptions(session_id, everyone, only, nothing)
        command(session_id=session_id, chosen=chosen, **others)

    chosen_by: Callable[..., Any] = choose
    for option in (
        click.option("--nothing", is_flag=True, help="It receives nobody."),
        click.option("--only", multiple=True, metavar="ID", help="It receives these; repeatable."),
        click.option("--everyone", is_flag=True, help="It receives everyone in the session."),
        session_id_option,
    ):
        chosen_by = option(chosen_by)
    return chosen_by


@participant.command("add")
@click.argument("participant_id")
@subscription_options
@options
def add_participant_to_session(
    participant_id: str, session_id: str, chosen: Subscriptions | None, as_json: bool
) -> None:
    """Let a participant join a session; it receives nobody unless told otherwise."""
    perform(
        lambda client: client.add_participant_to_session(
            session_id=session_id, participant_id=participant_id, subscriptions=chosen
        )
    )
    Printer(as_json).done(f"Participant {participant_id} is in session {session_id}.")


@participant.command("remove")
@click.argument("participant_id")
@session_id_option
@options
def remove_participant_from_session(participant_id: str, session_id: str, as_json: bool) -> None:
    """Let a participant leave a session."""
    perform(
        lambda client: client.remove_participant_from_session(
            session_id=session_id, participant_id=participant_id
        )
    )
    Printer(as_json).done(f"Participant {participant_id} has left session {session_id}.")


@click.group(epilog=EXIT_CODES)
def subscriptions() -> None:
    """Look at and change whom a participant receives."""


@subscriptions.command("get")
@click.argument("participant_id")
@session_id_option
@options
def get_participant_subscriptions(participant_id: str, session_id: str, as_json: bool) -> None:
    """Show whom a participant receives."""
    found = perform(
        lambda client: client.get_participant_subscriptions(
            session_id=session_id, participant_id=participant_id
        )
    )
    Printer(as_json).show(found)


@subscriptions.command("set")
@click.argument("participant_id")
@subscription_options
@options
def update_participant_subscriptions(
    participant_id: str, session_id: str, chosen: Subscriptions | None, as_json: bool
) -> None:
    """Replace whom a participant receives: --everyone, --only or --nothing."""
    if chosen is None:
        raise click.UsageError("Say whom it receives: --everyone, --only ID or --nothing.")
    perform(
        lambda client: client.update_participant_subscriptions(
            session_id=session_id, participant_id=participant_id, subscriptions=chosen
        )
    )
    Printer(as_json).done(f"The subscriptions of participant {participant_id} are replaced.")


def _subscriptions(
    session_id: str, everyone: bool, only: tuple[str, ...], nothing: bool
) -> Subscriptions | None:
    if everyone + bool(only) + nothing > 1:
        raise click.UsageError("--everyone, --only and --nothing exclude each other.")
    build: Callable[[], Subscriptions] | None = None
    if everyone:
        build = partial(Subscriptions.everyone, session_id)
    elif only:
        build = partial(Subscriptions.only, only, session_id=session_id)
    elif nothing:
        build = Subscriptions.nothing
    try:
        return None if build is None else build()
    except WebRtcError as error:
        raise failure(error) from None
