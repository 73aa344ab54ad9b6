"""Sessions and participants as a person or a test changes them, without the API's credentials."""

import threading
from typing import Literal

from webrtc_async.emulator.core.operations import Account
from webrtc_async.emulator.core.service import Service


class Resources:
    """The sessions and participants of all accounts of an emulator. Threads may share it.

    Args:
        service: The service's rules and state.
        lock: Guards the service.
    """

    def __init__(self, service: Service, *, lock: threading.Lock) -> None:
        self._service = service
        self._lock = lock

    def delete_session(self, session_id: str) -> None:
        """Delete a session as the service does; a switch decides about its participants.

        Raises:
            LookupError: The session does not exist.
        """
        with self._lock:
            self._account_with("session", session_id).delete_session(session_id)

    def delete_participant(self, participant_id: str) -> None:
        """Delete a participant as the service does; a connected device ends with an `onLeave`.

        Raises:
            LookupError: The participant does not exist.
        """
        with self._lock:
            self._account_with("participant", participant_id).delete_participant(participant_id)

    def issue_token(self, participant_id: str) -> str:
        """Return a new device token for a participant; earlier ones stay valid.

        Raises:
            LookupError: The participant does not exist.
        """
        with self._lock:
            account = self._account_with("participant", participant_id)
            participant = account.state.participant(participant_id)
            return account.device_tokens.issue(account.id, participant)

    def _account_with(self, kind: Literal["session", "participant"], resource_id: str) -> Account:
        for account in self._service.accounts():
            state = account.state
            if resource_id in (state.sessions if kind == "session" else state.participants):
                return account
        raise LookupError(f"the {kind} does not exist or was deleted")
