"""Ways out of a worker. Each returns whether it got out.

The text of this file is appended to a submission. Run as a program, unconfined, it shows that the ways work where
nothing stops them: `python escapes.py CONTEXT` prints those that worked, and why the others did not.
"""

import ctypes
import errno
import json
import os
import signal
import socket
import stat
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
WAYS = {}


def way(function):
    """Register a way out by its name in words."""
    WAYS[function.__name__.replace("_", " ")] = function
    return function


def escaped(context, names):
    """The names of the ways that worked, and why the others did not."""
    worked, failed = [], {}
    for name in names:
        try:
            if WAYS[name](context):
                worked.append(name)
            else:
                failed[name] = "returned False"
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return worked, failed


def _ended(pid):
    """Whether a child was made: true in the parent; the child ends here."""
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
    return pid > 0


def _syscall(number, *args):
    # A variadic call passes an int as 32 bits, and leaves what is beside them to chance.
    wide = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


# Files


@way
def read_the_hidden_suite(context):
    return open(context["suite"]).read()


@way
def read_the_solution(context):
    return open(context["solution"]).read()


@way
def read_the_gradebook(context):
    return open(context["gradebook"], "rb").read()


@way
def read_another_submission(context):
    return open(context["other submission"]).read()


@way
def list_the_folder_of_the_assignment(context):
    return os.listdir(os.path.dirname(os.path.dirname(context["suite"])))


@way
def list_the_folder_of_other_workers(context):
    return os.listdir(context["engine"])


@way
def read_the_log_of_the_server(context):
    return open(os.path.join(context["engine"], "server.log")) is not None


@way
def read_the_passwords(context):
    return open("/etc/passwd").read()


@way
def list_all_processes(context):
    return os.listdir("/proc")


@way
def read_the_environment_of_the_grader(context):
    return open(f"/proc/{context['grader']}/environ").read()


@way
def read_the_memory_map_of_the_server(context):
    return open(f"/proc/{context['server']}/maps").read()


@way
def open_the_memory_of_a_sibling(context):
    return os.open(f"/proc/{context['sibling']}/mem", os.O_RDONLY) > 0


@way
def open_its_own_memory_through_proc(context):
    return os.open("/proc/self/mem", os.O_RDWR) > 0


@way
def list_the_descriptors_of_the_grader(context):
    return os.listdir(f"/proc/{context['grader']}/fd")


@way
def read_the_working_folder_link_of_the_grader(context):
    return os.readlink(f"/proc/{context['grader']}/cwd")


@way
def write_beside_its_folder(context):
    path = os.path.join(context["outside"], f"made-{os.getpid()}")
    open(path, "w").close()
    os.unlink(path)
    return True


@way
def write_to_the_shared_memory_folder(context):
    path = f"/dev/shm/dlquiz-{os.getpid()}"
    open(path, "w").close()
    os.unlink(path)
    return True


@way
def open_a_library_for_writing(context):
    return os.open(json.__file__, os.O_RDWR) > 0


@way
def empty_a_file_by_its_path(context):
    os.truncate(context["victim"], 0)
    return True


@way
def change_the_mode_of_a_file(context):
    os.chmod(context["victim"], 0o644)
    return True


@way
def change_the_times_of_a_file(context):
    os.utime(context["victim"])
    return True


@way
def change_the_owner_of_a_file(context):
    os.chown(context["victim"], os.getuid(), os.getgid())
    return True


@way
def change_the_times_of_a_library(context):
    before = os.stat(json.__file__)
    os.utime(json.__file__, ns=(before.st_atime_ns, before.st_mtime_ns))
    return True


@way
def set_an_attribute_of_a_file(context):
    os.setxattr(context["victim"], "user.dlquiz", b"1")
    return True


@way
def rename_a_file_elsewhere(context):
    os.rename(context["victim"], context["victim"] + "x")
    os.rename(context["victim"] + "x", context["victim"])
    return True


@way
def link_the_hidden_suite_into_its_folder(context):
    os.link(context["suite"], "linked")
    os.unlink("linked")
    return True


@way
def make_a_symbolic_link(context):
    os.symlink("/", "symbolic")
    os.unlink("symbolic")
    return True


@way
def make_a_pipe_with_a_name(context):
    os.mkfifo("pipe")
    os.unlink("pipe")
    return True


@way
def hide_a_file_in_memory(context):
    return os.memfd_create("hidden") > 0


@way
def lease_a_library_file(context):
    import fcntl

    descriptor = os.open(json.decoder.__file__, os.O_RDONLY)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    os.close(descriptor)
    return True


# Processes


@way
def fork(context):
    return _ended(os.fork())


@way
def fork_by_system_call(context):
    return _ended(_syscall(context["numbers"]["fork"]))


@way
def clone_by_system_call(context):
    return _ended(_syscall(context["numbers"]["clone"], signal.SIGCHLD, 0, 0, 0, 0))


@way
def clone3_by_system_call(context):
    arguments = struct.pack("=4QQ6Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    return _ended(_syscall(context["numbers"]["clone3"], arguments, len(arguments)))


@way
def spawn(context):
    return _ended(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}))


@way
def run_a_program_through_a_shell(context):
    return os.system("true") == 0


@way
def start_a_subprocess(context):
    import subprocess

    return subprocess.run([sys.executable, "-c", ""], check=True, timeout=20) is not None


@way
def start_a_multiprocessing_process(context):
    import multiprocessing

    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    return True


@way
def signal_the_grader(context):
    os.kill(context["grader"], 0)
    return True


@way
def signal_the_server(context):
    os.kill(context["server"], 0)
    return True


@way
def signal_everyone(context):
    os.kill(-1, 0)
    return True


@way
def signal_a_thread_of_the_grader(context):
    _syscall(context["numbers"]["tgkill"], context["grader"], context["grader"], 0)
    return True


@way
def queue_a_signal_to_the_grader(context):
    information = struct.pack("=iii", 0, 0, -1) + bytes(116)
    _syscall(context["numbers"]["rt_sigqueueinfo"], context["grader"], 0, information)
    return True


@way
def hold_the_grader_by_a_descriptor(context):
    return os.pidfd_open(context["grader"]) > 0


@way
def have_the_kernel_signal_another_process(context):
    import fcntl

    read, write = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETOWN, context["target"])
    fcntl.fcntl(read, 10, signal.SIGTERM)  # F_SETSIG
    fcntl.fcntl(read, fcntl.F_SETFL, fcntl.fcntl(read, fcntl.F_GETFL) | os.O_ASYNC)
    os.write(write, b"x")
    return True


@way
def read_the_memory_of_another_process(context):
    here = ctypes.create_string_buffer(8)
    local = struct.pack("=QQ", ctypes.addressof(here), 0)
    return _syscall(context["numbers"]["process_vm_readv"], context["sibling"], local, 1, local, 1, 0) == 0


@way
def write_the_memory_of_another_process(context):
    here = ctypes.create_string_buffer(8)
    local = struct.pack("=QQ", ctypes.addressof(here), 0)
    return _syscall(context["numbers"]["process_vm_writev"], context["sibling"], local, 1, local, 1, 0) == 0


@way
def trace_a_sibling(context):
    number = context["numbers"]["ptrace"]
    return _syscall(number, 0x4206, context["sibling"], 0, 0) == 0  # PTRACE_SEIZE: does not stop it


@way
def raise_its_limit_of_open_files(context):
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    return True


@way
def change_the_limits_of_the_grader(context):
    import resource

    resource.prlimit(context["grader"], resource.RLIMIT_CORE)
    return True


@way
def outlive_its_parent(context):
    return LIBC.prctl(1, 0, 0, 0, 0) == 0  # PR_SET_PDEATHSIG


@way
def hide_from_the_watch(context):
    return LIBC.prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE


@way
def change_the_priority_of_the_grader(context):
    os.setpriority(os.PRIO_PROCESS, context["grader"], os.getpriority(os.PRIO_PROCESS, context["grader"]))
    return True


@way
def pin_the_grader_to_a_processor(context):
    os.sched_setaffinity(context["grader"], os.sched_getaffinity(context["grader"]))
    return True


@way
def change_its_user(context):
    os.setuid(os.getuid())
    return True


# The network and the connection


def _opens(*args):
    socket.socket(*args).close()
    return True


@way
def open_a_tcp_socket(context):
    return _opens(socket.AF_INET, socket.SOCK_STREAM)


@way
def open_a_tcp_socket_of_version_6(context):
    return _opens(socket.AF_INET6, socket.SOCK_STREAM)


@way
def open_a_udp_socket(context):
    return _opens(socket.AF_INET, socket.SOCK_DGRAM)


@way
def open_a_unix_socket(context):
    return _opens(socket.AF_UNIX, socket.SOCK_STREAM)


@way
def open_a_netlink_socket(context):
    return _opens(socket.AF_NETLINK, socket.SOCK_RAW)


@way
def reach_an_abstract_socket(context):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.connect("\0" + context["abstract"])
    return True


@way
def make_a_pair_of_sockets(context):
    return socket.socketpair() is not None


@way
def look_up_a_name(context):
    return socket.getaddrinfo("localhost", 80)


@way
def download_a_page(context):
    import urllib.request

    return urllib.request.urlopen(f"http://127.0.0.1:{context['port']}/", timeout=5).read()


@way
def send_a_descriptor_over_its_connection(context):
    for descriptor in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                end = socket.socket(fileno=os.dup(descriptor))
                break
        except OSError:
            continue
    else:
        end, _other = socket.socketpair()
    socket.send_fds(end, [b"x"], [end.fileno()])
    return True


# System calls that must not even be looked at: (name, arguments that no kernel accepts)

LOOKED_AT = {
    "add_key": (0, 0, 0, 0, 0),
    "bpf": (9999, 0, 0),
    "execve": (0, 0, 0),
    "execveat": (-1, 0, 0, 0, 1 << 30),
    "fanotify_init": (1 << 30, 0),
    "fsopen": (0, 1 << 30),
    "init_module": (0, 0, 0),
    "inotify_init1": (1 << 30,),
    "io_uring_setup": (0, 0),
    "kcmp": (0, 0, 99, 0, 0),
    "kexec_load": (0, 99, 0, 1 << 62),
    "keyctl": (9999, 0, 0, 0, 0),
    "memfd_create": (0, 1 << 30),
    "memfd_secret": (1 << 30,),
    "mlock": (0, 0),
    "mount": (0, 0, 0, 0, 0),
    "mq_open": (0, 0, 0, 0),
    "msgrcv": (-1, 0, 0, 0, 0),
    "name_to_handle_at": (-1, 0, 0, 0, 0),
    "open_by_handle_at": (-1, 0, 0),
    "open_tree": (-1, 0, 1 << 30),
    "perf_event_open": (0, 0, 0, -1, 0),
    "personality": (0xFFFFFFFF,),
    "pidfd_getfd": (-1, 0, 1 << 30),
    "pidfd_open": (-1, 1 << 30),
    "pidfd_send_signal": (-1, 0, 0, 1 << 30),
    "pivot_root": (0, 0),
    "process_madvise": (-1, 0, 0, 0, 1 << 30),
    "ptrace": (3, 0, 0, 0),
    "request_key": (0, 0, 0, 0),
    "seccomp": (9999, 0, 0),
    "semget": (0, -1, 0),
    "sendfile": (-1, -1, 0, 0),
    "sendmsg": (-1, 0, 0),
    "setns": (-1, 0),
    "setrlimit": (9999, 0),
    "shmget": (0, 0, 0),
    "splice": (-1, 0, -1, 0, 1, 0),
    "swapon": (0, 0),
    "tee": (-1, -1, 1, 0),
    "timer_create": (9999, 0, 0),
    "umount2": (0, 1 << 30),
    "unshare": (1,),
    "userfaultfd": (1 << 30,),
    "vmsplice": (-1, 0, 0, 0),
}


def looked_at(numbers):
    """The names of the system calls that the kernel did look at."""
    found = []
    for name, arguments in LOOKED_AT.items():
        result = LIBC.syscall(ctypes.c_long(numbers[name]), *(ctypes.c_long(value) for value in arguments))
        if result != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            found.append(name)
    return found


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    os.chdir(told["outside"])
    print(json.dumps([escaped(told, WAYS), looked_at(told["numbers"])]))
