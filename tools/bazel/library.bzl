"""For those who do not build with Bazel: static libraries with their headers, and what they need of Debian."""

load("//tools/bazel:system_libraries.bzl", "DEBIAN_PACKAGES", "SYSTEM_LIBRARIES")

# What tools/library/assemble writes for whoever links.
_WRITTEN_LINK_FLAGS = ["-pthread", "-ldl"]

_StaticLibraryInfo = provider(
    doc = "A static library of a package.",
    fields = {
        "archive": "the .a file",
        "debian": "Debian packages that it needs besides those of its libraries",
        "headers": "depset of the headers that its targets may include",
        "needs": "names of the static libraries that it stands on",
        "owners": "labels of the targets that are in it, or in what it stands on, as the keys of a dict",
        "system": "names of Debian's libraries, keys of SYSTEM_LIBRARIES",
    },
)

def _static_library_impl(ctx):
    below = {}
    for library in ctx.attr.needs:
        below.update(library[_StaticLibraryInfo].owners)

    inputs = depset(
        transitive = [target[CcInfo].linking_context.linker_inputs for target in ctx.attr.deps],
    ).to_list()
    objects = []
    system = {}
    owners = dict(below)
    for linker_input in inputs:
        owner = linker_input.owner
        if owner.workspace_name == "system":
            system[owner.name] = True
        elif str(owner) not in below:
            owners[str(owner)] = True
            for flag in linker_input.user_link_flags:
                if flag not in _WRITTEN_LINK_FLAGS:
                    fail("{} is linked with {}, which whoever installs {} does not get".format(owner, flag, ctx.label.name))
            for library in linker_input.libraries:
                if library.objects == None and library.pic_objects == None:
                    fail("{} is not made of objects of this build".format(owner))
                objects += library.objects or library.pic_objects or []

    archive = ctx.actions.declare_file("lib{}.a".format(ctx.label.name))
    arguments = ctx.actions.args()
    arguments.use_param_file("@%s", use_always = True)
    arguments.set_param_file_format("multiline")
    arguments.add_all(objects)

    # q and not r: two rooms may have files of one name.
    ctx.actions.run(
        executable = "/usr/bin/ar",
        arguments = ["qcsD", archive.path, arguments],
        inputs = objects,
        outputs = [archive],
        mnemonic = "StaticLibrary",
    )
    return [
        DefaultInfo(files = depset([archive])),
        _StaticLibraryInfo(
            archive = archive,
            debian = ctx.attr.debian,
            headers = depset(
                transitive = [target[CcInfo].compilation_context.headers for target in ctx.attr.deps],
            ),
            needs = [library.label.name for library in ctx.attr.needs],
            owners = owners,
            system = sorted(system.keys()),
        ),
    ]

# libNAME.a holds whatever `deps` are linked from, but for what is in the libraries that it `needs`. A linker takes of it what
# something refers to: `alwayslink` of a target means nothing here. `debian` are packages of programs that it runs.
static_library = rule(
    implementation = _static_library_impl,
    attrs = {
        "debian": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "needs": attr.label_list(providers = [_StaticLibraryInfo]),
    },
)

def _included_as(header):
    """How a header is named in an #include; None for those that are not of this repository."""
    path = header.short_path
    if path.startswith("../") or header.is_directory:
        return None
    return path[len("proto/"):] if path.startswith("proto/") else path

def _own_headers_impl(ctx):
    headers = depset(
        transitive = [target[CcInfo].compilation_context.headers for target in ctx.attr.deps],
    ).to_list()
    own = [header for header in headers if _included_as(header) and header.is_source]
    return [DefaultInfo(files = depset(own), runfiles = ctx.runfiles(files = own))]

# The headers of this repository that `deps` may be included with, but for generated ones.
own_headers = rule(
    implementation = _own_headers_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)

def _library_package_impl(ctx):
    lines = []
    archives = []
    headers = []
    for library in ctx.attr.libraries:
        name = library.label.name
        info = library[_StaticLibraryInfo]
        archives.append(info.archive)
        lines.append("library {} {}".format(name, info.archive.path))
        lines += ["needs {} {}".format(name, other) for other in info.needs]
        for system in info.system:
            lines += ["module {} {}".format(name, module) for module in SYSTEM_LIBRARIES[system]]
            lines += ["debian {} {}".format(name, package) for package in DEBIAN_PACKAGES[system]]
        lines += ["debian {} {}".format(name, package) for package in info.debian]
        for header in info.headers.to_list():
            included_as = _included_as(header)
            if included_as:
                headers.append(header)
                lines.append("header {} {}".format(included_as, header.path))

    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "\n".join(lines) + "\n")
    ctx.actions.run(
        executable = ctx.file._assemble,
        arguments = [
            manifest.path,
            ctx.file.public_headers.path,
            ctx.file.doxyfile.path,
            ctx.file._version.path,
            ctx.outputs.out.path,
        ],
        inputs = archives + headers + [
            manifest,
            ctx.file.doxyfile,
            ctx.file.public_headers,
            ctx.file._assemble,
            ctx.file._version,
        ],
        outputs = [ctx.outputs.out],
        mnemonic = "LibraryPackage",
        use_default_shell_env = True,
    )
    out = [ctx.outputs.out]
    return [DefaultInfo(files = depset(out), runfiles = ctx.runfiles(files = out))]

# A tar file of what is to be unpacked into a prefix, wherever that is.
library_package = rule(
    implementation = _library_package_impl,
    attrs = {
        "libraries": attr.label_list(providers = [_StaticLibraryInfo]),
        "doxyfile": attr.label(allow_single_file = True),
        "public_headers": attr.label(allow_single_file = True),
        "_assemble": attr.label(
            allow_single_file = True,
            default = "//tools/library:assemble",
        ),
        "_version": attr.label(
            allow_single_file = True,
            default = "//tools/version:version.h",
        ),
    },
    outputs = {"out": "%{name}.tar"},
)
