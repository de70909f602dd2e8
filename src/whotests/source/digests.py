"""BLAKE2b as Python has it built in: `hashlib` loads OpenSSL besides, megabytes for nothing."""

try:
    from _blake2 import blake2b
except ImportError:  # an implementation that has it elsewhere
    from hashlib import blake2b

__all__ = ["blake2b"]
