"""All that Hourglass needs of a workspace: Debian's libraries, and what Bazel asks for by name. Nothing is downloaded."""

load("//tools/bazel:system_libraries.bzl", "SYSTEM_LIBRARIES")
load("//tools/bazel:system_packages.bzl", "system_packages")

# The native C++ rules under the names that rules_cc gives them.
_RULES_CC = "\n".join(["{0} = native.{0}".format(rule) for rule in [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
]]) + "\n"

_COVERAGE_TOOLS = """filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def _written_repository_impl(repository_ctx):
    for path, content in repository_ctx.attr.files.items():
        repository_ctx.file(path, content)

_written_repository = repository_rule(
    implementation = _written_repository_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

def hourglass_repositories():
    """Brings @system, and of what Bazel asks for by name whatever the workspace does not have yet.

    In the WORKSPACE of another project:

        local_repository(name = "hourglass", path = "…")
        load("@hourglass//tools/bazel:repositories.bzl", "hourglass_repositories")
        hourglass_repositories()
    """
    system_packages(
        name = "system",
        packages = SYSTEM_LIBRARIES,
    )

    # Bazel asks for these four even where no rule needs them; giving them here keeps every build offline.
    if not native.existing_rule("rules_cc"):
        _written_repository(
            name = "rules_cc",
            files = {
                "BUILD.bazel": "",
                "cc/BUILD.bazel": "",
                "cc/defs.bzl": _RULES_CC,
            },
        )
    if not native.existing_rule("remote_coverage_tools"):
        _written_repository(
            name = "remote_coverage_tools",
            files = {"BUILD.bazel": _COVERAGE_TOOLS},
        )
    for rules in ["java", "proto"]:
        if not native.existing_rule("rules_" + rules):
            native.local_repository(
                name = "rules_" + rules,
                path = "/usr/share/bazel/rules/" + rules,
            )
