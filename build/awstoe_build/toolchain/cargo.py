"""cargo: the crates that cryptography needs, and an environment to build with them."""

import os
import shutil
import sys

from awstoe_build import commands
from awstoe_build.targets import BUILD_MACHINE, Target
from awstoe_build.toolchain import bootloader, compiler, registry, rust
from awstoe_build.toolchain.layers import LayerBuild, Recipe


def crates() -> Recipe:
    """Return the layer with the crates that cryptography's own lock file pins by hash."""
    return Recipe(
        name="source-crates",
        module=sys.modules[__name__],
        inputs={},
        needs=(registry.sources(), rust.recipe()),
        build=_fetch_crates,
    )


def environment(build: LayerBuild, target: Target) -> dict[str, str]:
    """Write the tools that cargo needs, and return the environment to build for ``target``.

    Raises:
        BuildFailure: The tools cannot be written.
    """
    settings = compiler.environment(build, target)
    tools = _write_tools(build, target)
    home = os.path.join(build.scratch, "cargo")
    os.makedirs(home)
    with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as stream:
        stream.write(
            '[source.crates-io]\nreplace-with = "crates"\n'
            f'[source.crates]\ndirectory = "{build.needs["source-crates"]}"\n'
        )
    prefixes = {build.scratch: "/awstoe-build", build.needs["source-crates"]: "/crates"}
    remapped = (f"--remap-path-prefix={folder}={name}" for folder, name in prefixes.items())
    name = target.rust.replace("-", "_")
    wrapper = _write_compiler_wrapper(build, tools, target)
    # With --target, cargo applies the flags to the target only, but the build machine's own
    # programs need a linker too.
    return {
        **settings,
        "PATH": os.pathsep.join([tools, settings["PATH"]]),
        "CARGO_HOME": home,
        "CARGO_TARGET_DIR": os.path.join(build.scratch, "target"),
        "CARGO_NET_OFFLINE": "true",
        _cargo_variable(BUILD_MACHINE, "LINKER"): _write_compiler_wrapper(
            build, tools, BUILD_MACHINE
        ),
        _cargo_variable(target, "LINKER"): wrapper,
        f"CC_{name}": wrapper,
        f"AR_{name}": compiler.AR,
        _cargo_variable(target, "RUSTFLAGS"): " ".join(["-Cstrip=symbols", *remapped]),
    }


def _cargo_variable(target: Target, name: str) -> str:
    return f"CARGO_TARGET_{target.rust.upper().replace('-', '_')}_{name}"


def _write_compiler_wrapper(build: LayerBuild, tools: str, target: Target) -> str:
    """Write the script that compiles C and links for ``target``, and return its path.

    It drops options of Rust's tools that zig does not know. zig gets the target by ``-target``.
    """
    mapped = f"-ffile-prefix-map={build.scratch}=/awstoe-build"
    zig = os.path.join(build.needs["zig"], "ziglang", "zig")
    return compiler.write_program(
        tools,
        "cc-" + target.triple,
        'for word; do shift; case "$word" in\n'
        "    -m32|-m64|--target=*|-march=*|-Wl,--no-undefined-version) ;;\n"
        '    *) set -- "$@" "$word" ;;\n'
        "esac; done\n"
        f'exec {zig} cc -target {target.zig} -fno-sanitize=undefined {mapped} "$@" -g0',
    )


def _write_tools(build: LayerBuild, target: Target | None) -> str:
    """Write scripts that start cargo and rustc from their layer, and return their folder."""
    layer = build.needs["rust"]
    tools = os.path.join(build.scratch, "rust-tools")
    libraries = os.path.join(layer, rust.LIBRARIES)
    start = f"exec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries}"
    root = os.path.join(build.scratch, "rust-root")
    rustlib = os.path.join(root, "lib", "rustlib")
    os.makedirs(rustlib)
    for each in {BUILD_MACHINE, target} if target else ():
        library = build.needs[rust.standard_library(each).name]
        os.symlink(os.path.join(library, each.rust), os.path.join(rustlib, each.rust))
    rustc = compiler.write_program(
        tools, "rustc", f'{start} {layer}/usr/bin/rustc --sysroot {root} "$@"'
    )
    compiler.write_program(
        tools, "cargo", f'export RUSTC={rustc}\n{start} {layer}/usr/bin/cargo "$@"'
    )
    return tools


def _fetch_crates(build: LayerBuild) -> None:
    source = bootloader.unpack_source(build, "cryptography")
    tools = _write_tools(build, None)
    environment = commands.network_environment()
    environment["PATH"] = os.pathsep.join([tools, environment["PATH"]])
    # The caller's cargo folder may configure a registry or proxy for this machine.
    callers_home = environment.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    home = os.path.join(build.scratch, "cargo")
    os.makedirs(home)
    if os.path.exists(os.path.join(callers_home, "config.toml")):
        shutil.copy(os.path.join(callers_home, "config.toml"), home)
    environment["CARGO_HOME"] = home
    build.run(
        *("cargo", "vendor", "--locked", "--versioned-dirs", os.path.join(build.content)),
        folder=source,
        environment=environment,
        hint="check the network connection; downloads are kept, so it is needed only once",
    )
