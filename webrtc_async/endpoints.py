"""The eleven operations, one coroutine function for each row of the route table.

`@endpoint(ROUTE)` makes the function from the declared signature; a signature that disagrees with
its row fails at import. The account is the client's. One id may be positional; two ids are
keyword-only, because swapped ids would do something else without an error.

Every operation raises `ApiError` if the service rejects the call, `TransportError` if no complete
response arrived, `UnexpectedResponseError` if the response does not fit its model, and
`InvalidArgumentError` before anything is sent. The docstrings name the other errors to handle.
"""

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from typing import Any

from webrtc_async import route_table
from webrtc_async._protocol.endpoint import endpoint
from webrtc_async._protocol.route import Route
from webrtc_async.models import AccountsParticipantsResponse, Participant, Session, Subscriptions


class Endpoints(ABC):
    """The operations of the API; a subclass makes the calls."""

    @endpoint(route_table.CREATE_PARTICIPANT)
    async def create_participant(
        self, participant: Participant | None = None
    ) -> AccountsParticipantsResponse:
        """Create a participant and the token that its device connects with.

        Only this response has the token. A create whose response is lost is not repeated, because
        that could create a second participant.

        Args:
            participant: Its publish permissions, tag and callback URL, which cannot change later.

        Raises:
            UnknownOutcomeError: The response was lost; the participant may exist.
        """
        ...

    @endpoint(route_table.GET_PARTICIPANT)
    async def get_participant(self, participant_id: str) -> Participant:
        """Get a participant.

        Args:
            participant_id: The participant.

        Raises:
            NotFoundError: The participant does not exist or is no longer active.
        """
        ...

    @endpoint(route_table.DELETE_PARTICIPANT)
    async def delete_participant(self, participant_id: str) -> None:
        """Delete a participant.

        Args:
            participant_id: The participant.

        Raises:
            NotFoundError: The participant does not exist. The service deletes participants that
                lose their connection, so there is often nothing left to do.
        """
        ...

    @endpoint(route_table.CREATE_SESSION)
    async def create_session(self, session: Session | None = None) -> Session:
        """Create a session.

        A create whose response is lost is not repeated, because that could create a second session.

        Args:
            session: Its tag, which cannot change later.

        Raises:
            UnknownOutcomeError: The response was lost; the session may exist.
        """
        ...

    @endpoint(route_table.GET_SESSION)
    async def get_session(self, session_id: str) -> Session:
        """Get a session.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: The session does not exist or is over nine hours old.
        """
        ...

    @endpoint(route_table.DELETE_SESSION)
    async def delete_session(self, session_id: str) -> None:
        """Delete a session and the subscriptions in it.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: The session does not exist or is over nine hours old.
        """
        ...

    @endpoint(route_table.LIST_SESSION_PARTICIPANTS)
    async def list_session_participants(self, session_id: str) -> list[Participant]:
        """List the participants in a session; an empty session returns an empty list.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: The session does not exist.
        """
        ...

    @endpoint(route_table.ADD_PARTICIPANT_TO_SESSION)
    async def add_participant_to_session(
        self, *, session_id: str, participant_id: str, subscriptions: Subscriptions | None = None
    ) -> None:
        """Add a participant to a session, with its subscriptions if they are given.

        Args:
            session_id: The session to join, of at most 20 participants.
            participant_id: The participant, which can be in at most one session.
            subscriptions: The participants to receive; None for nobody.

        Raises:
            NotFoundError: The session or the participant does not exist.
            ConflictError: The participant is in another session, or the session is full.
        """
        ...

    @endpoint(route_table.REMOVE_PARTICIPANT_FROM_SESSION)
    async def remove_participant_from_session(
        self, *, session_id: str, participant_id: str
    ) -> None:
        """Remove a participant and its subscriptions from a session.

        Args:
            session_id: The session to leave.
            participant_id: The participant, which continues to exist.

        Raises:
            NotFoundError: The session or the participant does not exist, or it is not a member.
        """
        ...

    @endpoint(route_table.GET_PARTICIPANT_SUBSCRIPTIONS)
    async def get_participant_subscriptions(
        self, *, session_id: str, participant_id: str
    ) -> Subscriptions:
        """Get a participant's subscriptions, `Subscriptions.nothing()` if there are none.

        Args:
            session_id: The session.
            participant_id: The participant that receives.

        Raises:
            NotFoundError: The session or the participant does not exist.
        """
        ...

    @endpoint(route_table.UPDATE_PARTICIPANT_SUBSCRIPTIONS)
    async def update_participant_subscriptions(
        self, *, session_id: str, participant_id: str, subscriptions: Subscriptions | None = None
    ) -> None:
        """Replace all subscriptions of a participant.

        Args:
            session_id: The session.
            participant_id: The participant that receives.
            subscriptions: The participants to receive; None for nobody.

        Raises:
            NotFoundError: The session or the participant does not exist.
        """
        ...

    @abstractmethod
    def call(
        self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
    ) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that makes the call and returns its result."""
