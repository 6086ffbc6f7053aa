/* What awstoe's boot loader for Windows does besides PyInstaller's. windows_bootloader.py puts the
 * calls in.
 *
 * - The folder it unpacks to is searched for libraries in this process only, not in children.
 * - The folder to unpack to: more places than one are tried, and its name does not depend on the C
 *   library, of which Wine's cuts it.
 * - It does not wait for the end of the session after a program that has ended by itself.
 * - Who started it without a common console can ask its program to stop, from before anything is
 *   unpacked: by an event that has the boot loader's process id in its name. Ctrl-C and Ctrl-Break
 *   that come before there is a program set it too.
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

static HANDLE awstoe_stop;
static const HANDLE *awstoe_program;

/* Keep for the program what the console says before there is one; later it hears that itself. */
static BOOL WINAPI
awstoe_console(DWORD kind)
{
    if (awstoe_stop == NULL || *awstoe_program != NULL || kind == CTRL_LOGOFF_EVENT) {
        return FALSE;
    }
    SetEvent(awstoe_stop);
    if (kind != CTRL_C_EVENT && kind != CTRL_BREAK_EVENT) {
        Sleep(20000); /* the process is ended when this returns */
    }
    return TRUE;
}

/* Let others ask the program to stop; its handle will be in *program. It gets the event's handle by
 * an environment variable. */
static inline void
awstoe_listen(const HANDLE *program)
{
    wchar_t text[40];
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    _snwprintf(text, 40, L"Local\\awstoe-stop-%lu", GetCurrentProcessId());
    awstoe_stop = CreateEventW(&inherited, TRUE, FALSE, text);
    if (awstoe_stop == NULL || GetLastError() == ERROR_ALREADY_EXISTS) {
        /* Somebody lay in wait with that name: only the console can ask then. */
        if (awstoe_stop != NULL) {
            CloseHandle(awstoe_stop);
        }
        awstoe_stop = CreateEventW(&inherited, TRUE, FALSE, NULL);
    }
    awstoe_program = program;
    text[0] = L'\0';
    if (awstoe_stop != NULL) {
        _snwprintf(text, 40, L"%llu", (unsigned long long)(size_t)awstoe_stop);
        SetConsoleCtrlHandler(awstoe_console, TRUE);
    }
    _wputenv_s(L"_PYI_AWSTOE_STOP", text);
}

/* Hear the console before the handler that has come meanwhile, until there is a program. */
static inline void
awstoe_listen_first(void)
{
    if (awstoe_stop != NULL) {
        SetConsoleCtrlHandler(awstoe_console, FALSE);
        SetConsoleCtrlHandler(awstoe_console, TRUE);
    }
}

/* Whether the program gave an exit code of its own: Windows ends programs with greater ones. */
static inline int
awstoe_ended_by_itself(HANDLE program)
{
    DWORD code;
    return GetExitCodeProcess(program, &code) && code < 0x100;
}

#endif
