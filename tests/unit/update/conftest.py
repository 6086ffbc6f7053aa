"""The fixtures of the tests of updating."""

from fakes.scene import keys, scene

__all__ = ["keys", "scene"]
