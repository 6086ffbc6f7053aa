/* What awstoe's bootloader for Linux does in addition to PyInstaller's. bootloader.py inserts the
 * calls; docs/bootloader.md describes what the bootloader and the program in it agree on.
 *
 * - Two more places to unpack to are tried after PyInstaller's. bootloader_folder.h decides whether
 *   a place will do.
 * - Signals that end a program are blocked from before the unpack folder is created until the
 *   bootloader forwards them, so that the folder is always removed. Exceeding a limit on file size
 *   (ulimit -f) is a write error, which is reported, and not a signal.
 * - If the bootloader is killed while it unpacks, a second process, the guard, notices that and
 *   removes the folder.
 * - If the bootloader is killed later, the kernel sends SIGTERM to the program. SIGTERM stays
 *   blocked in the program until its Python code can remove the folder: see inside/start.py.
 * - The caller's file mode mask does not apply to what is unpacked. Nor does it matter if the caller
 *   ignores SIGCHLD: the kernel would keep no exit status of the program.
 * - As the first process of a container, it also waits for orphans, which would stay zombies.
 */
#ifndef AWSTOE_BOOTLOADER_ADDITIONS_H
#define AWSTOE_BOOTLOADER_ADDITIONS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootloader_folder.h"
#include "pyi_utils.h"

static sigset_t awstoe_callers_mask;
static int awstoe_signals_blocked;
static pid_t awstoe_bootloader_pid;
static pid_t awstoe_guard_pid = -1;
static int awstoe_guard_pipe = -1;
static void (*awstoe_callers_sigxfsz)(int);
static void (*awstoe_callers_sigchld)(int);
static mode_t awstoe_callers_umask;

/* Block the signals that end a program. */
static void
awstoe_block_signals(void)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGQUIT);
    awstoe_signals_blocked = sigprocmask(SIG_BLOCK, &ending, &awstoe_callers_mask) == 0;
    awstoe_callers_sigxfsz = signal(SIGXFSZ, SIG_IGN);
    awstoe_callers_sigchld = signal(SIGCHLD, SIG_DFL);
    awstoe_callers_umask = umask(077);
}

static void
awstoe_unblock_signals(void)
{
    if (awstoe_signals_blocked) {
        sigprocmask(SIG_SETMASK, &awstoe_callers_mask, NULL);
    }
}

/* Start the guard: a process that removes the folder if this one dies before it dismisses the
 * guard. */
static void
awstoe_start_guard(const char *folder)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return;
    }
    awstoe_guard_pid = fork();
    if (awstoe_guard_pid == 0) {
        char byte;
        ssize_t count;
        setsid(); /* so that a signal to the whole process group does not reach it */
        close(ends[1]);
        do {
            count = read(ends[0], &byte, 1);
        } while (count < 0 && errno == EINTR);
        if (count != 1) {
            pyi_recursive_rmdir(folder);
        }
        _exit(0);
    }
    close(ends[0]);
    if (awstoe_guard_pid > 0) {
        awstoe_guard_pipe = fcntl(ends[1], F_DUPFD_CLOEXEC, AWSTOE_FIRST_FREE);
    }
    close(ends[1]);
}

/* Dismiss the guard: from now on the program's process removes the folder if this one dies. The
 * guard itself may have been killed, which must not end this process. */
static void
awstoe_dismiss_guard(void)
{
    void (*handler)(int);
    if (awstoe_guard_pipe < 0) {
        return;
    }
    handler = signal(SIGPIPE, SIG_IGN);
    while (write(awstoe_guard_pipe, "", 1) < 0 && errno == EINTR) {
    }
    signal(SIGPIPE, handler);
    close(awstoe_guard_pipe);
    awstoe_guard_pipe = -1;
    while (waitpid(awstoe_guard_pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* As mkdtemp(), but returns NULL if libraries must not be loaded from the folder, or cannot be. */
static char *
awstoe_make_folder(char *path)
{
    if (!awstoe_make_private(path)) {
        return NULL;
    }
    awstoe_start_guard(path);
    return path;
}

/* Create the unpack folder in the last place to try: beside the program itself. */
static int
awstoe_unpack_beside_program(const char *program, char *path, int (*create)(char *))
{
    const char *end = strrchr(program, '/');
    if (end == NULL || end == program) {
        return -1;
    }
    memcpy(path, program, (size_t)(end - program));
    path[end - program] = '\0';
    if (create(path) == 0) {
        return 0;
    }
    fprintf(stderr,
        "awstoe: no folder to unpack to: tried TMPDIR, TEMP, TMP, /tmp, /var/tmp, /usr/tmp,"
        " /var/lib/awstoe and the program's own folder. Set TMPDIR to a folder that is writable and"
        " not mounted noexec%s\n",
        awstoe_skipped_unsafe
            ? ". Folders in which other users can rename files were skipped: make such a folder"
              " sticky (chmod +t), or use one that only you can write to"
            : "");
    return -1;
}

/* Note the bootloader's process ID, before the program's process is forked. */
static void
awstoe_note_own_pid(void)
{
    awstoe_bootloader_pid = getpid();
}

/* Kill the program's process if the bootloader is killed before it lets the program go on. Nothing
 * else would end the wait for that; the guard removes the folder. */
static void
awstoe_end_with_bootloader(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != awstoe_bootloader_pid) {
        _exit(1); /* it was killed before prctl() took effect */
    }
}

/* Set up the program's process, before it starts Python. SIGTERM stays blocked until the Python
 * code unblocks it. Two environment variables pass that code the bootloader's process ID, and that
 * SIGTERM is blocked only for this purpose. */
static void
awstoe_set_up_child(void)
{
    char number[24];
    sigset_t mask = awstoe_callers_mask;
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    signal(SIGXFSZ, awstoe_callers_sigxfsz);
    signal(SIGCHLD, awstoe_callers_sigchld);
    umask(awstoe_callers_umask);
    snprintf(number, sizeof number, "%ld", (long)awstoe_bootloader_pid);
    setenv("_PYI_AWSTOE_PARENT", number, 1);
    if (awstoe_signals_blocked) {
        if (!sigismember(&mask, SIGTERM)) {
            setenv("_PYI_AWSTOE_HELD", "1", 1);
            sigaddset(&mask, SIGTERM);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
    }
    if (getppid() != awstoe_bootloader_pid) {
        raise(SIGTERM); /* the bootloader was killed before prctl() took effect */
    }
}

/* Wait for the program, and for every other child that ends before it. Return as waitpid(). */
static int
awstoe_wait(pid_t program, int *status)
{
    pid_t ended;
    do {
        ended = waitpid(-1, status, 0);
    } while (ended < 0 ? errno == EINTR : ended != program);
    return ended;
}

#endif
