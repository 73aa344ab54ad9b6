"""Devices that participants connect with: what a media server would see, done by hand."""

import threading
from collections.abc import Callable

from webrtc_async.emulator.core.state import ParticipantRecord
from webrtc_async.emulator.webhooks.queue import WebhookEvent, Webhooks

LONGEST_DEVICE_ID = 256
"""Characters that a device may call itself by."""


class DeviceError(ValueError):
    """A device cannot do that now; the text says why."""


class NoParticipantError(DeviceError):
    """There is no such participant, or no longer."""


class Devices:
    """The devices of an emulator's participants, each of which has one at most.

    What they do is posted to the participant's callback URL, if it has one. Threads may share it.

    Args:
        find: Returns a living participant of any account; called with the lock held.
        lock: Guards the participants.
        webhooks: Where events are queued.
        new_id: Makes up the id of a device that gives itself none.
    """

    def __init__(
        self,
        *,
        find: Callable[[str], ParticipantRecord | None],
        lock: threading.Lock,
        webhooks: Webhooks,
        new_id: Callable[[], str],
    ) -> None:
        self._find = find
        self._lock = lock
        self._webhooks = webhooks
        self._new_id = new_id

    def connect(self, participant_id: str, device_id: str | None = None) -> str:
        """Connect a participant's device: `onConnect`.

        Args:
            participant_id: The participant.
            device_id: What the device calls itself; made up if not given.

        Returns:
            The device's id.

        Raises:
            NoParticipantError: There is no such participant.
            DeviceError: It has a device already, or the id is empty or too long.
        """
        if device_id is not None and not 0 < len(device_id) <= LONGEST_DEVICE_ID:
            raise DeviceError(f"a device id has 1 to {LONGEST_DEVICE_ID} characters")
        with self._lock:
            participant = self._participant(participant_id)
            # inferred: one at a time, as a participant is one device's place.
            if participant.device_id is not None:
                raise DeviceError("the participant's device is connected already")
            participant.device_id = self._new_id() if device_id is None else device_id
            _queue(self._webhooks, WebhookEvent.CONNECT, participant, participant.device_id)
            return participant.device_id

    def lose(self, participant_id: str) -> None:
        """Lose the connection to a participant's device: `onDisconnect`.

        The participant stays, and its device may connect again.

        Raises:
            NoParticipantError: There is no such participant.
            DeviceError: It has no device.
        """
        # inferred: it stays, although the service is said to delete participants whose media is
        # lost, because nothing says after how long.
        self._disconnect(WebhookEvent.DISCONNECT, participant_id)

    def leave(self, participant_id: str) -> None:
        """Have a participant's device hang up: `onLeave`. The participant stays.

        Raises:
            NoParticipantError: There is no such participant.
            DeviceError: It has no device.
        """
        self._disconnect(WebhookEvent.LEAVE, participant_id)

    def _disconnect(self, event: WebhookEvent, participant_id: str) -> None:
        with self._lock:
            participant = self._participant(participant_id)
            if participant.device_id is None:
                raise DeviceError("the participant has no device that is connected")
            device_id, participant.device_id = participant.device_id, None
            _queue(self._webhooks, event, participant, device_id)

    def _participant(self, participant_id: str) -> ParticipantRecord:
        participant = self._find(participant_id)
        if participant is None:
            raise NoParticipantError("there is no such participant, or no longer")
        return participant


def end_device(webhooks: Webhooks, participant: ParticipantRecord) -> None:
    """End the connection of a participant that is deleted, if it has one: `onLeave`."""
    # Documented: onLeave is also for what the service does on purpose.
    if participant.device_id is not None:
        device_id, participant.device_id = participant.device_id, None
        _queue(webhooks, WebhookEvent.LEAVE, participant, device_id)


def _queue(
    webhooks: Webhooks, event: WebhookEvent, participant: ParticipantRecord, device_id: str
) -> None:
    webhooks.queue(
        event,
        participant_id=participant.id,
        device_id=device_id,
        url=participant.callback_url,
        tag=participant.tag,
    )
