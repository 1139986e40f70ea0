"""The host driver: transports, protocol and the Device."""

from tombola.device.connection import connect
from tombola.device.device import Device
from tombola.device.results import Info, Results
from tombola.device.usb import find_boards

__all__ = ["Device", "Info", "Results", "connect", "find_boards"]
