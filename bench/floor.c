/* What no program can beat: the same shell started by a bare loop, and a helper that says when it ran.
 *
 *   floor loop COUNT FILE SYNC SHELL COMMAND
 *       COUNT times: append 1 KiB to FILE ("-": not at all), make it durable if SYNC is 1, then vfork, exec
 *       SHELL -c COMMAND and wait. Prints "begin end" of each round, nanoseconds since the epoch.
 *   floor stamp FIFO MILLISECONDS
 *       Sleep, then write the time, nanoseconds since the epoch, to FIFO and end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int loop(int count, const char *file, int sync, char *shell, char *command) {
    char *argv[] = {shell, "-c", command, NULL};
    char record[1024];
    long long *times = calloc(2 * (size_t)count, sizeof *times);
    int log = -1;
    memset(record, 'x', sizeof record);
    if (times == NULL) return fail("calloc");
    if (strcmp(file, "-") != 0) {
        log = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0) return fail(file);
    }
    for (int i = 0; i < count; i++) {
        times[2 * i] = now();
        if (log >= 0 && write(log, record, sizeof record) != sizeof record) return fail("write");
        if (log >= 0 && sync && fdatasync(log) != 0) return fail("fdatasync");
        pid_t child = vfork();
        if (child == 0) {
            execve(shell, argv, environ);
            _exit(127);
        }
        if (child < 0) return fail("vfork");
        int status;
        if (waitpid(child, &status, 0) < 0) return fail("waitpid");
        times[2 * i + 1] = now();
        if (status != 0) {
            fprintf(stderr, "the command failed with wait status %d\n", status);
            return 1;
        }
    }
    for (int i = 0; i < count; i++) printf("%lld %lld\n", times[2 * i], times[2 * i + 1]);
    return 0;
}

static int stamp(const char *fifo, long milliseconds) {
    struct timespec pause = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    char text[32];
    if (milliseconds > 0) nanosleep(&pause, NULL);
    int length = snprintf(text, sizeof text, "%lld\n", now());
    int out = open(fifo, O_WRONLY);
    if (out < 0) return fail(fifo);
    return write(out, text, (size_t)length) == length ? 0 : fail("write");
}

int main(int argc, char **argv) {
    if (argc == 7 && strcmp(argv[1], "loop") == 0)
        return loop(atoi(argv[2]), argv[3], atoi(argv[4]), argv[5], argv[6]);
    if (argc == 4 && strcmp(argv[1], "stamp") == 0) return stamp(argv[2], atol(argv[3]));
    fprintf(stderr, "usage: floor loop COUNT FILE SYNC SHELL COMMAND | floor stamp FIFO MILLISECONDS\n");
    return 2;
}
