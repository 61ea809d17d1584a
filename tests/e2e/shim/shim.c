/* Stand between one process and the kernel: count the calls that last, and let one of them go wrong.
 *
 * Loaded by LD_PRELOAD. Counted are calls that change a file below SHIM_ROOT or send on an internet socket, in the
 * order in which they come, over all threads of the first process; its children are left alone. At the call with the
 * number SHIM_AT:
 *   kill   the process is killed before it
 *   tear   the process is killed after half of it, where it writes or sends; after it, where it does not
 *   once   it fails, and nothing was done
 *   ever   it fails, and so does every later one of its kind: on files, or on sockets
 *   cut    the power goes before it: the process is killed, and what it wrote into files and did not sync is undone; a
 *          folder that it made, and whose name it did not sync, is gone with all that is in it
 *   patch  the same, but every other of those writes has reached the disk, and the ones between them have not
 * Without SHIM_AT the calls are only written down, one name a line, in the file SHIM_LOG.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OTHER, FILES, SOCKETS };
enum mode { COUNT, KILL, TEAR, ONCE, EVER, CUT, PATCH };
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
    static const char *const names[] = {"count", "kill", "tear", "once", "ever", "cut", "patch"};
    const char *wanted = getenv("SHIM_MODE"), *number = getenv("SHIM_AT"), *path = getenv("SHIM_LOG");
    root = getenv("SHIM_ROOT");
    if (!root || getenv("SHIM_OWNER")) return;
    root_length = strlen(root);
    owner = getpid();
    setenv("SHIM_OWNER", "taken", 1);
    for (int i = 0; wanted && i < 7; i++)
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

/* What was written and not synced, newest first, and how it was before. */
struct undo {
    struct undo *older;
    int handle; /* of our own: SQLite's locks would go if it were ever closed */
    dev_t device;
    ino_t inode;
    off_t offset, size, wanted; /* the size before, and how many bytes are written */
    off_t length;               /* of what was there */
    int stays;
    char before[];
};

static pthread_mutex_t power = PTHREAD_MUTEX_INITIALIZER; /* held while something is written, and when the power goes */
static struct undo *newest;

static int forgetful(void) { return owner && getpid() == owner && (mode == CUT || mode == PATCH); }

static int same_file(const struct undo *undo, const struct stat *file) {
    return undo->device == file->st_dev && undo->inode == file->st_ino;
}

static int handle_of(int descriptor, const struct stat *file) {
    static struct { dev_t device; ino_t inode; int handle; } known[4096];
    static int count;
    char path[64];
    for (int i = 0; i < count; i++)
        if (known[i].device == file->st_dev && known[i].inode == file->st_ino) return known[i].handle;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int handle = open(path, O_RDWR | O_CLOEXEC);
    if (handle < 0 || count == 4096) abort(); /* nothing may be forgotten by the shim itself */
    known[count].device = file->st_dev;
    known[count].inode = file->st_ino;
    known[count].handle = handle;
    return known[count++].handle;
}

/* Remember how `length` bytes at `offset` are now, and how long the file is. */
static void remember(int descriptor, off_t offset, size_t length) {
    struct stat file;
    if (fstat(descriptor, &file) || !S_ISREG(file.st_mode)) return;
    if (fcntl(descriptor, F_GETFL) & O_DSYNC) return; /* it lasts once it is written */
    struct undo *undo = malloc(sizeof *undo + length);
    if (!undo) abort();
    undo->handle = handle_of(descriptor, &file);
    undo->device = file.st_dev;
    undo->inode = file.st_ino;
    undo->offset = offset;
    undo->size = file.st_size;
    undo->wanted = length;
    undo->length = syscall(SYS_pread64, undo->handle, undo->before, length, offset);
    undo->stays = 0;
    undo->older = newest;
    newest = undo;
}

/* Forget what `mark` and those before it say of a file: it is synced. */
static void synced(int descriptor, const struct undo *mark) {
    struct stat file;
    int reached = 0;
    if (fstat(descriptor, &file)) return;
    for (struct undo **link = &newest; *link;) {
        struct undo *undo = *link;
        if (undo == mark) reached = 1;
        if (reached && same_file(undo, &file)) undo->inode = 0; /* kept in the list: it may be somebody's mark */
        link = &undo->older;
    }
}

/* Folders that were made and whose names are not synced by the folders that they are in. */
struct made {
    struct made *older;
    dev_t device; /* of the folder that it is in */
    ino_t inode;  /* of the same; none once it is synced */
    char path[];
};

static struct made *newest_folder;

static void remember_folder(const char *path) {
    struct stat parent;
    size_t length = strlen(path);
    struct made *made = malloc(sizeof *made + length + 4);
    if (!made) abort();
    memcpy(made->path, path, length + 1);
    strcat(made->path, "/..");
    if (stat(made->path, &parent)) abort();
    made->path[length] = 0;
    made->device = parent.st_dev;
    made->inode = parent.st_ino;
    made->older = newest_folder;
    newest_folder = made;
}

static void synced_names(int descriptor) {
    struct stat folder;
    if (fstat(descriptor, &folder)) return;
    for (struct made *made = newest_folder; made; made = made->older)
        if (made->device == folder.st_dev && made->inode == folder.st_ino) made->inode = 0;
}

static void lose_folders(void) {
    char grave[PATH_MAX];
    int number = 0;
    for (struct made *made = newest_folder; made; made = made->older) {
        if (!made->inode) continue;
        snprintf(grave, sizeof grave, "%s.lost.%d", root, number++);
        syscall(SYS_rename, made->path, grave);
    }
}

/* Undo one write: what was there comes back, and what was not is zeros below `kept`, and gone beyond it. */
static void undo_one(const struct undo *undo, off_t kept) {
    static const char nothing[4096];
    struct stat file;
    off_t end = undo->offset + undo->wanted, from = undo->offset + undo->length;
    if (undo->length > 0) syscall(SYS_pwrite64, undo->handle, undo->before, undo->length, undo->offset);
    for (; from < end; from += sizeof nothing)
        syscall(SYS_pwrite64, undo->handle, nothing, end - from < 4096 ? end - from : 4096, from);
    off_t size = undo->size > kept ? undo->size : kept;
    if (!fstat(undo->handle, &file) && file.st_size > size) syscall(SYS_ftruncate, undo->handle, size);
}

static void lose_power(void) {
    int number = 0;
    for (struct undo *undo = newest; undo; undo = undo->older) {
        if (!undo->inode) continue;
        undo->stays = mode == PATCH && number++ % 2 == 0;
        if (undo->stays) continue;
        off_t kept = 0;
        for (const struct undo *later = newest; later != undo; later = later->older) {
            off_t end = later->offset + later->wanted;
            if (later->stays && later->device == undo->device && later->inode == undo->inode && end > kept) kept = end;
        }
        undo_one(undo, kept);
    }
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
    case CUT:
    case PATCH: pthread_mutex_lock(&power); lose_power(); lose_folders(); end(); break;
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

/* A call that brings `length` bytes, to `offset` where it is a file. */
#define BYTES(name, descriptor, offset, length, ...)                 \
    do {                                                             \
        enum kind kind_ = kind_of(descriptor);                       \
        enum verdict verdict_ = judge(#name, kind_);                 \
        if (verdict_ == REFUSE) return refused(kind_, 1);            \
        if (verdict_ == HALF) length /= 2;                           \
        int lasting_ = kind_ == FILES && forgetful();                \
        if (lasting_) pthread_mutex_lock(&power);                    \
        if (lasting_) remember(descriptor, offset, length);          \
        ssize_t result_ = REAL(name)(__VA_ARGS__);                   \
        if (lasting_) pthread_mutex_unlock(&power);                  \
        if (verdict_ == HALF) end();                                 \
        return result_;                                              \
    } while (0)

/* A call that changes how long a file is. */
#define LENGTH(name, descriptor, length)                             \
    do {                                                             \
        enum kind kind_ = kind_of(descriptor);                       \
        enum verdict verdict_ = judge(#name, kind_);                 \
        struct stat file_;                                           \
        if (verdict_ == REFUSE) return refused(kind_, 0);            \
        int lasting_ = kind_ == FILES && forgetful() && !fstat(descriptor, &file_); \
        if (lasting_) pthread_mutex_lock(&power);                    \
        if (lasting_) remember(descriptor, length, file_.st_size > length ? file_.st_size - length : 0); \
        int result_ = REAL(name)(descriptor, length);                \
        if (lasting_) pthread_mutex_unlock(&power);                  \
        if (verdict_ == HALF) end();                                 \
        return result_;                                              \
    } while (0)

/* A call after which what was written before it lasts. */
#define SYNC(name, descriptor)                                       \
    do {                                                             \
        enum kind kind_ = kind_of(descriptor);                       \
        enum verdict verdict_ = judge(#name, kind_);                 \
        if (verdict_ == REFUSE) return refused(kind_, 0);            \
        int lasting_ = kind_ == FILES && forgetful();                \
        if (lasting_) pthread_mutex_lock(&power);                    \
        const struct undo *mark_ = newest;                           \
        if (lasting_) pthread_mutex_unlock(&power);                  \
        int result_ = REAL(name)(descriptor);                        \
        if (lasting_) pthread_mutex_lock(&power);                    \
        if (lasting_ && !result_) synced(descriptor, mark_);         \
        if (lasting_ && !result_) synced_names(descriptor);          \
        if (lasting_) pthread_mutex_unlock(&power);                  \
        if (verdict_ == HALF) end();                                 \
        return result_;                                              \
    } while (0)

static off_t here(int descriptor) {
    return lseek(descriptor, 0, fcntl(descriptor, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t length) { BYTES(write, fd, here(fd), length, fd, data, length); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { BYTES(pwrite, fd, offset, length, fd, data, length, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { BYTES(pwrite64, fd, offset, length, fd, data, length, offset); }
ssize_t send(int fd, const void *data, size_t length, int flags) { BYTES(send, fd, 0, length, fd, data, length, flags); }
ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    BYTES(sendto, fd, 0, length, fd, data, length, flags, to, size);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { WHOLE(kind_of(fd), ssize_t, sendmsg, fd, message, flags); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (forgetful() && kind_of(fd) == FILES) abort(); /* nobody writes files so; if somebody does, it has to be remembered */
    WHOLE(kind_of(fd), ssize_t, writev, fd, parts, count);
}
int fsync(int fd) { SYNC(fsync, fd); }
int fdatasync(int fd) { SYNC(fdatasync, fd); }
int ftruncate(int fd, off_t length) { LENGTH(ftruncate, fd, length); }
int ftruncate64(int fd, off64_t length) { LENGTH(ftruncate64, fd, length); }

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
int mkdir(const char *path, mode_t rights) {
    enum kind kind = path_kind(path, 0);
    enum verdict verdict = judge("mkdir", kind);
    if (verdict == REFUSE) return refused(kind, 0);
    int lasting = kind == FILES && forgetful();
    if (lasting) pthread_mutex_lock(&power);
    int result = REAL(mkdir)(path, rights);
    if (lasting && !result) remember_folder(path);
    if (lasting) pthread_mutex_unlock(&power);
    if (verdict == HALF) end();
    return result;
}
int rmdir(const char *path) { WHOLE(path_kind(path, 0), int, rmdir, path); }
