"""C++ targets of this project: the native rules with our warnings, and protobuf with gRPC."""

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-command-line-argument",
]

def hourglass_cc_library(copts = [], **kwargs):
    native.cc_library(copts = _WARNINGS + copts, **kwargs)

def hourglass_cc_binary(copts = [], **kwargs):
    native.cc_binary(copts = _WARNINGS + copts, **kwargs)

def hourglass_cc_test(copts = [], deps = [], **kwargs):
    # What is tested is optimised, and the test's own code is not: that takes a quarter of the time it takes to compile.
    native.cc_test(
        copts = _WARNINGS + ["-O0"] + copts,
        deps = deps + ["@system//:gtest", "//tests/support:test_main"],
        **kwargs
    )

def _root():
    """Where this repository is from where Bazel's actions run: with a slash at the end, or empty."""
    return native.repository_name().replace("@", "external/", 1) + "/" if native.repository_name() != "@" else ""

def hourglass_message_library(name, srcs, visibility = None):
    """Messages alone, without services; included by their path from the repository's root."""
    outs = []
    for src in srcs:
        stem = src[:-len(".proto")]
        outs += [stem + suffix for suffix in [".pb.h", ".pb.cc"]]
    native.genrule(
        name = name + "_sources",
        srcs = srcs,
        outs = outs,
        cmd = "protoc -I{0} --cpp_out=$(GENDIR)/{0} ".format(_root() or ".") + " ".join(["$(location {})".format(src) for src in srcs]),
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        copts = ["-w"],
        visibility = visibility,
        deps = ["@system//:protobuf"],
    )

def hourglass_proto_library(name, srcs, imports = {}, visibility = None):
    """Messages and gRPC stubs of the .proto files, imported and included by their path from this package.

    `imports` has the .proto files of other libraries that these import, by the library that they are of."""
    outs = []
    for src in srcs:
        stem = src[:-len(".proto")]
        outs += [stem + suffix for suffix in [".pb.h", ".pb.cc", ".grpc.pb.h", ".grpc.pb.cc"]]
    native.genrule(
        name = name + "_sources",
        srcs = srcs + [file for files in imports.values() for file in files],
        outs = outs,
        cmd = "protoc -I{0} --cpp_out=$(GENDIR)/{0} --grpc_out=$(GENDIR)/{0} ".format(_root() + native.package_name()) +
              "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) " +
              " ".join(["$(location {})".format(src) for src in srcs]),
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        copts = ["-w"],
        includes = ["."],
        visibility = visibility,
        deps = imports.keys() + [
            "@system//:grpc",
            "@system//:protobuf",
        ],
    )
