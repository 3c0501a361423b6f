"""Fuzz targets: one function, LLVMFuzzerTestOneInput, in two programs."""

load("//tools/bazel:cc.bzl", "hourglass_cc_binary", "hourglass_cc_library")

def hourglass_fuzz_test(name, srcs, deps = [], corpus = []):
    """A fuzz target and the test that keeps it alive.

    name: a test that runs every file of the seed corpus through the function once, with any compiler.
    name + "_libfuzzer": the fuzzer itself; build it with --config=fuzz (tools/fuzz does).
    name + "_corpus": the seed corpus, for tools/fuzz.
    """
    hourglass_cc_library(
        name = name + "_target",
        testonly = True,
        srcs = srcs,
        deps = deps,
        alwayslink = True,
    )
    native.filegroup(
        name = name + "_corpus",
        srcs = corpus,
    )
    native.cc_test(
        name = name,
        size = "small",
        args = ["$(locations :%s_corpus)" % name],
        data = [":%s_corpus" % name],
        deps = [
            ":%s_target" % name,
            "//tests/fuzz:run_corpus",
        ],
    )
    hourglass_cc_binary(
        name = name + "_libfuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":%s_target" % name],
    )
