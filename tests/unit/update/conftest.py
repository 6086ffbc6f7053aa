"""What each test of updating begins with."""

from fakes.scene import keys, scene

__all__ = ["keys", "scene"]
