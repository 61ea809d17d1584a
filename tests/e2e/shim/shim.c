/* Stand between one process and the kernel: count the calls that last, and let one of them go wrong.
 *
 * Loaded by LD_PRELOAD. Counted are calls that change a file below SHIM_ROOT or send on an internet socket, in the
 * order in which they come, over all threads of the first process; its children are left alone. At the call with the
 * number SHIM_AT:
 *   kill   the process is killed before it
 *   tear   the process is killed after half of it, where it writes or sends; after it, where it does not
 *   once   it fails, and nothing was done
 *   ever   it fails, and so does every later one of its kind: on files, or on sockets
 * Without SHIM_AT the calls are only written down, one name a line, in the file SHIM_LOG.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OTHER, FILES, SOCKETS };
enum mode { COUNT, KILL, TEAR, ONCE, EVER };
enum verdict { GO, HALF, REFUSE };

static const char *root;
static size_t root_length;
static int log_descriptor = -1;
static long at;
static enum mode mode;
static pid_t owner;
static atomic_long calls;
static atomic_int dead; /* the kind that fails for ever */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Begin to count in this process, as its environment says. A process that forks calls it in its child. */
__attribute__((constructor)) void shim_begin(void) {
    static const char *const names[] = {"count", "kill", "tear", "once", "ever"};
    const char *wanted = getenv("SHIM_MODE"), *number = getenv("SHIM_AT"), *path = getenv("SHIM_LOG");
    root = getenv("SHIM_ROOT");
    if (!root || getenv("SHIM_OWNER")) return;
    root_length = strlen(root);
    owner = getpid();
    setenv("SHIM_OWNER", "taken", 1);
    for (int i = 0; wanted && i < 5; i++)
        if (!strcmp(wanted, names[i])) mode = (enum mode)i;
    at = number ? atol(number) : 0;
    if (path) log_descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) { return path && !strncmp(path, root, root_length); }

static enum kind kind_of(int descriptor) {
    char link[64], target[PATH_MAX];
    int domain;
    socklen_t size = sizeof domain;
    if (descriptor == log_descriptor) return OTHER;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return OTHER;
    target[length] = 0;
    if (below(target)) return FILES;
    if (strncmp(target, "socket:", 7)) return OTHER;
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size)) return OTHER;
    return domain == AF_INET || domain == AF_INET6 ? SOCKETS : OTHER;
}

static void end(void) {
    syscall(SYS_kill, owner, SIGKILL);
    for (;;) pause();
}

static enum verdict judge(const char *name, enum kind kind) {
    if (!owner || kind == OTHER || getpid() != owner) return GO;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (log_descriptor >= 0) dprintf(log_descriptor, "%s\n", name);
    if (atomic_load(&dead) == (int)kind) return REFUSE;
    if (!at || number != at) return GO;
    switch (mode) {
    case KILL: end(); break;
    case TEAR: return HALF;
    case ONCE: return REFUSE;
    case EVER: atomic_store(&dead, kind); return REFUSE;
    case COUNT: break;
    }
    return GO;
}

static int refused(enum kind kind, int full) {
    errno = kind == SOCKETS ? ECONNRESET : full ? ENOSPC : EIO;
    return -1;
}

/* A call without a length: refused, or done and then, where it tears, the end. */
#define WHOLE(kind_expression, type, name, ...)                      \
    do {                                                             \
        enum kind kind_ = (kind_expression);                         \
        enum verdict verdict_ = judge(#name, kind_);                 \
        if (verdict_ == REFUSE) return (type)refused(kind_, 0);      \
        type result_ = REAL(name)(__VA_ARGS__);                      \
        if (verdict_ == HALF) end();                                 \
        return result_;                                              \
    } while (0)

/* A call that brings `length` bytes. */
#define BYTES(name, descriptor, length, ...)                         \
    do {                                                             \
        enum kind kind_ = kind_of(descriptor);                       \
        enum verdict verdict_ = judge(#name, kind_);                 \
        if (verdict_ == REFUSE) return refused(kind_, 1);            \
        if (verdict_ == HALF) length /= 2;                           \
        ssize_t result_ = REAL(name)(__VA_ARGS__);                   \
        if (verdict_ == HALF) end();                                 \
        return result_;                                              \
    } while (0)

ssize_t write(int fd, const void *data, size_t length) { BYTES(write, fd, length, fd, data, length); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { BYTES(pwrite, fd, length, fd, data, length, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { BYTES(pwrite64, fd, length, fd, data, length, offset); }
ssize_t send(int fd, const void *data, size_t length, int flags) { BYTES(send, fd, length, fd, data, length, flags); }
ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    BYTES(sendto, fd, length, fd, data, length, flags, to, size);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { WHOLE(kind_of(fd), ssize_t, sendmsg, fd, message, flags); }
ssize_t writev(int fd, const struct iovec *parts, int count) { WHOLE(kind_of(fd), ssize_t, writev, fd, parts, count); }
int fsync(int fd) { WHOLE(kind_of(fd), int, fsync, fd); }
int fdatasync(int fd) { WHOLE(kind_of(fd), int, fdatasync, fd); }
int ftruncate(int fd, off_t length) { WHOLE(kind_of(fd), int, ftruncate, fd, length); }
int ftruncate64(int fd, off64_t length) { WHOLE(kind_of(fd), int, ftruncate64, fd, length); }

static enum kind path_kind(const char *one, const char *other) { return below(one) || below(other) ? FILES : OTHER; }

int rename(const char *from, const char *to) { WHOLE(path_kind(from, to), int, rename, from, to); }
int renameat(int a, const char *from, int b, const char *to) { WHOLE(path_kind(from, to), int, renameat, a, from, b, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned int flags) {
    WHOLE(path_kind(from, to), int, renameat2, a, from, b, to, flags);
}
int link(const char *from, const char *to) { WHOLE(path_kind(from, to), int, link, from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { WHOLE(path_kind(from, to), int, linkat, a, from, b, to, flags); }
int unlink(const char *path) { WHOLE(path_kind(path, 0), int, unlink, path); }
int unlinkat(int fd, const char *path, int flags) { WHOLE(path_kind(path, 0), int, unlinkat, fd, path, flags); }
int mkdir(const char *path, mode_t rights) { WHOLE(path_kind(path, 0), int, mkdir, path, rights); }
int rmdir(const char *path) { WHOLE(path_kind(path, 0), int, rmdir, path); }
