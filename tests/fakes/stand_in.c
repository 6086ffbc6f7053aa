/* A Windows program that replaces awstoe: it prints its version, or keeps running for a minute. */
#include <stdio.h>
#include <windows.h>

int main(int count, char **arguments)
{
    if (count > 1 && arguments[1][0] == 's') {
        printf("running\n");
        fflush(stdout);
        Sleep(60000);
    }
    if (BROKEN_IN_PLACE && strstr(arguments[0], "\\bin\\awstoe.exe"))
        return 3;
    printf("awstoe " VERSION "\n");
    return 0;
}
