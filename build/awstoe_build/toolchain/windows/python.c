/* python.exe: the interpreter itself is in python313.dll, beside it. */
#include <stdio.h>
#include <windows.h>

typedef int (*python_main)(int, wchar_t **);

int
wmain(int count, wchar_t **arguments)
{
    HMODULE library = LoadLibraryW(L"python313.dll");
    python_main start = library ? (python_main)(void *)GetProcAddress(library, "Py_Main") : NULL;
    if (start == NULL) {
        fwprintf(stderr, L"python: cannot load python313.dll: error %lu\n", GetLastError());
        return 1;
    }
    return start(count, arguments);
}
