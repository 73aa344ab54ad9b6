"""The eleven operations as coroutine functions, declared here and carried out by their routes.

`@endpoint(ROUTE)` over a declared signature makes the function; a signature that disagrees with its
route fails while this module is imported. The account is the client's. One id may be given by
position; two ids are given by name, because swapped ones would do something else without an error.

Every operation raises `ApiError` when the service refuses, `TransportError` when no complete answer
came, `UnexpectedResponseError` when the answer does not fit, and `InvalidArgumentError` before
anything is sent. Each docstring names only what else a caller would catch by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from webrtc_async import route_table
from webrtc_async._protocol.route import Route
from webrtc_async.models import AccountsParticipantsResponse, Participant, Session, Subscriptions


class Caller(Protocol):
    """What can carry out a call."""

    def call(
        self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
    ) -> Coroutine[Any, Any, Any]:
        """Return what carries out a call and returns its result."""
        ...


CallerT = TypeVar("CallerT", bound=Caller)
P = ParamSpec("P")
ResultT = TypeVar("ResultT")
Declared = Callable[Concatenate[CallerT, P], Coroutine[Any, Any, ResultT]]


def endpoint(
    route: Route[Any, ResultT],
) -> Callable[[Declared[CallerT, P, ResultT]], Declared[CallerT, P, ResultT]]:
    """Make a declared signature the coroutine function that calls a route.

    Raises:
        RouteMismatchError: The signature disagrees with the route.
    """

    def build(declared: Declared[CallerT, P, ResultT]) -> Declared[CallerT, P, ResultT]:
        names, shape = route.check_fits(declared), signature(declared)
        required, known = frozenset(route.caller_names), frozenset(names)
        # Two ids are keyword-only, so then nothing is taken by position.
        by_position = names if len(required) < 2 else ()
        body_name = names[-1] if route.takes_body else ""

        def refuse(*args: object, **kwargs: object) -> None:
            if len(args) > 1 and not by_position:
                by_name = ", ".join(f"{name}=…" for name in names)
                raise TypeError(
                    f"too many positional arguments: write {declared.__name__}({by_name})"
                )
            shape.bind(*args, **kwargs)  # words the TypeError of a plain call

        @wraps(declared)
        async def call(self: CallerT, /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
            given: dict[str, object] = dict(zip(by_position, args, strict=False)) | kwargs
            if len(given) != len(args) + len(kwargs) or not required <= given.keys() <= known:
                refuse(self, *args, **kwargs)
            body = given.pop(body_name, None)
            result: ResultT = await self.call(route, given, body)
            return result

        return call

    return build


class Endpoints(ABC):
    """The operations; `call` carries them out."""

    @abstractmethod
    def call(
        self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
    ) -> Coroutine[Any, Any, Any]:
        """Return what carries out a call and returns its result."""

    @endpoint(route_table.CREATE_PARTICIPANT)
    async def create_participant(
        self, participant: Participant | None = None
    ) -> AccountsParticipantsResponse:
        """Create a participant and the token that its device connects with.

        The token comes only here. A create whose answer is lost is not repeated, because that
        could make a second participant.

        Args:
            participant: What it may publish, its tag and its callback URL; they stay as created.

        Raises:
            UnknownOutcomeError: The answer was lost; the participant may exist.
        """
        ...

    @endpoint(route_table.GET_PARTICIPANT)
    async def get_participant(self, participant_id: str) -> Participant:
        """Get a participant.

        Args:
            participant_id: The participant.

        Raises:
            NotFoundError: There is none, or it is no longer active.
        """
        ...

    @endpoint(route_table.DELETE_PARTICIPANT)
    async def delete_participant(self, participant_id: str) -> None:
        """Delete a participant.

        Args:
            participant_id: The participant.

        Raises:
            NotFoundError: There is none; the service also deletes participants that lost their
                connection, so this is often as good as done.
        """
        ...

    @endpoint(route_table.CREATE_SESSION)
    async def create_session(self, session: Session | None = None) -> Session:
        """Create a session.

        A create whose answer is lost is not repeated, because that could make a second session.

        Args:
            session: Its tag, which stays as created.

        Raises:
            UnknownOutcomeError: The answer was lost; the session may exist.
        """
        ...

    @endpoint(route_table.GET_SESSION)
    async def get_session(self, session_id: str) -> Session:
        """Get a session.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: There is none, or it is over nine hours old.
        """
        ...

    @endpoint(route_table.DELETE_SESSION)
    async def delete_session(self, session_id: str) -> None:
        """Delete a session and the subscriptions in it.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: There is none, or it is over nine hours old.
        """
        ...

    @endpoint(route_table.LIST_SESSION_PARTICIPANTS)
    async def list_session_participants(self, session_id: str) -> list[Participant]:
        """List the participants in a session; an empty session gives an empty list.

        Args:
            session_id: The session.

        Raises:
            NotFoundError: There is no such session.
        """
        ...

    @endpoint(route_table.ADD_PARTICIPANT_TO_SESSION)
    async def add_participant_to_session(
        self, *, session_id: str, participant_id: str, subscriptions: Subscriptions | None = None
    ) -> None:
        """Add a participant to a session, with its subscriptions if they are given.

        Args:
            session_id: The session to join; it holds 20 participants at most.
            participant_id: Who joins; a participant is in one session at most.
            subscriptions: Whom the participant receives; without them, nobody.

        Raises:
            NotFoundError: There is no such session or participant.
            ConflictError: The participant is in another session, or the session is full.
        """
        ...

    @endpoint(route_table.REMOVE_PARTICIPANT_FROM_SESSION)
    async def remove_participant_from_session(
        self, *, session_id: str, participant_id: str
    ) -> None:
        """Remove a participant from a session, and with it the participant's subscriptions there.

        Args:
            session_id: The session to leave.
            participant_id: Who leaves; the participant itself stays.

        Raises:
            NotFoundError: There is no such session or participant, or it is not in there.
        """
        ...

    @endpoint(route_table.GET_PARTICIPANT_SUBSCRIPTIONS)
    async def get_participant_subscriptions(
        self, *, session_id: str, participant_id: str
    ) -> Subscriptions:
        """Get whom a participant receives; without subscriptions this is `Subscriptions.nothing()`.

        Args:
            session_id: The session.
            participant_id: Who receives.

        Raises:
            NotFoundError: There is no such session or participant.
        """
        ...

    @endpoint(route_table.UPDATE_PARTICIPANT_SUBSCRIPTIONS)
    async def update_participant_subscriptions(
        self, *, session_id: str, participant_id: str, subscriptions: Subscriptions | None = None
    ) -> None:
        """Replace whom a participant receives; nothing of what was there is kept.

        Args:
            session_id: The session.
            participant_id: Who receives.
            subscriptions: The new subscriptions; without them, the participant receives nobody.

        Raises:
            NotFoundError: There is no such session or participant.
        """
        ...
