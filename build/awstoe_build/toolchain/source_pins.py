"""The pinned sources: Debian source packages of trixie, each with its version and hashes.

This module contains data only, so that a new version of one source changes the keys of its own
layer and of the layers that need it, and of no others.
"""

from typing import Final

from awstoe_build.toolchain.sources import Archive, Source

PYTHON: Final = Source(
    name="python3.13",
    version="3.13.5-2+deb13u5",
    folder="Python-3.13.5",
    upstream=Archive(
        "python3.13_3.13.5.orig.tar.xz",
        "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
    ),
    packaging=Archive(
        "python3.13_3.13.5-2+deb13u5.debian.tar.xz",
        "a51f456e654ce2c9b40cc1db8005e5041cdb0b2c3aa96ab0871c49fe95280366",
    ),
    patches=("CVE-*", "ssl-*", "dict-use-after-free.patch", "traverse-managed-dicts.patch"),
)
OPENSSL: Final = Source(
    name="openssl",
    version="3.5.7-1~deb13u2",
    folder="openssl-3.5.7",
    upstream=Archive(
        "openssl_3.5.7.orig.tar.gz",
        "a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
    ),
    packaging=Archive(
        "openssl_3.5.7-1~deb13u2.debian.tar.xz",
        "593a47654ead460a3b609503733f80bef552ff0802799d3b47784faacc50809f",
    ),
    patches=("[A-Z]*", "conf-*", "ssl-*"),
)
ZLIB: Final = Source(
    name="zlib",
    version="1:1.3.dfsg+really1.3.1-1",
    folder="zlib-1.3.1",
    upstream=Archive(
        "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
        "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
    ),
)
BZIP2: Final = Source(
    name="bzip2",
    version="1.0.8-6",
    folder="bzip2-1.0.8",
    upstream=Archive(
        "bzip2_1.0.8.orig.tar.gz",
        "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
    ),
)
XZ: Final = Source(
    name="xz-utils",
    version="5.8.1-1+deb13u1",
    folder="xz-5.8.1",
    upstream=Archive(
        "xz-utils_5.8.1.orig.tar.xz",
        "0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e",
    ),
    packaging=Archive(
        "xz-utils_5.8.1-1+deb13u1.debian.tar.xz",
        "0e48427971a9ce674ddbba26e34ac1dd009c683f3816ce17852d99dc7b0a8e46",
    ),
    patches=("*",),
)
LIBFFI: Final = Source(
    name="libffi",
    version="3.4.8-2",
    folder="libffi-3.4.8",
    upstream=Archive(
        "libffi_3.4.8.orig.tar.gz",
        "cbb7f0b3b095dc506387ec1e35b891bfb4891d05b90a495bc69a10f2293f80ff",
    ),
)
LIBYAML: Final = Source(
    name="libyaml",
    version="0.2.5-2",
    folder="libyaml-0.2.5",
    upstream=Archive(
        "libyaml_0.2.5.orig.tar.gz",
        "fa240dbf262be053f3898006d502d514936c818e422afdcf33921c63bed9bf2e",
    ),
)

SOURCES: Final = (PYTHON, OPENSSL, ZLIB, BZIP2, XZ, LIBFFI, LIBYAML)
