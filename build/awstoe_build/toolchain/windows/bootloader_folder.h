/* Which folder awstoe's bootloader for Windows unpacks to, and which folders it removes.
 * windows/bootloader.py inserts the calls.
 *
 * - Libraries are loaded from the unpack folder, with this user's rights. Its access list is
 *   protected: it inherits nothing from its parent. Both processes keep it open, so that nobody can
 *   rename or replace it or a folder that leads to it, whatever the access list of the parent says.
 *   Its path has no links.
 * - Both processes also keep a file in it open, the mark. A later start removes a folder of this
 *   user that has the mark and whose mark nobody has open. Other one-file programs have folders
 *   with such names too, but no mark.
 * - If the bootloader is killed while the program runs, the program starts its own file again as a
 *   cleaner, which waits for the end of the program and removes the folder: until then, Windows
 *   protects the libraries in it.
 */
#ifndef AWSTOE_WINDOWS_BOOTLOADER_FOLDER_H
#define AWSTOE_WINDOWS_BOOTLOADER_FOLDER_H

#include <aclapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#include "bootloader_additions.h"
#include "pyi_utils.h"

#define AWSTOE_MARK_NAME L".awstoe"
#define AWSTOE_MARK L"\\" AWSTOE_MARK_NAME
#define AWSTOE_CLEAN L"_PYI_AWSTOE_CLEAN"

enum {
    AWSTOE_ENDING_MILLISECONDS = 60000, /* how long the cleaner waits for the program */
    AWSTOE_ATTEMPTS = 40,               /* to remove the folder; virus scanners keep files open */
    AWSTOE_PAUSE_MILLISECONDS = 500
};

static int _pyi_recursive_rmdir(const wchar_t *folder);

static HANDLE awstoe_folder = INVALID_HANDLE_VALUE;
static HANDLE awstoe_mark = INVALID_HANDLE_VALUE;

/* Whether an open file or folder belongs to this user, or to the group of administrators, if that
 * owns what this process creates. */
static int
awstoe_is_own(HANDLE object)
{
    BYTE user[256];
    BYTE group[256];
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    HANDLE token = NULL;
    DWORD size;
    int result = 0;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return 0;
    }
    if (GetTokenInformation(token, TokenUser, user, sizeof user, &size)
        && GetTokenInformation(token, TokenOwner, group, sizeof group, &size)
        && GetSecurityInfo(object, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
               NULL, &descriptor) == ERROR_SUCCESS) {
        result = owner != NULL
            && (EqualSid(owner, ((TOKEN_USER *)user)->User.Sid)
                || EqualSid(owner, ((TOKEN_OWNER *)group)->Owner));
    }
    LocalFree(descriptor);
    CloseHandle(token);
    return result;
}

/* Open a file or folder of this user: INVALID_HANDLE_VALUE if it is a link or not this user's. */
static HANDLE
awstoe_open_own(const wchar_t *path, DWORD sharing)
{
    BY_HANDLE_FILE_INFORMATION facts;
    HANDLE object = CreateFileW(path, GENERIC_READ, sharing, NULL, OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (object != INVALID_HANDLE_VALUE
        && (!GetFileInformationByHandle(object, &facts)
            || (facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) || !awstoe_is_own(object))) {
        CloseHandle(object);
        return INVALID_HANDLE_VALUE;
    }
    return object;
}

/* Open a folder of this user. As long as it is open, nobody can rename or remove it. */
static HANDLE
awstoe_open_folder(const wchar_t *path)
{
    return awstoe_open_own(path, FILE_SHARE_READ | FILE_SHARE_WRITE);
}

static HANDLE
awstoe_open_mark(const wchar_t *folder, DWORD sharing)
{
    wchar_t path[PYI_PATH_MAX];
    if (wcslen(folder) + wcslen(AWSTOE_MARK) >= PYI_PATH_MAX) {
        return INVALID_HANDLE_VALUE;
    }
    wcscpy(path, folder);
    wcscat(path, AWSTOE_MARK);
    return awstoe_open_own(path, sharing);
}

static void
awstoe_release_folder(void)
{
    if (awstoe_mark != INVALID_HANDLE_VALUE) {
        CloseHandle(awstoe_mark);
    }
    if (awstoe_folder != INVALID_HANDLE_VALUE) {
        CloseHandle(awstoe_folder);
    }
    awstoe_mark = awstoe_folder = INVALID_HANDLE_VALUE;
}

/* Return the path of an open folder without links and without the prefix for long paths, which the
 * caller frees, or NULL. */
static wchar_t *
awstoe_path_of(HANDLE folder)
{
    static const wchar_t unc[] = L"\\\\?\\UNC\\";
    wchar_t path[PYI_PATH_MAX];
    DWORD length = GetFinalPathNameByHandleW(folder, path, PYI_PATH_MAX, FILE_NAME_NORMALIZED);
    if (length == 0 || length >= PYI_PATH_MAX) {
        return NULL;
    }
    if (wcsncmp(path, unc, 8) == 0) {
        path[6] = L'\\';
        return _wcsdup(path + 6);
    }
    return _wcsdup(wcsncmp(path, unc, 4) == 0 ? path + 4 : path);
}

/* Create the unpack folder and its mark, keep both open, and replace the path by the one without
 * links. Return 0 if that fails. */
static int
awstoe_make_folder(wchar_t **path, SECURITY_ATTRIBUTES *access)
{
    wchar_t mark[PYI_PATH_MAX];
    wchar_t *resolved;
    if (*path == NULL || !CreateDirectoryW(*path, access)) {
        return 0;
    }
    awstoe_folder = awstoe_open_folder(*path);
    resolved = awstoe_folder == INVALID_HANDLE_VALUE ? NULL : awstoe_path_of(awstoe_folder);
    if (resolved != NULL && wcslen(resolved) + wcslen(AWSTOE_MARK) < PYI_PATH_MAX) {
        wcscpy(mark, resolved);
        wcscat(mark, AWSTOE_MARK);
        awstoe_mark = CreateFileW(mark, GENERIC_READ, FILE_SHARE_READ, NULL, CREATE_NEW,
            FILE_ATTRIBUTE_HIDDEN, NULL);
    }
    if (awstoe_mark == INVALID_HANDLE_VALUE) {
        awstoe_release_folder();
        RemoveDirectoryW(*path);
        free(resolved);
        return 0;
    }
    free(*path);
    *path = resolved;
    return 1;
}

/* Keep the unpack folder and its mark open until the program's process ends. Return -1, with a
 * message, if they are not this user's: nothing may be loaded from there. */
int
awstoe_hold_folder(const char *path)
{
    wchar_t folder[PYI_PATH_MAX];
    wchar_t *resolved = NULL;
    if (pyi_win32_utf8_to_wcs(path, folder, PYI_PATH_MAX) != NULL) {
        awstoe_folder = awstoe_open_folder(folder);
        awstoe_mark = awstoe_open_mark(folder, FILE_SHARE_READ);
        resolved = awstoe_folder == INVALID_HANDLE_VALUE ? NULL : awstoe_path_of(awstoe_folder);
    }
    if (awstoe_mark == INVALID_HANDLE_VALUE || resolved == NULL || _wcsicmp(resolved, folder)) {
        PYI_ERROR("awstoe: nothing is loaded from %s: it is not this user's. Set TMP to a folder"
            " that only you can write to\n", path);
        return -1;
    }
    free(resolved);
    return 0;
}

/* Remove the mark of a folder if nothing else is left in it: a folder that was removed only in part
 * still counts as abandoned. It fails as long as somebody has the mark open. */
static void
awstoe_remove_mark(const wchar_t *folder)
{
    wchar_t path[PYI_PATH_MAX];
    WIN32_FIND_DATAW entry;
    HANDLE search;
    int others = 0;
    if (wcslen(folder) + wcslen(AWSTOE_MARK) >= PYI_PATH_MAX) {
        return;
    }
    wcscpy(path, folder);
    wcscat(path, L"\\*");
    search = FindFirstFileW(path, &entry);
    if (search == INVALID_HANDLE_VALUE) {
        return;
    }
    do {
        others += wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0
            && wcscmp(entry.cFileName, AWSTOE_MARK_NAME) != 0;
    } while (FindNextFileW(search, &entry));
    FindClose(search);
    if (others == 0) {
        wcscpy(path, folder);
        wcscat(path, AWSTOE_MARK);
        DeleteFileW(path);
    }
}

/* Remove everything but the mark, which somebody has open, then the mark and the folder. */
static int
awstoe_remove_twice(const wchar_t *folder, void (*release)(void))
{
    int result;
    _pyi_recursive_rmdir(folder);
    release();
    result = _pyi_recursive_rmdir(folder);
    if (result != 0 && GetFileAttributesW(folder) == INVALID_FILE_ATTRIBUTES
        && (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND)) {
        return 0; /* a step, or another start, was faster */
    }
    return result;
}

/* Remove the unpack folder at the end. */
int
awstoe_remove_folder(const char *path)
{
    wchar_t folder[PYI_PATH_MAX];
    if (pyi_win32_utf8_to_wcs(path, folder, PYI_PATH_MAX) == NULL) {
        return -1;
    }
    return awstoe_remove_twice(folder, awstoe_release_folder);
}

/* Remove an unpack folder of this user if the processes that used it have died. */
static void
awstoe_remove_if_abandoned(const wchar_t *name)
{
    wchar_t *path;
    awstoe_folder = awstoe_open_folder(name);
    if (awstoe_folder == INVALID_HANDLE_VALUE) {
        return;
    }
    path = awstoe_path_of(awstoe_folder); /* the name may have links, which others may change */
    awstoe_mark = path == NULL ? INVALID_HANDLE_VALUE : awstoe_open_mark(path, 0);
    if (awstoe_mark != INVALID_HANDLE_VALUE) {
        awstoe_remove_twice(path, awstoe_release_folder);
    } else {
        awstoe_release_folder();
    }
    free(path);
}

/* Remove the abandoned folders beside ours. It takes no time from the program, which runs
 * meanwhile: the rest is left to a later start when the program ends. */
static void
awstoe_remove_abandoned(const char *own, HANDLE program)
{
    const HANDLE held[] = {awstoe_folder, awstoe_mark};
    wchar_t path[PYI_PATH_MAX];
    wchar_t ours[MAX_PATH];
    wchar_t *name;
    WIN32_FIND_DATAW entry;
    HANDLE search;
    if (pyi_win32_utf8_to_wcs(own, path, PYI_PATH_MAX - MAX_PATH) == NULL
        || (name = wcsrchr(path, L'\\')) == NULL || wcslen(++name) >= MAX_PATH) {
        return;
    }
    wcscpy(ours, name);
    wcscpy(name, L"_MEI*");
    search = FindFirstFileW(path, &entry);
    if (search == INVALID_HANDLE_VALUE) {
        return;
    }
    do {
        if (WaitForSingleObject(program, 0) != WAIT_TIMEOUT) {
            break;
        }
        if ((entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && wcscmp(entry.cFileName, ours)) {
            wcscpy(name, entry.cFileName);
            awstoe_remove_if_abandoned(path);
        }
    } while (FindNextFileW(search, &entry));
    FindClose(search);
    awstoe_folder = held[0];
    awstoe_mark = held[1];
}

/* If the program has started this process as a cleaner, wait for the end of the program and remove
 * its folder. Return whether this process is a cleaner. The variable holds a handle of the program
 * and the folder's path. A folder that is not abandoned is never removed, so it does no harm if
 * somebody else has set the variable. */
int
awstoe_clean(void)
{
    static wchar_t text[PYI_PATH_MAX];
    wchar_t system[MAX_PATH];
    wchar_t *folder;
    HANDLE program;
    int attempt;
    DWORD length = GetEnvironmentVariableW(AWSTOE_CLEAN, text, PYI_PATH_MAX);
    if (length == 0 || length >= PYI_PATH_MAX) {
        return 0;
    }
    program = (HANDLE)(size_t)wcstoull(text, &folder, 10);
    if (*folder != L' ') {
        return 0;
    }
    folder++;
    if (GetSystemDirectoryW(system, MAX_PATH) > 0) {
        SetCurrentDirectoryW(system); /* so that the folder that it was started in can be removed */
    }
    WaitForSingleObject(program, AWSTOE_ENDING_MILLISECONDS);
    for (attempt = 0; attempt < AWSTOE_ATTEMPTS; attempt++) {
        awstoe_remove_if_abandoned(folder);
        if (GetFileAttributesW(folder) == INVALID_FILE_ATTRIBUTES) {
            break;
        }
        Sleep(AWSTOE_PAUSE_MILLISECONDS);
    }
    return 1;
}

#endif
