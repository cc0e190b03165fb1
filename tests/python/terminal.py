"""Types at a program in a terminal of its own.

terminal.py PROGRAM ARGUMENT... : standard input has a line for each thing to type, as a JSON string; each is typed when
the program has asked something new. Prints what the program printed, then the state of echo and the exit status.
"""

import json
import os
import pty
import select
import sys
import termios
import time

PATIENCE = 30


def main() -> None:
    keys = [json.loads(line) for line in sys.stdin if line.strip()]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    printed = bytearray()
    asked = 0
    deadline = time.monotonic() + PATIENCE
    echo = True
    while time.monotonic() < deadline:
        # What was asked ends in a blank, and echo is off by then unless yes or no is meant.
        wanted = printed.endswith(b"[y/n] ") or printed.endswith(b" ") and not echo
        if keys and wanted and len(printed) > asked:
            asked = len(printed)
            os.write(terminal, keys.pop(0).encode())
        ready, _, _ = select.select([terminal], [], [], 0.05)
        echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
        if not ready:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        printed += data
    _, status = os.waitpid(pid, 0)
    echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
    sys.stdout.write(printed.decode().replace("\r\n", "\n"))
    print(f"echo {'on' if echo else 'off'}, status {os.waitstatus_to_exitcode(status)}")


main()
