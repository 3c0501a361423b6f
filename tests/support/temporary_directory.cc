#include "tests/support/temporary_directory.h"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  const char* parent = std::getenv("TEST_TMPDIR");
  path_ = absl::StrCat(parent != nullptr ? parent : "/tmp", "/hourglass.XXXXXX");
  if (mkdtemp(path_.data()) == nullptr) Die("cannot make a temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string TemporaryDirectory::Write(absl::string_view name, absl::string_view content) const {
  const std::string file = File(name);
  std::ofstream out(file, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) Die(absl::StrCat("cannot write ", file));
  return file;
}

std::string ReadFileOrDie(absl::string_view path) {
  std::ifstream in(std::string(path), std::ios::binary);
  if (!in) Die(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace hourglass
