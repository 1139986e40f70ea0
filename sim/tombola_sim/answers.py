"""What the engine answered in each run, kept in a file if wanted, so that a proof can go on."""

import hashlib
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tombola.spec.errors import ConfigError, TombolaError
from tombola_sim.runner import Session

SAVED_EVERY = 10.0
"""Seconds of simulation that are lost at most if the process is killed."""


class Answers:
    """The words that each run read, by its index, and the clocks and seconds that they took.

    Parameters
    ----------
    runs : int
        How many there are to be.
    file : Path, optional
        An .npz that keeps them; what it holds already need not run again.
    proof : bytes
        Says of what they are answers: a file of another proof is refused.

    Raises
    ------
    ConfigError
        If the file is not of this proof.
    """

    def __init__(self, runs: int, *, file: Path | None = None, proof: bytes = b"") -> None:
        self._runs = runs
        self._file = file
        self._proof = proof
        self._lock = threading.Lock()
        self._words: dict[int, np.ndarray] = {}
        self._saved = time.monotonic()
        self.clocks = 0
        self.seconds = 0.0
        self.processor_seconds = 0.0
        if file is not None and file.exists():
            self._load(file)

    @property
    def missing(self) -> np.ndarray:
        """Indices of the runs without an answer."""
        return np.array([index for index in range(self._runs) if index not in self._words], int)

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, run: int) -> np.ndarray:
        return self._words[run]

    def add(self, run: int, words: np.ndarray) -> None:
        """Takes the answer of one run; any thread may call this."""
        with self._lock:
            self._words[run] = words
            if time.monotonic() - self._saved >= SAVED_EVERY:
                self._save()

    def spend(self, sessions: Sequence[Session]) -> None:
        """Adds what simulations beside each other took."""
        with self._lock:
            self.clocks += sum(session.clocks for session in sessions)
            self.seconds += max((session.seconds for session in sessions), default=0.0)
            self.processor_seconds += sum(session.processor_seconds for session in sessions)

    def save(self) -> None:
        """Writes the file, if there is one."""
        with self._lock:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self._file is None:
            return
        indices = sorted(self._words)
        content = {
            "proof": np.frombuffer(self._proof, np.uint8),
            "runs": np.array(indices, np.int64),
            "words": np.array([self._words[index] for index in indices], np.uint32),
            "spent": np.array([self.clocks, self.seconds, self.processor_seconds]),
        }
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, delete=False) as part:
                np.savez(part, **content)
            Path(part.name).replace(self._file)
        except OSError as error:
            raise TombolaError(f"cannot write {self._file}: {error.strerror or error}") from None

    def _load(self, file: Path) -> None:
        try:
            with np.load(file) as kept:
                proof, runs, words = kept["proof"].tobytes(), kept["runs"], kept["words"]
                clocks, *seconds = kept["spent"].tolist()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise ConfigError(f"{file} holds no answers of a co-simulation; name another") from None
        if proof != self._proof or len(runs) > self._runs:
            raise ConfigError(
                f"{file} is of another co-simulation: its ticket, Verilog or images differ; "
                "name another file"
            )
        self._words = dict(zip(runs.tolist(), words, strict=True))
        self.clocks, (self.seconds, self.processor_seconds) = int(clocks), seconds


def proof_of(parts: Iterable[bytes]) -> bytes:
    """A digest of all that decides the answers."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.digest()
