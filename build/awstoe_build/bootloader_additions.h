/* What awstoe's boot loader does besides PyInstaller's. bootloader.py puts the calls in.
 *
 * - The folder to unpack to: not one whose file system refuses to run programs (noexec), and two
 *   more places are tried at the end.
 * - A signal never comes between making that folder and the moment from which it is forwarded: it
 *   waits, and the folder is always removed.
 * - The program is told by SIGTERM when the boot loader is killed.
 */
#ifndef AWSTOE_BOOTLOADER_ADDITIONS_H
#define AWSTOE_BOOTLOADER_ADDITIONS_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef ST_NOEXEC
    #define ST_NOEXEC 8 /* Linux's, which the headers show to GNU sources only */
#endif

static sigset_t awstoe_mask_before;
static int awstoe_holding;
static pid_t awstoe_parent;

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
}

static void
awstoe_release_signals(void)
{
    if (awstoe_holding) {
        sigprocmask(SIG_SETMASK, &awstoe_mask_before, NULL);
    }
}

/* mkdtemp(), for folders from which libraries can be loaded. */
static char *
awstoe_make_folder(char *path)
{
    struct statvfs facts;
    if (mkdtemp(path) == NULL) {
        return NULL;
    }
    if (statvfs(path, &facts) == 0 && (facts.f_flag & ST_NOEXEC) != 0) {
        rmdir(path);
        return NULL;
    }
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

/* In the program's process, before it becomes the program. */
static void
awstoe_in_child(void)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    awstoe_release_signals();
    if (getppid() != awstoe_parent) {
        raise(SIGTERM); /* the boot loader was killed before it could be asked for */
    }
}

#endif
