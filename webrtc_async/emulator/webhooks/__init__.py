"""Participants' events: the queue, their delivery, and the devices that cause them."""
