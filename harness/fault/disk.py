"""A small disk of a server's own, which can be filled to the last block and given room again.

It is a tmpfs in a mount namespace that only this process and its children see: it is gone when the
last of them is, whatever happened to them. What it tests is the error that a full disk gives.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError

NEED: Final = "run as root, or in a container that is granted CAP_SYS_ADMIN"
SIZE: Final = 512 * 1024**2  # taken from memory only as far as it is written
_CLONE_NEWNS: Final = 0x00020000
_PAGE: Final = 4096


def private_mounts() -> None:
    """Let what this process mounts from now on be seen by itself and its children alone.

    InfrastructureError where a process may not do that; then it may not mount either.
    """
    if not sys.platform.startswith("linux"):
        raise InfrastructureError(
            "mount: a small disk is a tmpfs, which only Linux has", hint="leave this fault out"
        )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        reason = os.strerror(ctypes.get_errno()).lower()
        raise InfrastructureError(f"mount: no small disk can be mounted here: {reason}", hint=NEED)
    _mount("--make-rprivate", "/")


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    except OSError as error:
        raise InfrastructureError(
            f"mount: {error}", hint="install Debian's package mount"
        ) from None
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise InfrastructureError(f"mount: no small disk can be mounted here: {reason}", hint=NEED)


@dataclass
class SmallDisk:
    """A mounted tmpfs. Call `private_mounts` first, and start after it whoever shall see the disk.

    Full is full: the disk is made as small as what is on it.
    """

    path: Path
    size: int = SIZE

    @classmethod
    def mount(cls, path: Path, owner: tuple[int, int], size: int = SIZE) -> SmallDisk:
        """Mount one on a new directory; everything on it belongs to `owner`, a uid and a gid."""
        path.mkdir()
        uid, gid = owner
        options = f"size={size},mode=0700,uid={uid},gid={gid}"
        _mount("-t", "tmpfs", "-o", options, "tmpfs", str(path))
        return cls(path, size)

    def room(self) -> int:
        """How many bytes still fit."""
        found = os.statvfs(self.path)
        return found.f_bfree * found.f_frsize

    def fill(self) -> str:
        """Leave no room at all; says so, as evidence."""
        found = os.statvfs(self.path)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._resize(max(used, _PAGE))  # 0 would mean: no limit
        return f"{self.room()} bytes free of {max(used, _PAGE)}"

    def free(self) -> None:
        """Give it the room back; one that has room stays as it is."""
        self._resize(self.size)

    def _resize(self, size: int) -> None:
        _mount("-o", f"remount,size={size}", str(self.path))

    def close(self) -> None:
        """Unmount it; one that is still in use goes when it is not."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)
