"""Spellings of methods (`varmin:k=16,val=test-all`) and the registries that resolve them."""

from asdcli.spec.described import Described, describe
from asdcli.spec.parameters import ALWAYS_SPELLED, Parameter, always_spelled, part
from asdcli.spec.plugins import Plugin
from asdcli.spec.registry import Registry
from asdcli.spec.spelling import parse

__all__ = [
    "ALWAYS_SPELLED",
    "Described",
    "Parameter",
    "Plugin",
    "Registry",
    "always_spelled",
    "describe",
    "parse",
    "part",
]
