/* A library without code: windows_runtime.py says which names it forwards. */
int __stdcall
DllMainCRTStartup(void *instance, unsigned reason, void *reserved)
{
    (void)instance;
    (void)reason;
    (void)reserved;
    return 1;
}
