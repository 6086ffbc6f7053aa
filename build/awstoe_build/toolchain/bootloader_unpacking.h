/* Unpacks a file of the archive in one piece with libdeflate. That takes a third of the time that
 * zlib needs for many small pieces. Checks the archive's table before, so that a damaged file is
 * reported and nothing else happens. bootloader.py inserts the calls.
 */
#ifndef AWSTOE_BOOTLOADER_UNPACKING_H
#define AWSTOE_BOOTLOADER_UNPACKING_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pyi_archive.h"
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
    const unsigned char *sum;
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
    sum = packed + packed_size - AWSTOE_CHECKSUM;
    expected = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    return result == LIBDEFLATE_SUCCESS && adler32(1, content, (uInt)size) == expected ? 0 : -1;
}

/* Inflate the archive's next entry to memory. Return 0, or -1 if that failed. */
static int
awstoe_unpack_to(FILE *archive, size_t packed_size, unsigned char *content, size_t size)
{
    unsigned char *packed = malloc(packed_size + 1);
    int result = -1;
    if (packed != NULL && fread(packed, 1, packed_size, archive) == packed_size) {
        result = awstoe_inflate(packed, packed_size, content, size);
    }
    free(packed);
    return result;
}

/* Inflate the archive's next entry and write it to out. Return 0, or -1 if that failed. */
static int
awstoe_unpack(FILE *archive, size_t packed_size, size_t size, FILE *out)
{
    unsigned char *content = malloc(size + 1);
    int result = -1;
    if (content != NULL && awstoe_unpack_to(archive, packed_size, content, size) == 0
        && fwrite(content, 1, size, out) == size) {
        result = 0;
    }
    free(content);
    return result;
}

/* Whether one entry of the archive's table, with as many bytes left in the table, is sound: its
 * name ends in it, its content is in the archive, and its file will be in the unpack folder. */
static int
awstoe_is_entry_sound(const struct TOC_ENTRY *entry, size_t left, uint64_t archive_size)
{
    size_t length;
    if (left <= offsetof(struct TOC_ENTRY, name)) {
        return 0;
    }
    length = pyi_be32toh(entry->entry_length);
    if (length <= offsetof(struct TOC_ENTRY, name) || length > left
        || memchr(entry->name, '\0', length - offsetof(struct TOC_ENTRY, name)) == NULL
        || (uint64_t)pyi_be32toh(entry->offset) + pyi_be32toh(entry->length) > archive_size) {
        return 0;
    }
    return entry->name[0] != '/' && entry->name[0] != '\\' && strstr(entry->name, "..") == NULL;
}

/* Whether the archive, which ends with its cookie at a position in the file, is sound. table is the
 * table of contents as the file has it. */
static int
awstoe_is_archive_sound(
    const struct ARCHIVE_COOKIE *cookie, uint64_t cookie_at, const struct TOC_ENTRY *table)
{
    size_t left = cookie->toc_length;
    if (cookie->pkg_length > cookie_at + sizeof *cookie
        || (uint64_t)cookie->toc_offset + cookie->toc_length > cookie->pkg_length
        || memchr(cookie->python_libname, '\0', sizeof cookie->python_libname) == NULL
        || strpbrk(cookie->python_libname, "/\\") != NULL) {
        return 0;
    }
    while (left > 0) {
        size_t length;
        if (!awstoe_is_entry_sound(table, left, cookie->pkg_length)) {
            return 0;
        }
        length = pyi_be32toh(table->entry_length);
        table = (const struct TOC_ENTRY *)((const char *)table + length);
        left -= length;
    }
    return 1;
}

#endif
