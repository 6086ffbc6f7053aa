"""cargo: the crates of cryptography, and an environment to build with them for a target."""

import os
import shutil
import sys

from awstoe_build import programs
from awstoe_build.targets import BUILD_MACHINE, Target
from awstoe_build.toolchain import bootloader, compiler, registry, rust
from awstoe_build.toolchain.layers import LayerBuild, Recipe


def crates() -> Recipe:
    """The layer with the crates that cryptography's own lock file names, with their hashes."""
    return Recipe(
        name="source-crates",
        module=sys.modules[__name__],
        inputs={},
        needs=(registry.sources(), rust.recipe()),
        build=_fetch_crates,
    )


def environment(workshop: LayerBuild, target: Target) -> dict[str, str]:
    """The environment for cargo to build for ``target`` from the crates; writes its tools.

    Raises:
        BuildFailure: They cannot be written.
    """
    settings = compiler.environment(workshop, target)
    tools = _write_tools(workshop, target)
    home = os.path.join(workshop.scratch, "cargo")
    os.makedirs(home)
    with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as stream:
        stream.write(
            '[source.crates-io]\nreplace-with = "crates"\n'
            f'[source.crates]\ndirectory = "{workshop.needs["source-crates"]}"\n'
        )
    shown = {workshop.scratch: "/awstoe-build", workshop.needs["source-crates"]: "/crates"}
    remapped = (f"--remap-path-prefix={folder}={name}" for folder, name in shown.items())
    name = target.rust.replace("-", "_")
    driver = _driver(workshop, tools, target)
    # With --target given, the flags are for the target alone, the linkers for either.
    return {
        **settings,
        "PATH": os.pathsep.join([tools, settings["PATH"]]),
        "CARGO_HOME": home,
        "CARGO_TARGET_DIR": os.path.join(workshop.scratch, "target"),
        "CARGO_NET_OFFLINE": "true",
        _variable(BUILD_MACHINE, "LINKER"): _driver(workshop, tools, BUILD_MACHINE),
        _variable(target, "LINKER"): driver,
        f"CC_{name}": driver,
        f"AR_{name}": compiler.AR,
        _variable(target, "RUSTFLAGS"): " ".join(["-Cstrip=symbols", *remapped]),
    }


def _variable(target: Target, name: str) -> str:
    return f"CARGO_TARGET_{target.rust.upper().replace('-', '_')}_{name}"


def _driver(workshop: LayerBuild, tools: str, target: Target) -> str:
    """Write what compiles C and links for ``target``; gives its path.

    Rust's tools pass options that zig does not understand, and zig is told the machine anyway.
    """
    mapped = f"-ffile-prefix-map={workshop.scratch}=/awstoe-build"
    zig = os.path.join(workshop.needs["zig"], "ziglang", "zig")
    return compiler.write_program(
        tools,
        "driver-" + target.triple,
        'for word; do shift; case "$word" in\n'
        "    -m32|-m64|--target=*|-march=*|-Wl,--no-undefined-version) ;;\n"
        '    *) set -- "$@" "$word" ;;\n'
        "esac; done\n"
        f'exec {zig} cc -target {target.zig} -fno-sanitize=undefined {mapped} "$@" -g0',
    )


def _write_tools(workshop: LayerBuild, target: Target | None) -> str:
    """Write programs that start cargo and rustc out of their layer; gives their folder."""
    layer = workshop.needs["rust"]
    tools = os.path.join(workshop.scratch, "rust-tools")
    libraries = os.path.join(layer, rust.LIBRARIES)
    start = f"exec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries}"
    root = os.path.join(workshop.scratch, "rust-root")
    rustlib = os.path.join(root, "lib", "rustlib")
    os.makedirs(rustlib)
    for each in {BUILD_MACHINE, target} if target else ():
        library = workshop.needs[rust.standard_library(each).name]
        os.symlink(os.path.join(library, each.rust), os.path.join(rustlib, each.rust))
    rustc = compiler.write_program(
        tools, "rustc", f'{start} {layer}/usr/bin/rustc --sysroot {root} "$@"'
    )
    compiler.write_program(
        tools, "cargo", f'export RUSTC={rustc}\n{start} {layer}/usr/bin/cargo "$@"'
    )
    return tools


def _fetch_crates(workshop: LayerBuild) -> None:
    source = bootloader.unpack_source(workshop, "cryptography")
    tools = _write_tools(workshop, None)
    environment = programs.network_environment()
    environment["PATH"] = os.pathsep.join([tools, environment["PATH"]])
    # A registry or proxy of this machine's own is named in the caller's cargo folder.
    theirs = environment.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    home = os.path.join(workshop.scratch, "cargo")
    os.makedirs(home)
    if os.path.exists(os.path.join(theirs, "config.toml")):
        shutil.copy(os.path.join(theirs, "config.toml"), home)
    environment["CARGO_HOME"] = home
    workshop.run(
        *("cargo", "vendor", "--locked", "--versioned-dirs", os.path.join(workshop.content)),
        folder=source,
        environment=environment,
        hint="the network is needed once; what has been downloaded is kept",
    )
