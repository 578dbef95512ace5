"""CRC-32 of bytes that come in pieces, whichever piece is known first: what a zip keeps of its entries.

The checksum of bytes A followed by B follows from those of A and B and the length of B: appending n zero bytes
multiplies a checksum, as a polynomial over GF(2), by x^(8 n) modulo the generator (M. Adler's zlib does it so too).
"""

from __future__ import annotations

_GENERATOR = 0xEDB88320  # of CRC-32, the coefficient of x^31 in the lowest bit
_ONE, _X = 1 << 31, 1 << 30


def joined(first: int, second: int, n_bytes: int) -> int:
    """The CRC-32 of two pieces, of which the second has `n_bytes`, from the CRC-32 of each."""
    return _product(_power(8 * n_bytes), first) ^ second


def _product(a: int, b: int) -> int:
    """Of two polynomials, modulo the generator."""
    found = 0
    while a:
        if a & _ONE:
            found ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ _GENERATOR if b & 1 else b >> 1
    return found


def _power(n: int) -> int:
    """x^n modulo the generator."""
    found, factor = _ONE, _X
    while n:
        if n & 1:
            found = _product(found, factor)
        factor = _product(factor, factor)
        n >>= 1
    return found
