"""A request under way, and what a link counts."""

from dataclasses import dataclass, field

from tombola.spec.link import Frame


@dataclass
class Statistics:
    """What the link has done.

    Attributes
    ----------
    requests, resent : int
        Frames sent for the first time, and again.
    bytes_sent, bytes_received : int
    refused : int
        NAK: frames that came after a lost one.
    damaged : int
        Bytes received that belonged to no sound answer.
    """

    requests: int = 0
    resent: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    refused: int = 0
    damaged: int = 0


@dataclass(eq=False)
class Request:
    """A request under way.

    Attributes
    ----------
    frame : Frame
    size : int
        Bytes of the request and its answer.
    words : tuple of int
        The answer's words, once it has come.
    matches : bool, optional
        Once done; for a CHECK, whether the board holds the words that were expected.
    """

    frame: Frame
    content: bytes
    size: int
    words: tuple[int, ...] = ()
    matches: bool | None = None
    sent_at: float = 0.0
    sent: int = 0
    refused: int = 0
    behind_run: bool = False
    mismatches: list[int] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Its answer has come, or for a write that to a later one."""
        return self.matches is not None
