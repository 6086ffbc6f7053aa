/* A Windows program that stands for awstoe: it tells its version, or stays for a while. */
#include <stdio.h>
#include <windows.h>

int main(int count, char **words)
{
    if (count > 1 && words[1][0] == 's') {
        printf("running\n");
        fflush(stdout);
        Sleep(60000);
    }
    if (BROKEN_IN_PLACE && strstr(words[0], "\\bin\\awstoe.exe"))
        return 3;
    printf("awstoe " VERSION "\n");
    return 0;
}
