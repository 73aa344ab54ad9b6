"""The emulator: requests in, responses out, no I/O."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from webrtc_async._protocol.route import Route
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.core.clock import EmulatorClock
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.core.resources import Resources
from webrtc_async.emulator.core.service import BASE_PATH, Service
from webrtc_async.emulator.core.state import orphans, subscribed_to
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.emulator.faults.armed import Faults
from webrtc_async.emulator.faults.reply import Reply
from webrtc_async.emulator.records.exchanges import Exchange, Exchanges
from webrtc_async.emulator.records.overview import overview
from webrtc_async.emulator.records.seen_requests import SeenRequests
from webrtc_async.emulator.records.verification import ANY_JSON, check_requested
from webrtc_async.emulator.request_handler import RequestHandler
from webrtc_async.emulator.webhooks.devices import Devices, end_device
from webrtc_async.emulator.webhooks.queue import Webhooks

DEFAULT_ACCOUNT: Final = "9900000"
"""Id of the account of an emulator made without `accounts`."""


class Emulator:
    """An emulator of the service, in memory.

    It checks credentials and keeps sessions, participants and subscriptions, which expire after
    nine hours. It has no media and no signalling, and no media server accepts its device tokens.
    Where the service's behaviour is not public, a switch decides. Threads may share an emulator.

    Attributes:
        base_path: Prefix of the API's paths.
        accounts: Credentials by account id.
        clock: Its time; `clock.advance(hours=9)` moves it ahead.
        webhooks: The queue of webhooks, and a log of the last ones.
        resources: Deletes sessions and participants, and issues device tokens.
        devices: The participants' devices, whose events are queued as webhooks.
        faults: The armed fault rules.
        exchanges: A log of the last requests and their responses.
    """

    base_path: Final = BASE_PATH

    def __init__(
        self,
        *,
        accounts: Mapping[str, Credentials] | None = None,
        clock: Callable[[], float] | None = None,
        seed: int | None = None,
        switches: Switches | None = None,
        fault_header: bool = False,
    ) -> None:
        """Make an emulator without sessions and participants.

        Args:
            accounts: Credentials by account id; by default one account, "9900000", with the
                default `Credentials`.
            clock: Returns the seconds since 1970; by default the machine's clock.
            seed: Makes ids and tokens repeatable for the same sequence of requests.
            switches: Initial switches, for behaviour of the service that is not public.
            fault_header: True if a request may carry a fault rule of its own, as JSON in the
                header X-Emulator-Fault.
        """
        self.accounts: Final[Mapping[str, Credentials]] = (
            {DEFAULT_ACCOUNT: Credentials()} if accounts is None else dict(accounts)
        )
        self.clock: EmulatorClock = EmulatorClock(clock)
        self._lock = threading.Lock()
        self.webhooks: Webhooks = Webhooks(clock=self.clock)
        self._service = Service(
            self.accounts,
            clock=self.clock,
            seed=seed,
            switches=switches or Switches(),
            on_delete=partial(end_device, self.webhooks),
        )
        self.resources: Resources = Resources(self._service, lock=self._lock)
        self.devices: Devices = Devices(
            find=self._service.participant,
            lock=self._lock,
            webhooks=self.webhooks,
            new_id=self._service.new_device_id,
        )
        self.faults: Faults = Faults(clock=self.clock)
        self.exchanges: Exchanges = Exchanges()
        self._seen_requests = SeenRequests()
        self._requests = RequestHandler(
            self._service,
            lock=self._lock,
            clock=self.clock,
            faults=self.faults,
            exchanges=self.exchanges,
            seen_requests=self._seen_requests,
            fault_header=fault_header,
        )

    def reset(self) -> None:
        """Return to the initial state, time and switches; drop access tokens, faults and logs."""
        with self._lock:
            self.clock.set_ahead(0)
            self._service.reset()
            self._seen_requests.clear()
        self.webhooks.clear()
        self.faults.clear()
        self.exchanges.clear()

    def snapshot(self) -> dict[str, object]:
        """Return the state as JSON values, for `restore`.

        It holds all but credentials, access tokens, webhooks, faults and past requests.
        """
        with self._lock:
            return self._service.snapshot()

    def restore(self, snapshot: object) -> None:
        """Restore the state of a snapshot of this or another emulator.

        Like `reset`, it rejects access tokens issued so far and drops webhooks.

        Args:
            snapshot: A return value of `snapshot`, also after a round trip through JSON.

        Raises:
            ValueError: It is not a snapshot or has other accounts; nothing has changed. The text
                names the field.
        """
        with self._lock:
            self._service.restore(snapshot)
        self.webhooks.clear()

    @property
    def switches(self) -> Switches:
        """The switches for behaviour that is not public; they can be set at any time."""
        return self._service.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self._lock:
            self._service.switches = switches

    def set_switches(self, **values: object) -> None:
        """Set some switches; the others keep their values.

        Args:
            values: Values by name; text such as "true" or "204" is accepted.

        Raises:
            SwitchError: A name or a value is unknown; no switch has changed.
        """
        with self._lock:
            self._service.switches = self._service.switches.with_values(values)

    @property
    def requests_handled(self) -> int:
        """Number of requests since the last reset, including refused ones."""
        return self.exchanges.count

    def session_ids(self, account_id: str) -> tuple[str, ...]:
        """Return the ids of an account's sessions, oldest first.

        Raises:
            KeyError: The account does not exist.
        """
        with self._lock:
            return tuple(self._service.state(account_id).sessions)

    def participant_ids(self, account_id: str) -> tuple[str, ...]:
        """Return the ids of an account's participants, in sessions or not, oldest first.

        Raises:
            KeyError: The account does not exist.
        """
        with self._lock:
            return tuple(self._service.state(account_id).participants)

    def subscribed_to(self, account_id: str, session_id: str) -> dict[str, frozenset[str]]:
        """Return, for each participant of a session, the participants that it receives.

        A subscription to a participant that is not in the session does not count.

        Raises:
            KeyError: The account or session does not exist.
        """
        with self._lock:
            return subscribed_to(self._service.state(account_id).sessions[session_id])

    def revoke_access_tokens(self) -> None:
        """Reject every access token issued so far with a 401."""
        with self._lock:
            self._service.revoke_access_tokens()

    def overview(self) -> dict[str, object]:
        """Return the state and the last events as JSON values, without secrets."""
        with self._lock:
            return overview(
                self._service.states(),
                now=self.clock(),
                requests=self.exchanges.count,
                exchanges=self.exchanges,
                faults=self.faults,
                webhooks=self.webhooks,
                webhook_count=self.webhooks.count,
                switches=self._service.switches.as_dict(),
            )

    def requests(self, route: Route[Any, Any] | str) -> int:
        """Return the number of requests for a route, including refused and faulty ones.

        Args:
            route: The route or the name of its operation.

        Raises:
            ValueError: The operation does not exist.
        """
        return self.exchanges.count_of(route.operation if isinstance(route, Route) else route)

    def requests_of(self, route: Route[Any, Any] | str) -> tuple[Exchange, ...]:
        """Return a route's requests among the last 200 of all routes, oldest first.

        Each has its body in `json`, and headers and answer in `request` and `response`.

        Args:
            route: The route or the name of its operation.

        Raises:
            ValueError: The operation does not exist.
        """
        return self.exchanges.of(route.operation if isinstance(route, Route) else route)

    def assert_requested(
        self,
        route: Route[Any, Any] | str,
        *,
        times: int | None = None,
        json: object = ANY_JSON,
    ) -> None:
        """Check that a route was requested, among the last 200 requests of all routes.

        Args:
            route: The route or the name of its operation.
            times: The exact number of requests; at least one by default.
            json: The body, as JSON values, that a request must have to count; None for no body.

        Raises:
            AssertionError: Another number of requests counts; the text lists the last ones.
            ValueError: The operation does not exist.
        """
        operation = route.operation if isinstance(route, Route) else route
        check_requested(self.requests_of(operation), operation, times=times, json=json)

    def assert_no_orphans(self) -> None:
        """Check that no account has a session or participant.

        Raises:
            AssertionError: Some exist; the text lists them.
        """
        with self._lock:
            states = self._service.states().items()
            found = [each for account_id, state in states for each in orphans(state, account_id)]
        if found:
            raise AssertionError("\n".join([f"{len(found)} not deleted:", *found]))

    def saw_secret(self, canary: str) -> bool:
        """Return True if a request carried a secret anywhere but in Authorization.

        It searches paths, queries, bodies and all other headers for the text as it is,
        percent-encoded, JSON-escaped and in base64.

        Raises:
            ValueError: The secret has fewer than 4 characters.
            LookupError: It was not found, but requests beyond the last 16 MiB are not kept.
        """
        with self._lock:
            return self._seen_requests.contain(canary)

    def handle(self, request: WireRequest) -> WireResponse:
        """Return the service's response to a request; fault rules do not apply.

        Args:
            request: The request; its target is a percent-encoded URL or absolute path.
        """
        response = self._requests.reply_to(request, can_fail=False).response
        assert response is not None  # noqa: S101  # only a fault removes the response
        return response

    def reply_to(self, request: WireRequest) -> Reply:
        """Return the response to a request, and the fault to send it with, if any.

        Args:
            request: The request; its target is a percent-encoded URL or absolute path.
        """
        return self._requests.reply_to(request, can_fail=True)
