/* Which folder awstoe's bootloader for Linux unpacks to, and which folders it removes.
 * bootloader.py inserts the calls.
 *
 * - Libraries are loaded from the unpack folder, with this user's rights. So no other user may be
 *   able to replace it: every folder that leads to it belongs to this user or to the system, and
 *   others cannot write to it, unless its sticky bit keeps them from renaming what is not theirs.
 * - It is never on a file system that is mounted noexec.
 * - Both processes hold a lock on it as long as they live. A file in it, the mark, says so: a later
 *   start removes a folder of this user that has the mark and that nobody locks. Other one-file
 *   programs have folders with such names too, but no mark.
 * - At the end, the folder is removed only if it is a real folder, not a link, and belongs to this
 *   user. A step may have removed ours, as "rm -rf /tmp/..." does, and then any user can create
 *   something else with its name.
 */
#ifndef AWSTOE_BOOTLOADER_FOLDER_H
#define AWSTOE_BOOTLOADER_FOLDER_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pyi_global.h"
#include "pyi_utils.h"

#ifndef ST_NOEXEC
    #define ST_NOEXEC 8 /* of Linux; the headers define it for GNU sources only */
#endif

#define AWSTOE_MARK ".awstoe"

enum {
    AWSTOE_NAME_LENGTH = 18,   /* "_MEI", 8 hexadecimal digits, 6 characters of mkdtemp() */
    AWSTOE_FIRST_FREE = 3,     /* the first descriptor that is no standard stream */
    AWSTOE_LOOK_INTERVAL = 256 /* names read between two looks whether the program has ended */
};

static int awstoe_skipped_unsafe; /* whether a place to unpack to was skipped for that reason */

/* Whether a folder's group is this user's alone: as is usual, it has the number of the user. With
 * an access list, the group's bits stand for the rights of others too. */
static int
awstoe_is_own_group(const char *path, const struct stat *facts)
{
    return facts->st_gid == getegid() && facts->st_gid == geteuid()
        && getxattr(path, "system.posix_acl_access", NULL, 0) < 0;
}

/* Whether no other user can replace what is in one folder. Whoever owns the root folder is the
 * system; in a user namespace, that may be another number than 0. */
static int
awstoe_is_level_safe(const char *path, uid_t system)
{
    struct stat facts;
    if (lstat(path, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return 0;
    }
    if (facts.st_uid != geteuid() && facts.st_uid != 0 && facts.st_uid != system) {
        return 0;
    }
    if (facts.st_mode & S_ISVTX) {
        return 1;
    }
    return (facts.st_mode & S_IWOTH) == 0
        && ((facts.st_mode & S_IWGRP) == 0 || awstoe_is_own_group(path, &facts));
}

/* Whether no other user can replace a folder, or one that leads to it. The path is absolute and
 * has no links. The check starts at the root, so that what has been checked stays as it is. */
static int
awstoe_is_path_safe(const char *path)
{
    char level[PYI_PATH_MAX];
    struct stat root;
    size_t end;
    if (path[0] != '/' || strlen(path) >= sizeof level || stat("/", &root) != 0
        || !awstoe_is_level_safe("/", root.st_uid)) {
        return 0;
    }
    for (end = 1; path[end - 1] != '\0' && path[end] != '\0'; end++) {
        end += strcspn(path + end, "/");
        memcpy(level, path, end);
        level[end] = '\0';
        if (!awstoe_is_level_safe(level, root.st_uid)) {
            return 0;
        }
        if (path[end] == '\0') {
            break;
        }
    }
    return 1;
}

/* Replace the path of a place to unpack to by the one without links. Return 0 if the place does not
 * exist or is not safe. */
static int
awstoe_resolve_place(char *path)
{
    char resolved[PATH_MAX];
    struct stat facts;
    if (realpath(path, resolved) == NULL || strlen(resolved) >= PYI_PATH_MAX
        || stat(resolved, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return 0;
    }
    if (!awstoe_is_path_safe(resolved)) {
        awstoe_skipped_unsafe = 1;
        return 0;
    }
    strcpy(path, resolved);
    return 1;
}

/* Open a folder of this user, to which others have none of some rights: -1 if it is a link or
 * anything else. The descriptor is none of a standard stream, even if those are closed, and
 * children do not get it. */
static int
awstoe_open_own(int parent, const char *path, mode_t rights)
{
    struct stat facts;
    int moved;
    int folder = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        return -1;
    }
    if (fstat(folder, &facts) != 0 || facts.st_uid != geteuid() || (facts.st_mode & rights) != 0) {
        close(folder);
        return -1;
    }
    moved = fcntl(folder, F_DUPFD_CLOEXEC, AWSTOE_FIRST_FREE);
    close(folder);
    return moved;
}

/* The same for an unpack folder, which nobody else can open. */
static int
awstoe_open_private(int parent, const char *path)
{
    return awstoe_open_own(parent, path, 077);
}

/* As opendir(), for a folder whose content will be removed: NULL if it is a link or not ours. */
static DIR *
awstoe_open_own_folder(const char *path)
{
    int folder = awstoe_open_own(AT_FDCWD, path, 0);
    DIR *opened = folder < 0 ? NULL : fdopendir(folder);
    if (opened == NULL && folder >= 0) {
        close(folder);
    }
    return opened;
}

/* As mkdtemp(), but fails where the folder would not be private, and where libraries cannot be
 * loaded from it. The folder stays locked until this process ends. */
static int
awstoe_make_private(char *path)
{
    struct statvfs system;
    int folder;
    int mark;
    if (mkdtemp(path) == NULL) {
        return 0;
    }
    folder = awstoe_open_private(AT_FDCWD, path);
    if (folder < 0 || fstatvfs(folder, &system) != 0 || (system.f_flag & ST_NOEXEC) != 0) {
        if (folder >= 0) {
            close(folder);
        }
        rmdir(path);
        return 0;
    }
    /* The lock comes first: a folder that has the mark and no lock counts as abandoned. */
    if (flock(folder, LOCK_SH | LOCK_NB) == 0) {
        mark = openat(folder, AWSTOE_MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (mark >= 0) {
            close(mark);
        }
    }
    return 1;
}

/* Lock the unpack folder that the program's process has got from the bootloader until the process
 * ends. Return -1, with a message, if the folder is not private: nothing may be loaded from it. */
int
awstoe_hold_folder(const char *path)
{
    char resolved[PATH_MAX];
    char parent[PYI_PATH_MAX];
    char *end;
    int folder = -1;
    snprintf(parent, sizeof parent, "%s", path);
    end = strrchr(parent, '/');
    if (end != NULL && end != parent) {
        *end = '\0';
        if (realpath(parent, resolved) != NULL && strcmp(parent, resolved) == 0
            && awstoe_is_path_safe(parent)) {
            folder = awstoe_open_private(AT_FDCWD, path);
        }
    } else if (end != NULL) {
        folder = awstoe_open_private(AT_FDCWD, path);
    }
    if (folder < 0) {
        PYI_ERROR("awstoe: nothing is loaded from %s: other users can change it, or it is not this"
            " user's. Set TMPDIR to a folder that only you can write to\n", path);
        return -1;
    }
    flock(folder, LOCK_SH | LOCK_NB);
    return 0;
}

/* Whether a lock on this file system keeps away every process that could use it. Machines that
 * share a network file system may not see each other's locks. */
static int
awstoe_is_local(int folder)
{
    struct statfs system;
    if (fstatfs(folder, &system) != 0) {
        return 0;
    }
    switch ((unsigned long)system.f_type) {
        case 0xEF53:     /* ext2, ext3, ext4 */
        case 0x58465342: /* XFS */
        case 0x9123683E: /* Btrfs */
        case 0x01021994: /* tmpfs */
        case 0x794C7630: /* overlay */
        case 0xF2F52010: /* F2FS */
        case 0x2FC12FC1: /* ZFS */
            return 1;
        default:
            return 0;
    }
}

/* Whether the program's process has ended. It can still be waited for. */
static int
awstoe_has_ended(pid_t program)
{
    siginfo_t facts;
    facts.si_pid = 0;
    return waitid(P_PID, (id_t)program, &facts, WEXITED | WNOHANG | WNOWAIT) != 0
        || facts.si_pid != 0;
}

/* Remove an unpack folder of this user if the processes that used it have died. */
static void
awstoe_remove_if_abandoned(int parent, const char *name, const char *path)
{
    struct stat mark;
    int folder = awstoe_open_private(parent, name);
    if (folder < 0) {
        return;
    }
    if (fstatat(folder, AWSTOE_MARK, &mark, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(mark.st_mode)
        && mark.st_uid == geteuid() && flock(folder, LOCK_EX | LOCK_NB) == 0) {
        pyi_recursive_rmdir(path);
    }
    close(folder);
}

/* Remove the abandoned folders beside ours. It takes no time from the program, which runs
 * meanwhile: the rest is left to a later start when the program ends. */
static void
awstoe_remove_abandoned(const char *own, pid_t program)
{
    char path[PYI_PATH_MAX];
    size_t length = (size_t)(strrchr(own, '/') - own) + 1;
    unsigned count = 0;
    struct dirent *entry;
    DIR *parent;
    memcpy(path, own, length);
    path[length] = '\0';
    parent = opendir(path);
    if (parent == NULL) {
        return;
    }
    while (awstoe_is_local(dirfd(parent)) && (entry = readdir(parent)) != NULL) {
        int is_unpacked = strncmp(entry->d_name, "_MEI", 4) == 0
            && strlen(entry->d_name) == AWSTOE_NAME_LENGTH
            && strcmp(entry->d_name, own + length) != 0;
        if ((is_unpacked || count++ % AWSTOE_LOOK_INTERVAL == 0) && awstoe_has_ended(program)) {
            break;
        }
        if (is_unpacked && length + AWSTOE_NAME_LENGTH < sizeof path) {
            strcpy(path + length, entry->d_name);
            awstoe_remove_if_abandoned(dirfd(parent), entry->d_name, path);
        }
    }
    closedir(parent);
}

/* Remove the mark of an open folder if nothing else is left in it: a folder that was removed only in
 * part still counts as abandoned. */
static void
awstoe_remove_mark(DIR *folder)
{
    struct dirent *entry;
    rewinddir(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0
            && strcmp(entry->d_name, AWSTOE_MARK) != 0) {
            return;
        }
    }
    unlinkat(dirfd(folder), AWSTOE_MARK, 0);
}

/* Remove the unpack folder at the end. A step may have removed it before; a later start may be
 * removing it at this moment, if a step has removed it and the program has made it again. */
int
awstoe_remove_folder(const char *path)
{
    struct stat facts;
    if (lstat(path, &facts) == 0 && pyi_recursive_rmdir(path) == 0) {
        return 0;
    }
    return lstat(path, &facts) != 0 && errno == ENOENT ? 0 : -1;
}

#endif
