"""The sources of programs, for tests that read them."""

_SourcesInfo = provider(fields = ["files"])

def _sources_of_impl(target, ctx):
    own = []
    for attribute in ["srcs", "hdrs"]:
        for given in getattr(ctx.rule.attr, attribute, []):
            own += [file for file in given.files.to_list() if file.is_source and not file.owner.workspace_name]
    below = [
        dep[_SourcesInfo].files
        for dep in getattr(ctx.rule.attr, "deps", [])
        if _SourcesInfo in dep
    ]
    return [_SourcesInfo(files = depset(own, transitive = below))]

_sources_of = aspect(
    implementation = _sources_of_impl,
    attr_aspects = ["deps"],
)

def _program_sources_impl(ctx):
    files = depset(transitive = [program[_SourcesInfo].files for program in ctx.attr.programs])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

program_sources = rule(
    doc = "All sources and headers of this repository that the programs are made of, generated ones left out.",
    implementation = _program_sources_impl,
    attrs = {"programs": attr.label_list(aspects = [_sources_of])},
)
