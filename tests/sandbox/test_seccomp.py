"""seccomp alone: which system calls are refused, and that what Python needs is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.sandbox.seccomp import ALLOWED

Child = Callable[..., Any]
RESTRICT = "seccomp.restrict()"

NEVER = """
    accept accept4 acct add_key adjtimex bind bpf capset chmod chown chroot clone3 connect delete_module
    execve execveat fanotify_init fchmod fchmodat fchmodat2 fchown fchownat finit_module fork fremovexattr
    fsconfig fsetxattr fsmount fsopen get_kernel_syms init_module inotify_init io_cancel io_setup io_submit
    io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_load keyctl
    landlock_restrict_self lchown link linkat listen lsetxattr memfd_create memfd_secret migrate_pages mknod
    mknodat mount mount_setattr move_mount move_pages mq_open msgget name_to_handle_at open_by_handle_at
    open_tree perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pivot_root
    process_madvise process_vm_readv process_vm_writev ptrace quotactl reboot recvmsg removexattr
    request_key rt_sigqueueinfo rt_tgsigqueueinfo seccomp semget sendmsg setdomainname setfsuid setgid
    setgroups sethostname setns setpgid setpriority setregid setresuid setreuid setrlimit setsid setuid
    setxattr shmat shmget socket socketpair splice swapon symlink symlinkat syslog tkill truncate umount2
    unshare userfaultfd utime utimensat vfork vmsplice
""".split()


def test_nothing_dangerous_is_on_the_list() -> None:
    assert not set(NEVER) & set(ALLOWED)


def test_every_name_on_the_list_is_a_system_call(child: Child) -> None:
    seen = child(
        """
        arches = [seccomp.seccomp.Arch.X86_64, seccomp.seccomp.Arch.AARCH64]
        seen = [
            name for name in seccomp.ALLOWED
            if all(seccomp.seccomp.resolve_syscall(int(arch), name) == -1 for arch in arches)
        ]
        """
    )
    assert seen == []


@pytest.mark.parametrize(
    "action",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "socket.socket(socket.AF_INET)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "os.kill(os.getppid(), 0)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.setsid()",
        "os.setuid(0)",
        "os.chmod('own/file', 0o600)",
        "os.utime('own/file')",
        "os.symlink('own/file', 'link')",
        "os.link('own/file', 'link')",
        "os.truncate('own/file', 0)",
        "os.setxattr('own/file', 'user.a', b'')",
        "os.memfd_create('x')",
        "call('ptrace', 0x4206, os.getppid(), 0, 0)",
        "call('unshare', 0x10000000)",
        "call('process_vm_readv', os.getppid(), 0, 0, 0, 0, 0)",
        "call('bpf', 0, 0, 0)",
        "call('io_uring_setup', 1, 0)",
        "call('mount', 0, 0, 0, 0, 0)",
        "call('seccomp', 0, 0, 0)",
        "call('pidfd_open', os.getpid(), 0)",
        "call('tgkill', os.getpid(), threading.get_native_id(), 9)",
        "call('mmap', 0, 4096, 3, 0x21, -1, 0)",
        "call('prlimit64', os.getppid(), 7, 0, 0)",
        "__import__('fcntl').fcntl(0, 8, os.getppid())",
        "__import__('fcntl').ioctl(0, 0x5412, b'x')",
    ],
)
def test_it_is_refused(child: Child, action: str) -> None:
    seen = child(RESTRICT, f"seen = refused(lambda: {action})")
    assert seen == "EPERM"


def test_a_limit_cannot_be_raised_again(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            seen = "set"
        except (OSError, ValueError, PermissionError) as error:
            seen = "refused"
        """,
    )
    assert seen == "refused"


def test_what_python_needs_works(child: Child) -> None:
    seen = child(
        RESTRICT,
        """
        import concurrent.futures, random, subprocess, time
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            squares = list(pool.map(lambda k: k * k, range(8)))
        Path("own/new").write_text("text")
        with Path("own/new").open("a") as file:
            file.write("more")
        with Path("own/new").open("w") as file:
            file.write("short")
        time.sleep(0.01)
        random.seed()
        block = bytearray(50_000_000)
        import numpy, sqlite3
        sums = float(numpy.ones((200, 200)).dot(numpy.ones(200)).sum())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGTERM)
        made = os.path.relpath(tempfile.mkdtemp(dir="own"))
        seen = [squares, Path("own/new").read_text(), sums, made.startswith("own")]
        """,
    )
    assert seen == [[k * k for k in range(8)], "short", 40_000.0, True]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (
            "seccomp.seccomp, seccomp._MISSING = None, 'No module named pyseccomp'",
            "No module named pyseccomp",
        ),
        (
            "seccomp.seccomp.SyscallFilter.load = property(lambda self: (_ for _ in ()).throw(OSError(22, 'bad')))",
            "refused",
        ),
    ],
)
def test_without_seccomp_there_is_an_error_that_names_the_way_out(
    child: Child, broken: str, why: str
) -> None:
    seen = child(
        f"""
        {broken}
        try:
            seccomp.restrict()
            seen = "restricted"
        except ConfinementError as error:
            seen = str(error)
        """
    )
    assert seen.startswith("seccomp: ")
    assert why in seen
    assert "grader doctor" in seen
    assert "--isolation none" in seen


def test_a_missing_library_is_told_at_import_and_not_by_a_traceback(child: Child) -> None:
    """`import pyseccomp` raises RuntimeError where libseccomp is not installed."""
    seen = child(
        """
        import importlib
        class Finder:
            def find_spec(self, name, *_):
                if name == "pyseccomp":
                    raise RuntimeError("Unable to find libseccomp")
        sys.modules.pop("pyseccomp", None)
        sys.meta_path.insert(0, Finder())
        again = importlib.reload(seccomp)
        try:
            again.restrict()
        except ConfinementError as error:
            seen = str(error)
        """
    )
    assert "Unable to find libseccomp" in seen
    assert "libseccomp2" in seen
