/* A disk that takes long: what waits for it (msync, fsync, fdatasync) waits for so many milliseconds more as the file
 * SLOW_SYNC_FILE says, from one moment to the next. For LD_PRELOAD; cassandra.py --slow-disk builds it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void wait_for_disk(void) {
    /* Some callers look at it even where the call itself succeeds. */
    int before = errno;
    const char *path = getenv("SLOW_SYNC_FILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    int ms = 0;
    if (file) {
        if (fscanf(file, "%d", &ms) != 1) ms = 0;
        fclose(file);
    }
    if (ms > 0) {
        struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
        nanosleep(&time, NULL);
    }
    errno = before;
}

int msync(void *at, size_t length, int flags) {
    wait_for_disk();
    return ((int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync"))(at, length, flags);
}

int fsync(int fd) {
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
