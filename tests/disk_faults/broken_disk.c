/* Lets writes below a folder fail while a file says with which error: what a process sees of a disk that turns read-only
   or breaks under it. A file system that somebody writes to cannot be mounted read-only from outside.

   DISK_FOLDER  the folder
   DISK_FAULT   the file; it holds a number of errno, or is not there */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef int open_function(const char *, int, ...);

static int fault(void) {
    const char *name = getenv("DISK_FAULT");
    open_function *open_now = (open_function *)dlsym(RTLD_NEXT, "open64");
    int file = name == NULL ? -1 : open_now(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    char digits[16] = {0};
    ssize_t length = read(file, digits, sizeof digits - 1);
    close(file);
    return length > 0 ? atoi(digits) : 0;
}

static int is_inside(const char *path) {
    const char *folder = getenv("DISK_FOLDER");
    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether writing to this file has to fail now; errno says why. */
static int fails(int file) {
    char link[64], path[PATH_MAX] = {0};
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int inside = readlink(link, path, sizeof path - 1) > 0 && is_inside(path);
    int cause = inside ? fault() : 0;
    errno = cause == 0 ? saved : cause;
    return cause != 0;
}

static int open_or_fail(const char *function, const char *path, int flags, mode_t mode) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
    if (writes && is_inside(path) && fault() == EROFS) {
        errno = EROFS;
        return -1;
    }
    return ((open_function *)dlsym(RTLD_NEXT, function))(path, flags, mode);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                                               \
        va_end(rest);                                                                                                  \
        return open_or_fail(#name, path, flags, mode);                                                                 \
    }

#define FAILING(result, name, parameters, arguments)                                                                   \
    result name parameters {                                                                                           \
        if (fails(file))                                                                                               \
            return -1;                                                                                                 \
        return ((result(*) parameters)dlsym(RTLD_NEXT, #name))arguments;                                               \
    }

OPEN(open)
OPEN(open64)
FAILING(ssize_t, write, (int file, const void *bytes, size_t length), (file, bytes, length))
FAILING(ssize_t, pwrite, (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at))
FAILING(ssize_t, pwrite64, (int file, const void *bytes, size_t length, off64_t at), (file, bytes, length, at))
FAILING(int, ftruncate, (int file, off_t length), (file, length))
FAILING(int, ftruncate64, (int file, off64_t length), (file, length))
