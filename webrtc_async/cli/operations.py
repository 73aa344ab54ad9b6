"""The eleven operations as commands, for the account of the BW_ variables."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

import anyio
import click

from webrtc_async import (
    AccountsParticipantsResponse,
    AsyncWebRtcClient,
    Participant,
    PublishPermission,
    Session,
    Subscriptions,
    WebRtcError,
)
from webrtc_async.cli.failure import EXIT_CODES, failure
from webrtc_async.cli.printer import Printer

ResultT = TypeVar("ResultT")
Call = Callable[[AsyncWebRtcClient], Awaitable[ResultT]]

_session_id_option = click.option(
    "--session", "session_id", required=True, metavar="SESSION_ID", help="The session."
)


def perform(call: Call[ResultT]) -> ResultT:
    """Run a call on a client that is made from the environment, and return its result.

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
    """Add the options that every operation has to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


@click.group(epilog=EXIT_CODES)
def session() -> None:
    """Create, show and delete sessions."""


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
    """Create, show and delete participants; add them to sessions and remove them."""


@participant.command("create")
@click.option("--tag", help="Your own label, at most 50 characters.")
@click.option("--callback-url", help="URL for the events of its device.")
@click.option(
    "--publish",
    multiple=True,
    type=click.Choice([each.value for each in PublishPermission], case_sensitive=False),
    help="Permission to publish; repeatable. Without it, the service decides.",
)
@click.option(
    "--show-token",
    is_flag=True,
    help="Print the device token. It is a secret, and the service gives it only once.",
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
    """Add the options for a session and for a participant's subscriptions to a command.

    The command gets the subscriptions as `chosen`, or None if no option was given.
    """

    @wraps(command)
    def choose(
        *, session_id: str, everyone: bool, only: tuple[str, ...], nothing: bool, **others: Any
    ) -> None:
        chosen = _subscriptions(session_id, everyone, only, nothing)
        command(session_id=session_id, chosen=chosen, **others)

    chosen_by: Callable[..., Any] = choose
    for option in (
        click.option("--nothing", is_flag=True, help="Receive nobody."),
        click.option(
            "--only", multiple=True, metavar="ID", help="Receive this participant; repeatable."
        ),
        click.option("--everyone", is_flag=True, help="Receive everyone in the session."),
        _session_id_option,
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
    """Add a participant to a session.

    It receives nobody, unless an option says otherwise.
    """
    perform(
        lambda client: client.add_participant_to_session(
            session_id=session_id, participant_id=participant_id, subscriptions=chosen
        )
    )
    Printer(as_json).done(f"Participant {participant_id} is in session {session_id}.")


@participant.command("remove")
@click.argument("participant_id")
@_session_id_option
@options
def remove_participant_from_session(participant_id: str, session_id: str, as_json: bool) -> None:
    """Remove a participant from a session."""
    perform(
        lambda client: client.remove_participant_from_session(
            session_id=session_id, participant_id=participant_id
        )
    )
    Printer(as_json).done(f"Participant {participant_id} is not in session {session_id} any more.")


@click.group(epilog=EXIT_CODES)
def subscriptions() -> None:
    """Show and replace the subscriptions of a participant."""


@subscriptions.command("get")
@click.argument("participant_id")
@_session_id_option
@options
def get_participant_subscriptions(participant_id: str, session_id: str, as_json: bool) -> None:
    """Show the subscriptions of a participant."""
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
    """Replace the subscriptions of a participant by --everyone, --only or --nothing."""
    if chosen is None:
        raise click.UsageError("Choose one of --everyone, --only ID and --nothing.")
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
        raise click.UsageError("Choose only one of --everyone, --only and --nothing.")
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
