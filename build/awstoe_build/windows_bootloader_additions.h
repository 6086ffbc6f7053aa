/* What awstoe's boot loader for Windows does besides PyInstaller's. windows_bootloader.py puts the
 * calls in.
 *
 * - The folder it unpacks to is searched for libraries in this process only, not in children.
 * - The folder to unpack to: more places than one are tried, and its name does not depend on the C
 *   library, of which Wine's cuts it.
 * - It does not wait for the end of the session after a program that has ended by itself.
 */
#ifndef AWSTOE_WINDOWS_BOOTLOADER_ADDITIONS_H
#define AWSTOE_WINDOWS_BOOTLOADER_ADDITIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define AWSTOE_PATH_SIZE 4096

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */

/* The folder to try next, with a backslash at its end; 0 if there is none. */
static inline DWORD
awstoe_place(int attempt, wchar_t *path)
{
    DWORD length;
    switch (attempt) {
        case 0:
        case 1:
            return GetTempPathW(AWSTOE_PATH_SIZE, path); /* TMP, TEMP, USERPROFILE */
        case 2:
            length = GetWindowsDirectoryW(path, AWSTOE_PATH_SIZE - 6);
            return length > 0 && wcscat(path, L"\\Temp\\") ? length : 0;
        default:
            length = GetModuleFileNameW(NULL, path, AWSTOE_PATH_SIZE);
            if (length == 0 || length >= AWSTOE_PATH_SIZE || wcsrchr(path, L'\\') == NULL) {
                return 0;
            }
            wcsrchr(path, L'\\')[1] = L'\0';
            return length;
    }
}

/* A name for the folder to unpack to, to be freed; NULL if there is none to try. */
static inline wchar_t *
awstoe_folder_name(const wchar_t *prefix, int attempt)
{
    static wchar_t place[AWSTOE_PATH_SIZE];
    wchar_t *name;
    unsigned number;
    size_t size;
    if (awstoe_place(attempt, place) == 0 || !SystemFunction036(&number, sizeof(number))) {
        return NULL;
    }
    size = wcslen(place) + wcslen(prefix) + 9;
    name = malloc(size * sizeof(wchar_t));
    if (name != NULL) {
        _snwprintf(name, size, L"%ls%ls%08x", place, prefix, number);
    }
    return name;
}

/* Find libraries in the folder, whether they are asked for by name or by another library. */
static inline void
awstoe_search_libraries(const wchar_t *folder)
{
    SetDllDirectoryW(NULL); /* that of a frozen program that started this one */
    AddDllDirectory(folder);
}

/* Whether the program gave an exit code of its own: Windows ends programs with greater ones. */
static inline int
awstoe_ended_by_itself(HANDLE program)
{
    DWORD code;
    return GetExitCodeProcess(program, &code) && code < 0x100;
}

#endif
