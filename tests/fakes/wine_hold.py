"""Keeps a Wine machine up: runs under Wine until it is ended, and says by a file that it is there.

A window and COM make Wine start its desktop and its services now, with this program's null streams.
Started later by a program under test, they would keep that program's pipes open.
"""

import ctypes
import sys
import time

assert sys.platform == "win32"
ctypes.windll.user32.CreateWindowExW(0, "STATIC", "hold", 0, 0, 0, 1, 1, None, None, None, None)
ctypes.windll.ole32.CoInitialize(None)
with open(sys.argv[1], "w", encoding="utf-8") as stream:
    stream.write("ready")
time.sleep(1_000_000)
