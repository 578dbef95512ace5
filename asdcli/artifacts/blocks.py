"""The digests of a long array's blocks, and the CRC-32 of all of them, made in threads while its bytes come."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from asdcli import cores
from asdcli.artifacts.checksums import joined

BLOCK = 4 << 20
"""Bytes that are digested as one."""
_AT_ONCE = 4  # threads at most: memory holds a block for each


class BlockDigests:
    """Takes bytes in pieces of any length and digests them in blocks of one length, whatever the pieces were.

    What is given is not copied: it has to stay as it is until its block is digested.

    Args:
        checksum: whether the CRC-32 of all bytes is wanted too.

    Attributes:
        checksum: after `finish`: this; 0 where it is not wanted.
    """

    def __init__(self, *, checksum: bool = False) -> None:
        self._is_checked = checksum
        self._threads = min(cores.at_hand(), _AT_ONCE)
        self._pool = ThreadPoolExecutor(self._threads)
        self._block: list[memoryview] = []
        self._room = BLOCK
        self._at_work: deque[Future[_Block]] = deque()
        self._done: list[bytes] = []
        self.checksum = 0

    def close(self) -> None:
        """End the threads; what is not digested yet stays so."""
        self._pool.shutdown(cancel_futures=True)

    def add(self, content: memoryview) -> None:
        """More bytes. Waits where more blocks wait than there are threads, so that memory does not grow."""
        while len(content):
            self._block.append(content[: self._room])
            self._room -= len(self._block[-1])
            content = content[len(self._block[-1]) :]
            if not self._room:
                self._close_block()

    def finish(self) -> bytes:
        """The digests of all blocks, one after the other; the last block may be shorter than the others."""
        if self._block:
            self._close_block()
        while self._at_work:
            self._take()
        return b"".join(self._done)

    def _close_block(self) -> None:
        self._at_work.append(self._pool.submit(_digested, self._block, self._is_checked))
        self._block, self._room = [], BLOCK
        if len(self._at_work) > self._threads:
            self._take()

    def _take(self) -> None:
        """What the block that waits longest came to."""
        digest, checksum, n_bytes = self._at_work.popleft().result()
        self._done.append(digest)
        self.checksum = joined(self.checksum, checksum, n_bytes)


_Block = tuple[bytes, int, int]
"""Of a block: its digest, its CRC-32, its bytes."""


def _digested(pieces: Sequence[memoryview], is_checked: bool) -> _Block:
    digest, checksum = hashlib.blake2b(digest_size=16), 0
    for piece in pieces:
        digest.update(piece)
        if is_checked:  # while the piece is in the cache
            checksum = zlib.crc32(piece, checksum)
    return digest.digest(), checksum, sum(map(len, pieces))
