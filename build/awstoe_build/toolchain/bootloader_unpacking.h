/* Unpacks a file of the archive in one piece by libdeflate, which takes a third of the time that zlib
 * takes for many small ones. bootloader.py puts the call in.
 */
#ifndef AWSTOE_BOOTLOADER_UNPACKING_H
#define AWSTOE_BOOTLOADER_UNPACKING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "zlib.h"

#include "libdeflate/lib/deflate_decompress.c"
#include "libdeflate/lib/utils.c"
#include "libdeflate/lib/arm/cpu_features.c"
#include "libdeflate/lib/x86/cpu_features.c"

/* Around the deflated data, as zlib writes it. */
enum { AWSTOE_HEAD = 2, AWSTOE_SUM = 4 };

/* Inflate what follows in the archive; 0, or -1 if it is damaged. */
static int
awstoe_inflate(const unsigned char *packed, size_t packed_size, unsigned char *content, size_t size)
{
    const unsigned char *sum = packed + packed_size - AWSTOE_SUM;
    uint32_t expected;
    enum libdeflate_result result;
    struct libdeflate_decompressor *tool;
    if (packed_size < AWSTOE_HEAD + AWSTOE_SUM) {
        return -1;
    }
    tool = libdeflate_alloc_decompressor();
    if (tool == NULL) {
        return -1;
    }
    result = libdeflate_deflate_decompress(
        tool, packed + AWSTOE_HEAD, packed_size - AWSTOE_HEAD - AWSTOE_SUM, content, size, NULL);
    libdeflate_free_decompressor(tool);
    expected = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    return result == LIBDEFLATE_SUCCESS && adler32(1, content, (uInt)size) == expected ? 0 : -1;
}

/* Inflate what follows in the archive and write it; 0, or -1 if that failed. */
static int
awstoe_unpack(FILE *archive, size_t packed_size, size_t size, FILE *out)
{
    unsigned char *packed = malloc(packed_size + 1);
    unsigned char *content = malloc(size + 1);
    int result = -1;
    if (packed != NULL && content != NULL && fread(packed, 1, packed_size, archive) == packed_size
        && awstoe_inflate(packed, packed_size, content, size) == 0
        && fwrite(content, 1, size, out) == size) {
        result = 0;
    }
    free(packed);
    free(content);
    return result;
}

#endif
