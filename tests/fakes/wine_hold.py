"""Keeps a Wine machine running: runs under Wine until it is killed, and writes a file when ready.

It uses a window and COM, so that Wine starts its desktop and services now, with the null streams of
this program. Started later by a program under test, they would keep the pipes of that program open.
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
