"""What Hourglass uses of Debian: the modules of pkg-config that make each library, and the package that brings it."""

# @system//:NAME is made of these modules.
SYSTEM_LIBRARIES = {
    "absl": [
        "absl_base",
        "absl_cleanup",
        "absl_cord",
        "absl_flat_hash_map",
        "absl_flat_hash_set",
        "absl_span",
        "absl_status",
        "absl_statusor",
        "absl_str_format",
        "absl_strings",
        "absl_time",
    ],
    "benchmark": ["benchmark"],
    "botan": ["botan-2"],
    "cli11": ["CLI11"],
    "grpc": ["grpc++"],
    "gtest": [
        "gtest",
        "gmock",
    ],
    "icu": ["icu-uc"],
    "libpq": ["libpq"],
    "nlohmann_json": ["nlohmann_json"],
    "openssl": ["openssl"],
    "p11_kit": ["p11-kit-1"],
    "prometheus_cpp": [
        "prometheus-cpp-core",
        "prometheus-cpp-pull",
    ],
    "protobuf": ["protobuf"],
    "seccomp": ["libseccomp"],
    "sqlite3": ["sqlite3"],
    "systemd": ["libsystemd"],
    "tcmalloc": ["libtcmalloc_minimal"],
    "tss2": [
        "tss2-esys",
        "tss2-mu",
        "tss2-rc",
        "tss2-tctildr",
    ],
    "yaml_cpp": ["yaml-cpp"],
}

# The Debian packages of each, as tools/install-packages installs them.
DEBIAN_PACKAGES = {
    "absl": ["libabsl-dev"],
    "benchmark": ["libbenchmark-dev"],
    "botan": ["libbotan-2-dev"],
    "cli11": ["libcli11-dev"],
    "grpc": ["libgrpc++-dev"],
    "gtest": [
        "libgtest-dev",
        "libgmock-dev",
    ],
    "icu": ["libicu-dev"],
    "libpq": ["libpq-dev"],
    "nlohmann_json": ["nlohmann-json3-dev"],
    "openssl": ["libssl-dev"],
    "p11_kit": ["libp11-kit-dev"],
    "prometheus_cpp": ["prometheus-cpp-dev"],
    "protobuf": ["libprotobuf-dev"],
    "seccomp": ["libseccomp-dev"],
    "sqlite3": ["libsqlite3-dev"],
    "systemd": ["libsystemd-dev"],
    "tcmalloc": ["libgoogle-perftools-dev"],
    "tss2": ["libtss2-dev"],
    "yaml_cpp": ["libyaml-cpp-dev"],
}
