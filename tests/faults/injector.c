/* A library for LD_PRELOAD that lets system calls of Python processes fail, kills them or lets them hang.

   What to do stands in the environment's FAULT, one word a setting, separated by spaces:
     calls=open,list,stat,create,write,read   which calls count: opening to read; listing a folder; asking for a file's
                                              size; making a file or a folder, or renaming; writing; reading
     path=GLOB       which files: the absolute path is compared, `*` stands for slashes too
     action=ENOSPC   name of an error that the call gives, or of a signal that the process gets, or `hang`
     nth=1           the first call that it happens to
     every=0         0: to that call alone; N: to each N-th call from there on
     last=0          with every: the last call that it happens to; 0: none is the last
     counter=FILE    where calls are counted, for all processes together; else each process counts its own
     program=python  name of the processes that it happens to

   Counting goes on whatever happens; with action=none it is all that is done. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { OPEN = 1, LIST = 2, STAT = 4, CREATE = 8, WRITE = 16, READ = 32 };

static struct {
    int calls;
    char path[PATH_MAX];
    int error, signal, hang;
    long nth, every, last;
    atomic_long *count;
} fault;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_long own_count;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static const struct { const char *name; int number; } ERRORS[] = {
    {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO},       {"ESTALE", ESTALE}, {"EROFS", EROFS},
    {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"ENOENT", ENOENT}, {"ENOTCONN", ENOTCONN},
    {"ETIMEDOUT", ETIMEDOUT}, {"EACCES", EACCES},
}, SIGNALS[] = {
    {"SIGKILL", SIGKILL}, {"SIGTERM", SIGTERM}, {"SIGSEGV", SIGSEGV}, {"SIGABRT", SIGABRT}, {"SIGSTOP", SIGSTOP},
    {"SIGBUS", SIGBUS},
}, CALLS[] = {
    {"open", OPEN}, {"list", LIST}, {"stat", STAT}, {"create", CREATE}, {"write", WRITE}, {"read", READ},
};
#define NUMBER(table, name) number_in(table, sizeof table / sizeof *table, name)

static int number_in(const void *table, size_t length, const char *name) {
    const __typeof__(*ERRORS) *rows = table;
    for (size_t row = 0; row < length; row++)
        if (!strcmp(rows[row].name, name)) return rows[row].number;
    return 0;
}

static atomic_long *shared_count(const char *path) {
    int file = REAL(open)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, sizeof(long))) abort();
    void *memory = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) abort();
    close(file);
    return memory;
}

static void take_in(const char *key, char *value) {
    if (!strcmp(key, "calls")) {
        char *rest;
        for (char *call = strtok_r(value, ",", &rest); call; call = strtok_r(NULL, ",", &rest))
            fault.calls |= NUMBER(CALLS, call);
    } else if (!strcmp(key, "path")) {
        snprintf(fault.path, sizeof fault.path, "%s", value);
    } else if (!strcmp(key, "action")) {
        fault.error = NUMBER(ERRORS, value);
        fault.signal = NUMBER(SIGNALS, value);
        fault.hang = !strcmp(value, "hang");
        if (!fault.error && !fault.signal && !fault.hang && strcmp(value, "none")) abort();
    } else if (!strcmp(key, "nth")) {
        fault.nth = atol(value);
    } else if (!strcmp(key, "every")) {
        fault.every = atol(value);
    } else if (!strcmp(key, "last")) {
        fault.last = atol(value);
    } else if (!strcmp(key, "counter")) {
        fault.count = shared_count(value);
    } else if (strcmp(key, "program")) {
        abort();
    }
}

static int is_meant(const char *settings) {
    char name[32] = "", wanted[32] = "python";
    const char *program = strstr(settings, "program=");
    if (program) sscanf(program, "program=%31s", wanted);
    int file = REAL(open)("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = REAL(read)(file, name, sizeof name - 1);
    close(file);
    return length > 0 && !strncmp(name, wanted, strlen(wanted));
}

static void set_up(void) {
    const char *settings = getenv("FAULT");
    if (!settings || !is_meant(settings)) return;
    fault.nth = 1;
    fault.count = &own_count;
    char *copy = strdup(settings), *rest, *inner;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *key = strtok_r(word, "=", &inner);
        take_in(key, inner);
    }
    free(copy);
}

static int is_due(long number) {
    if (fault.last && number > fault.last) return 0;
    return number == fault.nth || (fault.every && number > fault.nth && (number - fault.nth) % fault.every == 0);
}

/* Count a call on this absolute path; return the error that it has to give, or 0. */
static int meet(int call, const char *path) {
    if (!(fault.calls & call) || fnmatch(fault.path, path, 0)) return 0;
    if (!is_due(atomic_fetch_add(fault.count, 1) + 1)) return 0;
    if (fault.signal) kill(getpid(), fault.signal);
    while (fault.hang) pause();
    return fault.error;
}

static int meet_path(int call, int folder, const char *path) {
    pthread_once(&once, set_up);
    if (!(fault.calls & call) || !path) return 0;
    char whole[2 * PATH_MAX], base[PATH_MAX] = "";
    if (path[0] == '/') return meet(call, path);
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        if (readlink(link, base, sizeof base - 1) < 0) return 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    return meet(call, whole);
}

static int meet_file(int call, int file) {
    pthread_once(&once, set_up);
    if (!(fault.calls & call)) return 0;
    int before = errno;
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    return length > 0 && path[0] == '/' ? meet(call, path) : 0;
}

#define FAIL(check, result) \
    do { int error = (check); if (error) { errno = error; return result; } } while (0)
#define KIND(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR) ? CREATE : OPEN)

#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        FAIL(meet_path(KIND(flags), AT_FDCWD, path), -1); \
        return REAL(name)(path, flags, mode); \
    }
#define OPENER_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        FAIL(meet_path(KIND(flags), folder, path), -1); \
        return REAL(name)(folder, path, flags, mode); \
    }
#define STREAM_OPENER(name) \
    FILE *name(const char *path, const char *mode) { \
        FAIL(meet_path(mode[0] == 'r' && !strchr(mode, '+') ? OPEN : CREATE, AT_FDCWD, path), NULL); \
        return REAL(name)(path, mode); \
    }
OPENER(open) OPENER(open64) OPENER_AT(openat) OPENER_AT(openat64) STREAM_OPENER(fopen) STREAM_OPENER(fopen64)

DIR *opendir(const char *path) {
    FAIL(meet_path(LIST, AT_FDCWD, path), NULL);
    return REAL(opendir)(path);
}

DIR *fdopendir(int file) {
    FAIL(meet_file(LIST, file), NULL);
    return REAL(fdopendir)(file);
}

#define ASKER(name, type) \
    int name(const char *restrict path, struct type *restrict status) { \
        FAIL(meet_path(STAT, AT_FDCWD, path), -1); \
        return REAL(name)(path, status); \
    }
#define ASKER_AT(name, type) \
    int name(int folder, const char *restrict path, struct type *restrict status, int flags) { \
        FAIL(meet_path(STAT, folder, path), -1); \
        return REAL(name)(folder, path, status, flags); \
    }
ASKER(stat, stat) ASKER(stat64, stat64) ASKER(lstat, stat) ASKER(lstat64, stat64)
ASKER_AT(fstatat, stat) ASKER_AT(fstatat64, stat64)

int mkdir(const char *path, mode_t mode) {
    FAIL(meet_path(CREATE, AT_FDCWD, path), -1);
    return REAL(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
    FAIL(meet_path(CREATE, AT_FDCWD, to), -1);
    return REAL(rename)(from, to);
}

ssize_t read(int file, void *buffer, size_t size) {
    FAIL(meet_file(READ, file), -1);
    return REAL(read)(file, buffer, size);
}

ssize_t write(int file, const void *buffer, size_t size) {
    FAIL(meet_file(WRITE, file), -1);
    return REAL(write)(file, buffer, size);
}

ssize_t readv(int file, const struct iovec *parts, int number) {
    FAIL(meet_file(READ, file), -1);
    return REAL(readv)(file, parts, number);
}

ssize_t writev(int file, const struct iovec *parts, int number) {
    FAIL(meet_file(WRITE, file), -1);
    return REAL(writev)(file, parts, number);
}

#define READER_AT(name, offset_type) \
    ssize_t name(int file, void *buffer, size_t size, offset_type offset) { \
        FAIL(meet_file(READ, file), -1); \
        return REAL(name)(file, buffer, size, offset); \
    }
#define WRITER_AT(name, offset_type) \
    ssize_t name(int file, const void *buffer, size_t size, offset_type offset) { \
        FAIL(meet_file(WRITE, file), -1); \
        return REAL(name)(file, buffer, size, offset); \
    }
READER_AT(pread, off_t) READER_AT(pread64, off64_t) WRITER_AT(pwrite, off_t) WRITER_AT(pwrite64, off64_t)

ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    FAIL(meet_file(WRITE, to), -1);
    return REAL(sendfile64)(to, from, offset, size);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size, unsigned flags) {
    FAIL(meet_file(WRITE, to), -1);
    return REAL(copy_file_range)(from, from_offset, to, to_offset, size, flags);
}
