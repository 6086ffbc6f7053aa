/* A library without code: windows/runtime.py lists the names that it forwards. */
int __stdcall
DllMainCRTStartup(void *instance, unsigned reason, void *reserved)
{
    (void)instance;
    (void)reason;
    (void)reserved;
    return 1;
}
