#include "tests/fakes/faulty_pkcs11.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/fakes/fault_script.h"

namespace hourglass {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

std::int64_t Now() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void SetModified(const std::string& file, std::int64_t nanoseconds) {
  timespec when = {};
  when.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  when.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  const timespec times[2] = {when, when};
  if (utimensat(AT_FDCWD, file.c_str(), times, 0) != 0) Die("cannot set the time of " + file);
}

}  // namespace

FaultyPkcs11::FaultyPkcs11(absl::string_view real_module)
    : real_module_(real_module), module_path_(directory_.File("faulty_pkcs11.so")) {
  std::error_code error;
  std::filesystem::copy_file(kLibrary, module_path_, error);
  if (error) Die(absl::StrCat("cannot copy ", kLibrary, ": ", error.message()));
  Clear();
}

std::string FaultyPkcs11::Through(absl::string_view token_uri) const {
  return absl::StrReplaceAll(token_uri, {{real_module_, module_path_}});
}

void FaultyPkcs11::Set(const std::vector<std::string>& lines) {
  const std::string text =
      absl::StrCat("module ", real_module_, "\n", absl::StrJoin(lines, "\n"), "\n");
  FaultScript script;
  std::string mistake;
  if (!ParseFaultScript(text, script, mistake)) Die(mistake);
  // Later than the script before by more than one step of ScriptGeneration.
  written_ = std::max(Now(), written_ + (std::int64_t{2} << 17));
  const std::string file = directory_.Write("next.script", text);
  SetModified(file, written_);
  if (std::rename(file.c_str(), (module_path_ + ".script").c_str()) != 0) Die("cannot rename");
}

std::uint64_t FaultyPkcs11::Count(absl::string_view function) const {
  std::ifstream in(module_path_ + ".script.counts", std::ios::binary);
  CallCount count;
  while (in.read(reinterpret_cast<char*>(&count), sizeof(count))) {
    if (function == count.name) return count.total;
  }
  return 0;
}

std::vector<int> FaultyPkcs11::Processes() const { return ProcessesOf("processes"); }

std::vector<int> FaultyPkcs11::Hanging() const { return ProcessesOf("hanging"); }

std::vector<int> FaultyPkcs11::ProcessesOf(absl::string_view list) const {
  std::ifstream in(absl::StrCat(module_path_, ".script.", list));
  std::vector<int> processes;
  for (int process = 0; in >> process;) processes.push_back(process);
  return processes;
}

}  // namespace hourglass
