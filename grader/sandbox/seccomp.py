"""seccomp: which system calls a worker may make. What is not on the list fails with EPERM.

Files are Landlock's business; this list keeps out new processes, other processes, sockets, and whatever changes files
that Landlock does not watch over (modes, owners, times, attributes).
"""

from __future__ import annotations

import errno
import os
from typing import Any

from grader.sandbox.policy import ConfinementError

try:  # once, in the fork server: to find libseccomp takes a subprocess
    import pyseccomp as seccomp
except (ImportError, RuntimeError) as _error:
    seccomp = None
    _MISSING = str(_error)

_FILES = """
    access chdir close close_range copy_file_range dup dup2 dup3 faccessat faccessat2 fadvise64 fdatasync flock
    fstat fstatfs fsync ftruncate getcwd getdents getdents64 lseek lstat mkdir mkdirat newfstatat pread64
    preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir
    stat statfs statx umask unlink unlinkat write writev
"""
_MEMORY = "brk get_mempolicy madvise membarrier mincore mprotect mremap msync munmap"
_THREADS = """
    exit exit_group futex futex_waitv get_robust_list gettid rseq sched_getaffinity sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min sched_yield set_robust_list set_tid_address
"""
_SIGNALS = """
    alarm getitimer pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
    rt_sigtimedwait setitimer sigaltstack
"""
_WAITING = """
    clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd
    eventfd2 gettimeofday nanosleep pipe pipe2 poll ppoll pselect6 recvfrom select sendto time times wait4 waitid
"""
_ABOUT_ITSELF = """
    arch_prctl getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid
    getresuid getrlimit getrusage getsid getuid sysinfo uname
"""
ALLOWED = tuple(sorted(" ".join((_FILES, _MEMORY, _THREADS, _SIGNALS, _WAITING, _ABOUT_ITSELF)).split()))

_CLONE_THREAD = 0x00010000
_MAP_SHARED = 1
_SIGKILL = 9
_TERMINAL_QUESTIONS = (
    0x5401,
    0x5413,
    0x5421,
    0x541B,
    0x5450,
    0x5451,
)  # TCGETS TIOCGWINSZ FIONBIO FIONREAD FIO(N)CLEX
# Duplicates, flags and locks; not leases, owners and signals, which reach other processes.
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1034)
_PRCTL_NAMES = (15, 16, 0x53564D41)  # PR_SET_NAME PR_GET_NAME PR_SET_VMA


def restrict(*, devices: bool = False) -> None:
    """Refuse every system call that is not listed, for this process and its threads, for good.

    Args:
        devices: leave `ioctl` and shared mappings open, by which the driver of a GPU is spoken to.

    Raises:
        ConfinementError: pyseccomp or libseccomp is missing, or the kernel refused the filter.
    """
    if seccomp is None:
        raise ConfinementError(
            "seccomp", f"{_MISSING}; install the library libseccomp2 and the package pyseccomp"
        )
    try:
        rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
        for name in ALLOWED:
            _allow(rules, name)
        # glibc falls back to clone, whose flags can be looked at; clone3's lie behind a pointer.
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
        masked = seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)
        _allow(rules, "clone", masked)
        own = os.getpid()
        # Not SIGKILL: a worker that is killed is then one that the grader or the kernel killed.
        for name, position in (("kill", 1), ("tgkill", 2)):
            _allow(rules, name, seccomp.Arg(0, seccomp.EQ, own), seccomp.Arg(position, seccomp.NE, _SIGKILL))
        # Memory that is shared, even with nobody, is not counted as resident once it is let go of.
        _allow(rules, "mmap", *(() if devices else (seccomp.Arg(3, seccomp.MASKED_EQ, _MAP_SHARED, 0),)))
        if devices:
            _allow(rules, "ioctl")
        # Before Linux 6.2 Landlock lets a file be emptied that is opened for reading.
        for name, flags in (("open", 1), ("openat", 2)):
            _allow(rules, name, seccomp.Arg(flags, seccomp.MASKED_EQ, os.O_TRUNC, 0))
            for mode in (os.O_WRONLY, os.O_RDWR):
                _allow(rules, name, seccomp.Arg(flags, seccomp.MASKED_EQ, os.O_ACCMODE, mode))
        for command in _FCNTL_COMMANDS:
            _allow(rules, "fcntl", seccomp.Arg(1, seccomp.EQ, command))
        for request in () if devices else _TERMINAL_QUESTIONS:
            _allow(rules, "ioctl", seccomp.Arg(1, seccomp.EQ, request))
        for option in _PRCTL_NAMES:
            _allow(rules, "prctl", seccomp.Arg(0, seccomp.EQ, option))
        _allow(rules, "sched_setaffinity", seccomp.Arg(0, seccomp.EQ, 0))
        _allow(rules, "prlimit64", seccomp.Arg(0, seccomp.EQ, 0), seccomp.Arg(2, seccomp.EQ, 0))
        rules.load()
    except OSError as error:
        raise ConfinementError("seccomp", f"the filter was refused: {error.strerror}") from None


def _allow(rules: Any, name: str, *args: object) -> None:
    number = seccomp.resolve_syscall(seccomp.system_arch(), name)
    if number >= 0:  # some calls exist on one architecture only
        rules.add_rule(seccomp.ALLOW, name, *args)
