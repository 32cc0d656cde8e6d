/* A disk on which fdatasync takes SLOW_DISK_MS longer, for a Redis that is started with this as LD_PRELOAD. How much
   of the append-only file is safe from a power cut is kept in the file SLOW_DISK_SAFE, as decimal bytes; while the
   file SLOW_DISK_FULL is there, nothing can be written to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, ".incr.aof") != NULL;
}

int fdatasync(int fd) {
  struct stat before;
  if (fstat(fd, &before) != 0 || !is_log(fd)) return syscall(SYS_fdatasync, fd);
  usleep(1000 * atoi(getenv("SLOW_DISK_MS")));
  int result = syscall(SYS_fdatasync, fd);
  if (result == 0) {
    char text[32];
    int length = snprintf(text, sizeof text, "%020lld", (long long)before.st_size);
    int safe = open(getenv("SLOW_DISK_SAFE"), O_WRONLY | O_CREAT, 0600);
    syscall(SYS_pwrite64, safe, text, length, 0L);
    close(safe);
  }
  return result;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (access(getenv("SLOW_DISK_FULL"), F_OK) == 0 && is_log(fd)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_write, fd, bytes, length);
}
