/* What awstoe's boot loader does besides PyInstaller's. bootloader.py puts the calls in.
 *
 * - The folder to unpack to: not one whose file system refuses to run programs (noexec), and two
 *   more places are tried at the end.
 * - A signal never comes between making that folder and the moment from which it is forwarded: it
 *   waits, and the folder is always removed. A limit on the size of files (ulimit -f) is an error of
 *   writing, which is told, not a signal.
 * - A boot loader that is killed while it unpacks leaves nothing: a second process waits for that and
 *   removes the folder.
 * - The program is told by SIGTERM when the boot loader is killed. The signal waits until Python code
 *   can remove the folder, see frozen_start.py.
 * - A file is unpacked in one piece, in half the time.
 * - What is removed at the end is a folder of the owner that ours had, and no link. A step may have
 *   removed ours, as "rm -rf /tmp/..." does, and then anybody can put something in its place.
 */
#ifndef AWSTOE_BOOTLOADER_ADDITIONS_H
#define AWSTOE_BOOTLOADER_ADDITIONS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pyi_utils.h"

#ifndef ST_NOEXEC
    #define ST_NOEXEC 8 /* Linux's, which the headers show to GNU sources only */
#endif

static sigset_t awstoe_mask_before;
static int awstoe_holding;
static pid_t awstoe_parent;
static pid_t awstoe_guard = -1;
static int awstoe_guard_pipe = -1;
static void (*awstoe_size_limit)(int);
static uid_t awstoe_owner; /* of the folder: on a network's file system it may be another than us */

/* Let the signals that end a program wait. */
static void
awstoe_hold_signals(void)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGQUIT);
    awstoe_holding = sigprocmask(SIG_BLOCK, &ending, &awstoe_mask_before) == 0;
    awstoe_size_limit = signal(SIGXFSZ, SIG_IGN);
}

static void
awstoe_release_signals(void)
{
    if (awstoe_holding) {
        sigprocmask(SIG_SETMASK, &awstoe_mask_before, NULL);
    }
}

/* opendir(), for a folder whose content is going to be removed. */
static DIR *
awstoe_open_own_folder(const char *path)
{
    struct stat facts;
    DIR *folder = NULL;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) {
        return NULL;
    }
    if (fstat(descriptor, &facts) == 0 && facts.st_uid == awstoe_owner) {
        folder = fdopendir(descriptor);
    }
    if (folder == NULL) {
        close(descriptor);
    }
    return folder;
}

/* Have a process that removes the folder if this one ends without a word. */
static void
awstoe_start_guard(const char *folder)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return;
    }
    awstoe_guard = fork();
    if (awstoe_guard == 0) {
        char word;
        ssize_t got;
        setsid(); /* what kills the whole group does not reach it */
        close(ends[1]);
        do {
            got = read(ends[0], &word, 1);
        } while (got < 0 && errno == EINTR);
        if (got != 1) {
            pyi_recursive_rmdir(folder);
        }
        _exit(0);
    }
    close(ends[0]);
    if (awstoe_guard < 0) {
        close(ends[1]);
        return;
    }
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    awstoe_guard_pipe = ends[1];
}

/* The program's process cleans up from now on. */
static void
awstoe_end_guard(void)
{
    if (awstoe_guard_pipe < 0) {
        return;
    }
    while (write(awstoe_guard_pipe, "", 1) < 0 && errno == EINTR) {
    }
    close(awstoe_guard_pipe);
    awstoe_guard_pipe = -1;
    while (waitpid(awstoe_guard, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* mkdtemp(), for folders from which libraries can be loaded. */
static char *
awstoe_make_folder(char *path)
{
    struct statvfs system;
    struct stat facts;
    if (mkdtemp(path) == NULL) {
        return NULL;
    }
    if (statvfs(path, &system) == 0 && (system.f_flag & ST_NOEXEC) != 0) {
        rmdir(path);
        return NULL;
    }
    awstoe_owner = lstat(path, &facts) == 0 ? facts.st_uid : geteuid();
    awstoe_start_guard(path);
    return path;
}

/* The last place to unpack to: beside the program itself. */
static int
awstoe_beside_program(const char *program, char *path, int (*create)(char *))
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
        "awstoe: there is no folder to unpack to: tried TMPDIR, TEMP, TMP, /tmp, /var/tmp,"
        " /usr/tmp, /var/lib/awstoe and the program's own folder. One of them has to be writable"
        " and must not be mounted noexec: name another by TMPDIR\n");
    return -1;
}

/* In the parent, before the program's process is made. */
static void
awstoe_before_fork(void)
{
    awstoe_parent = getpid();
}

/* In the program's process, before it becomes the program. SIGTERM stays held until its Python code
 * lets it through; that is told who the boot loader is. */
static void
awstoe_in_child(void)
{
    char number[24];
    sigset_t mask = awstoe_mask_before;
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    signal(SIGXFSZ, awstoe_size_limit);
    snprintf(number, sizeof number, "%ld", (long)awstoe_parent);
    setenv("_PYI_AWSTOE_PARENT", number, 1);
    if (awstoe_holding) {
        if (!sigismember(&mask, SIGTERM)) {
            setenv("_PYI_AWSTOE_HELD", "1", 1);
            sigaddset(&mask, SIGTERM);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
    }
    if (getppid() != awstoe_parent) {
        raise(SIGTERM); /* the boot loader was killed before it could be asked for */
    }
}

#endif
