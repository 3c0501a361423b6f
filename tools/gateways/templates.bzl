"""The texts that kits fill, as files that one can read as what they are."""

def kit_templates(kind, srcs):
    """`KIND_templates.h` with `absl::string_view KindTemplate(absl::string_view file)`: a file by its path in the folder `kind`."""
    native.genrule(
        name = kind + "_templates",
        srcs = srcs,
        outs = [kind + "_templates.h"],
        cmd = "$(location //tools/gateways:embed-templates) {} {} $(SRCS) >$@".format(kind, kind.capitalize() + "Template"),
        tools = ["//tools/gateways:embed-templates"],
    )
