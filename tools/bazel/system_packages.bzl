"""A repository of the libraries that Debian installs, found through pkg-config."""

def _pkg_config(repository_ctx, modules, flag):
    result = repository_ctx.execute(["pkg-config", flag] + modules)
    if result.return_code != 0:
        fail("pkg-config {} {}: {}".format(flag, " ".join(modules), result.stderr))
    return [word for word in result.stdout.strip().split(" ") if word]

def _last_of_each(words):
    # A static library must stand behind those that use it, so the last mention counts.
    kept = []
    for word in reversed(words):
        if word not in kept:
            kept.append(word)
    return list(reversed(kept))

def _plain_link_options(words):
    # --push-state and --pop-state only make sense in their order, which removing repeats would break.
    return _last_of_each([word for word in words if not word.startswith("-Wl,")])

def _system_packages_impl(repository_ctx):
    build = []
    for name, modules in repository_ctx.attr.packages.items():
        compile_options = _pkg_config(repository_ctx, modules, "--cflags")
        include_directories = []
        for path in [option[2:] for option in compile_options if option.startswith("-I")]:
            # Where the compiler looks by itself, and where the headers of every library are.
            if path.startswith("/usr/include/") and path.endswith("-linux-gnu"):
                continue
            link = "include/" + name + "/" + path.strip("/").replace("/", "_")
            repository_ctx.symlink(path, link)
            include_directories.append(link)
        build.append("cc_library(name = {}, hdrs = glob([d + \"/**\" for d in {}]), includes = {}, defines = {}, linkopts = {}, visibility = [\"//visibility:public\"])".format(
            repr(name),
            repr(include_directories),
            repr(include_directories),
            repr([option[2:] for option in compile_options if option.startswith("-D")]),
            repr(_plain_link_options(_pkg_config(repository_ctx, modules, "--libs"))),
        ))
    repository_ctx.file("BUILD.bazel", "\n".join(build) + "\n")

system_packages = repository_rule(
    implementation = _system_packages_impl,
    attrs = {"packages": attr.string_list_dict(mandatory = True)},
    configure = True,
    local = True,
)
