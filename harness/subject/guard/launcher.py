"""Runs a command in namespaces of its own, where one port on loopback is all that it can reach.

Executed by path in an isolated Python, `launcher.py SPEC COMMAND…`, so it imports the standard
library alone. SPEC is JSON: `upstream`, the host and port that `port` on the command's loopback
leads to; `empty`, directories that the command finds empty; `closed`, files that it finds closed.

Four processes in one process group, so one signal reaches all of them: the outermost stays outside
and carries bytes; its child makes the namespaces; the child of that is their first process, which
collects orphans; the fourth is the command. When it ends, the kernel ends all that it left running.

The status is the command's, 128 + N when signal N ended it; 125 when there are no such namespaces.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

CANNOT = 125
NO_PROGRAM = 127
_NEWNS, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_LINK = "16sh14x"  # struct ifreq: a name and its flags
_PATIENCE = 5.0
_FOR_COMMAND = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    """Run the command; its status."""
    spec, command = json.loads(arguments[0]), arguments[1:]
    _end_with_parent()
    for number in _FOR_COMMAND:  # it is in the same group, and its end is reported
        signal.signal(number, signal.SIG_IGN)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _inside(spec, command, theirs)
    theirs.close()
    outward: list[threading.Thread] = []
    with contextlib.suppress(OSError):
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        for descriptor in descriptors:
            listener = socket.socket(fileno=descriptor)
            carrying = (listener, spec["upstream"], outward)
            threading.Thread(target=_carry, args=carrying, daemon=True).start()
    status = _ending(child)
    for thread in outward:  # what the command sent last has arrived when we end
        thread.join(_PATIENCE)
    return status


def _carry(listener: socket.socket, upstream: list[Any], outward: list[threading.Thread]) -> None:
    """Join every connection from inside to the upstream; the threads that carry outward."""
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection((upstream[0], upstream[1]))
        except OSError:
            client.close()
            continue
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        outward.append(threading.Thread(target=_copy, args=(client, server), daemon=True))
        outward[-1].start()
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for each in (source, sink):
        # not closed: what was sent last would be lost with what nobody has read yet
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _inside(spec: dict[str, Any], command: list[str], outside: socket.socket) -> NoReturn:
    _end_with_parent()
    try:
        _unshare()
        _bring_up_loopback()
        _hide(spec["empty"], spec["closed"])
        with socket.create_server(("127.0.0.1", spec["port"]), backlog=64) as listener:
            socket.send_fds(outside, [b"."], [listener.fileno()])
    except OSError as error:
        _fail(CANNOT, error.strerror or str(error))
    outside.close()
    child = os.fork()
    if child == 0:
        _first_process(command)
    os._exit(_ending(child))


def _unshare() -> None:
    """By privilege, which leaves users as they are; else in a user namespace."""
    wanted = _NEWNET | _NEWNS | _NEWPID
    try:
        _libc("unshare", wanted)
    except PermissionError:
        uid, gid = os.getuid(), os.getgid()
        _libc("unshare", wanted | _NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        found = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack(_LINK, b"lo", 0))
        flags = struct.unpack(_LINK, found)[1] | _IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_LINK, b"lo", flags))


def _hide(empty: list[str], closed: list[str]) -> None:
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)  # or what follows is seen outside
    for path in closed:
        with contextlib.suppress(FileNotFoundError):
            _mount("/dev/null", path, "", _MS_BIND)
    for path in empty:
        with contextlib.suppress(FileNotFoundError):
            _mount("none", path, "tmpfs", _MS_NOSUID | _MS_NODEV)


def _first_process(command: list[str]) -> NoReturn:
    _end_with_parent()
    with contextlib.suppress(OSError):  # some sandboxes forbid it; the /proc that is there will do
        _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    child = os.fork()
    if child == 0:
        for number in (*_FOR_COMMAND, signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these two
            signal.signal(number, signal.SIG_DFL)
        try:
            os.execvp(command[0], command)  # noqa: S606 - without a shell, on purpose
        except OSError as error:
            _fail(NO_PROGRAM, f"{command[0]}: {error.strerror}")
    os._exit(_ending(child))


def _ending(child: int) -> int:
    """The status of a child, as a shell says it; orphans that end before it are collected."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end_with_parent() -> None:
    parent = os.getppid()
    _libc("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    _libc("mount", source.encode(), target.encode(), kind.encode() or None, flags, None)


def _libc(name: str, *arguments: Any) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _fail(status: int, what: str) -> NoReturn:
    os.write(2, f"harness guard: {what}\n".encode())
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
