/* Unpacks a file of the archive in one piece with libdeflate. That takes a third of the time that
 * zlib needs for many small pieces. bootloader.py inserts the call.
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

/* Sizes of what zlib's format has before and after the deflated data: header and checksum. */
enum { AWSTOE_HEADER = 2, AWSTOE_CHECKSUM = 4 };

/* Inflate data in zlib's format. Return 0, or -1 if the data is damaged or memory is short. */
static int
awstoe_inflate(const unsigned char *packed, size_t packed_size, unsigned char *content, size_t size)
{
    const unsigned char *sum = packed + packed_size - AWSTOE_CHECKSUM;
    uint32_t expected;
    enum libdeflate_result result;
    struct libdeflate_decompressor *decompressor;
    if (packed_size < AWSTOE_HEADER + AWSTOE_CHECKSUM) {
        return -1;
    }
    decompressor = libdeflate_alloc_decompressor();
    if (decompressor == NULL) {
        return -1;
    }
    result = libdeflate_deflate_decompress(decompressor, packed + AWSTOE_HEADER,
        packed_size - AWSTOE_HEADER - AWSTOE_CHECKSUM, content, size, NULL);
    libdeflate_free_decompressor(decompressor);
    expected = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    return result == LIBDEFLATE_SUCCESS && adler32(1, content, (uInt)size) == expected ? 0 : -1;
}

/* Inflate the archive's next entry and write it to out. Return 0, or -1 if that failed. */
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
