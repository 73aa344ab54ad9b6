"""One request's way through the emulator: fault rules, the service's rules, the log."""

import threading
import time

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.core.clock import EmulatorClock
from webrtc_async.emulator.core.handler_table import Match
from webrtc_async.emulator.core.operations import Account
from webrtc_async.emulator.core.refusal import Refusal, bad_request
from webrtc_async.emulator.core.service import Service, operation_of, path_of
from webrtc_async.emulator.faults.armed import Faults
from webrtc_async.emulator.faults.armed_fault import ArmedFault, TriggeredFault
from webrtc_async.emulator.faults.header import FAULT_HEADER, read_fault_header
from webrtc_async.emulator.faults.reply import Reply, json_response
from webrtc_async.emulator.faults.response import fault_response
from webrtc_async.emulator.records.exchanges import Exchanges
from webrtc_async.emulator.records.seen_requests import SeenRequests


class RequestHandler:
    """Handles the requests of an emulator, one at a time.

    Args:
        service: The service's rules and state.
        lock: Guards the service and the requests seen.
        clock: The emulator's time.
        faults: The armed fault rules.
        exchanges: The log of exchanges.
        seen_requests: The requests in which tests search for secrets.
        fault_header: True if a request may carry a fault rule of its own.
    """

    def __init__(
        self,
        service: Service,
        *,
        lock: threading.Lock,
        clock: EmulatorClock,
        faults: Faults,
        exchanges: Exchanges,
        seen_requests: SeenRequests,
        fault_header: bool,
    ) -> None:
        self._service = service
        self._lock = lock
        self._clock = clock
        self._faults = faults
        self._exchanges = exchanges
        self._seen_requests = seen_requests
        self._accepts_fault_header = fault_header

    def reply_to(self, request: WireRequest, *, can_fail: bool) -> Reply:
        """Return the response to a request, and the fault to send it with, if any.

        Args:
            request: The request; its target is a percent-encoded URL or absolute path.
            can_fail: True if fault rules apply.
        """
        began = time.perf_counter()
        path = path_of(request.target)
        with self._lock:
            self._seen_requests.keep(request)
            request_id = self._service.new_request_id()
            match = self._service.match(request.method, path)
            operation = operation_of(request.method, path, match)
            fault: TriggeredFault | None = None
            response: WireResponse | None = None
            try:
                fault = self._trigger_fault(request, operation, match) if can_fail else None
                if fault is None or fault.rule.acts:
                    status, body = self._service.respond(request, path, match)
                    response = json_response(request_id, status, body)
                elif fault.status is not None:
                    response = fault_response(fault, request_id)
            except Refusal as refusal:
                body = self._service.refusal_body(refusal, request_id)
                response = json_response(request_id, refusal.status, body)
        rule = None if fault is None else fault.rule
        shown = None if rule is not None and rule.hides_response else response
        self._exchanges.add(
            at=self._clock(),
            method=request.method,
            target=path,
            operation=operation,
            status=None if shown is None else shown.status,
            seconds=time.perf_counter() - began + (0 if fault is None else fault.seconds),
            fault=None if fault is None else fault.text,
            request=request,
            response=shown,
        )
        return Reply(response) if fault is None else Reply(response, fault.to_send, fault.delay)

    def _trigger_fault(
        self, request: WireRequest, operation: str | None, match: Match[Account] | None
    ) -> TriggeredFault | None:
        if self._accepts_fault_header:
            try:
                rule = read_fault_header(request.headers)
            except ValueError as error:
                raise bad_request(f"{FAULT_HEADER}: {error}") from None
            if rule is not None:
                return ArmedFault(number=0, rule=rule).trigger_now(self._clock())
        if not len(self._faults):
            return None
        return self._faults.trigger(self._service.subject_of(request, operation, match))
