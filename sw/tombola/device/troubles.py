"""What goes wrong between host and board, each with what to check."""

from tombola.device.transport import Transport
from tombola.spec.errors import DeviceError


def no_answer(transport: Transport) -> DeviceError:
    """Not a byte came back."""
    return DeviceError(
        f"no answer from {transport.name} at {transport.baud} baud; check the board's power and "
        "cable, that its bitstream is loaded and that this is its port"
    )


def no_engine(transport: Transport) -> DeviceError:
    """Bytes came, but no answer."""
    return DeviceError(
        f"what {transport.name} says is no answer of an engine; check that the board runs a "
        f"bitstream of tombola and speaks {transport.baud} baud"
    )


def refused(transport: Transport) -> DeviceError:
    """NAK to a request that is in order."""
    return DeviceError(
        f"the board at {transport.name} refuses a request; it was reset since it was connected, "
        "or its bitstream is older than this driver: connect again, or build and program it again"
    )


def other_words(transport: Transport) -> DeviceError:
    """An answer that proves other words on the board's bus than those that were sent."""
    return DeviceError(
        f"the board at {transport.name} writes other words than it was sent; check its power "
        "supply, and that its bitstream met the clock when it was built"
    )


def endless_run(transport: Transport, seconds: float) -> DeviceError:
    """The link is alive, the engine busy."""
    return DeviceError(
        f"the engine at {transport.name} did not end its run within {seconds:.0f} s and was "
        "stopped; load the ticket again"
    )


def fell_silent(transport: Transport, seconds: float) -> DeviceError:
    """A board that answered before does not any more."""
    return DeviceError(
        f"{transport.name} has not answered for {seconds:.0f} s; check the cable and the board's "
        "power, then connect again"
    )
