/* What awstoe's bootloader for Windows does in addition to PyInstaller's. windows/bootloader.py
 * inserts the calls; docs/bootloader.md describes what the bootloader and the program in it agree
 * on.
 *
 * - Libraries are searched in the system's folder and in the unpack folder only, and in the latter by
 *   this process only, not by its children: never in the current folder, in PATH or beside the
 *   program, where other users or downloads may have put something.
 * - The unpack folder is tried in more than one place, and its name does not depend on the C
 *   library, because Wine's truncates it.
 * - The bootloader does not wait for the end of the session after a program that exited by itself.
 * - A process that started the bootloader without sharing a console can ask the program to stop,
 *   from before anything is unpacked: it sets an event that has the bootloader's process ID in its
 *   name. Ctrl-C and Ctrl-Break that arrive before the program runs set the event too.
 */
#ifndef AWSTOE_WINDOWS_BOOTLOADER_ADDITIONS_H
#define AWSTOE_WINDOWS_BOOTLOADER_ADDITIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define AWSTOE_PATH_SIZE 4096

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */

/* Store the parent folder for an attempt, with a backslash at its end. Return 0 if it has none. */
static inline DWORD
awstoe_parent_folder(int attempt, wchar_t *path)
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

/* Return a name for the unpack folder, which the caller frees, or NULL if this attempt has none. */
static inline wchar_t *
awstoe_folder_name(const wchar_t *prefix, int attempt)
{
    static wchar_t parent[AWSTOE_PATH_SIZE];
    wchar_t *name;
    unsigned number;
    size_t size;
    if (awstoe_parent_folder(attempt, parent) == 0 || !SystemFunction036(&number, sizeof(number))) {
        return NULL;
    }
    size = wcslen(parent) + wcslen(prefix) + 9;
    name = malloc(size * sizeof(wchar_t));
    if (name != NULL) {
        _snwprintf(name, size, L"%ls%ls%08x", parent, prefix, number);
    }
    return name;
}

/* Search libraries in the system's folder only. This comes first of all. */
static inline void
awstoe_protect_libraries(void)
{
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32 | LOAD_LIBRARY_SEARCH_USER_DIRS);
    SetDllDirectoryW(NULL); /* forget the folder of a frozen program that started this one */
}

/* Search the folder for libraries, whether Python or another library loads them. */
static inline void
awstoe_add_library_folder(const wchar_t *folder)
{
    AddDllDirectory(folder);
}

static HANDLE awstoe_stop_event;
static const HANDLE *awstoe_program;

/* Set the event for console events that arrive before the program runs. Later ones reach the
 * program itself. */
static BOOL WINAPI
awstoe_console_handler(DWORD kind)
{
    if (awstoe_stop_event == NULL || *awstoe_program != NULL || kind == CTRL_LOGOFF_EVENT) {
        return FALSE;
    }
    SetEvent(awstoe_stop_event);
    if (kind != CTRL_C_EVENT && kind != CTRL_BREAK_EVENT) {
        Sleep(20000); /* Windows ends the process when this function returns */
    }
    return TRUE;
}

/* Create the event by which others ask the program to stop. The program inherits the event's handle
 * and finds its value in an environment variable. *program becomes the program's handle later. */
static inline void
awstoe_create_stop_event(const HANDLE *program)
{
    wchar_t text[40];
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    _snwprintf(text, 40, L"Local\\awstoe-stop-%lu", GetCurrentProcessId());
    awstoe_stop_event = CreateEventW(&inherited, TRUE, FALSE, text);
    if (awstoe_stop_event == NULL || GetLastError() == ERROR_ALREADY_EXISTS) {
        /* Another process has taken the name in advance. Only the console can ask in that case. */
        if (awstoe_stop_event != NULL) {
            CloseHandle(awstoe_stop_event);
        }
        awstoe_stop_event = CreateEventW(&inherited, TRUE, FALSE, NULL);
    }
    awstoe_program = program;
    text[0] = L'\0';
    if (awstoe_stop_event != NULL) {
        _snwprintf(text, 40, L"%llu", (unsigned long long)(size_t)awstoe_stop_event);
        SetConsoleCtrlHandler(awstoe_console_handler, TRUE);
    }
    _wputenv_s(L"_PYI_AWSTOE_STOP", text);
}

/* PyInstaller has added a handler of its own since then, and the last one added is called first.
 * Add ours again, so that it is called before that one until the program runs. */
static inline void
awstoe_move_console_handler_first(void)
{
    if (awstoe_stop_event != NULL) {
        SetConsoleCtrlHandler(awstoe_console_handler, FALSE);
        SetConsoleCtrlHandler(awstoe_console_handler, TRUE);
    }
}

/* Whether the program returned an exit code of its own. Codes of 0x100 and above come from Windows,
 * which ended the program. */
static inline int
awstoe_exited_by_itself(HANDLE program)
{
    DWORD code;
    return GetExitCodeProcess(program, &code) && code < 0x100;
}

#endif
