#include "tests/fakes/fault_plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace hourglass {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "faulty_pkcs11: %s\n", message.c_str());
  std::abort();
}

CallCount* MapCounts(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  constexpr std::size_t kSize = kFunctions * sizeof(CallCount);
  if (file < 0 || ftruncate(file, kSize) != 0) Die("cannot make " + path);
  void* mapping = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapping == MAP_FAILED) Die("cannot map " + path);
  close(file);
  auto* counts = static_cast<CallCount*>(mapping);
  for (std::size_t i = 0; i < kFunctions; ++i) {
    std::strncpy(counts[i].name, FunctionName(static_cast<Function>(i)), sizeof(counts[i].name));
  }
  return counts;
}

// One line for this process.
void RegisterProcess(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || dprintf(file, "%d\n", getpid()) < 0) Die("cannot write " + path);
  close(file);
}

// The number of this call since the script of `generation` was written, over all processes; 0 where
// another process has seen a newer script already.
std::uint32_t CountCall(CallCount& count, std::uint32_t generation) {
  std::atomic_ref(count.total).fetch_add(1);
  std::atomic_ref<std::uint64_t> since(count.since_script);
  std::uint64_t seen = since.load();
  for (;;) {
    const auto counted = static_cast<std::uint32_t>(seen >> 32);
    // Generations wrap around, so it is their difference that has a sign.
    const auto age = static_cast<std::int32_t>(generation - counted);
    if (seen != 0 && age < 0) return 0;
    const std::uint64_t calls = seen != 0 && age == 0 ? (seen & UINT32_MAX) + 1 : 1;
    if (since.compare_exchange_weak(seen, std::uint64_t{generation} << 32 | calls)) {
      return static_cast<std::uint32_t>(calls);
    }
  }
}

}  // namespace

FaultPlan::FaultPlan(const std::string& script)
    : path_(script), counts_(MapCounts(script + ".counts")) {
  RegisterProcess(script + ".processes");
}

std::shared_ptr<const FaultPlan::Loaded> FaultPlan::Current() {
  struct stat now = {};
  if (stat(path_.c_str(), &now) != 0) now = {};
  const std::lock_guard lock(mutex_);
  if (loaded_ != nullptr && loaded_->inode == now.st_ino &&
      loaded_->modified.tv_sec == now.st_mtim.tv_sec &&
      loaded_->modified.tv_nsec == now.st_mtim.tv_nsec) {
    return loaded_;
  }
  auto loaded = std::make_shared<Loaded>();
  loaded->inode = now.st_ino;
  loaded->modified = now.st_mtim;
  loaded->generation = ScriptGeneration(std::chrono::seconds(now.st_mtim.tv_sec) +
                                        std::chrono::nanoseconds(now.st_mtim.tv_nsec));
  std::ifstream in(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string mistake;
  if (!ParseFaultScript(text, loaded->script, mistake)) Die(path_ + ": " + mistake);
  loaded_ = loaded;
  return loaded_;
}

std::vector<FaultRule> FaultPlan::Call(Function function) {
  const std::shared_ptr<const Loaded> current = Current();
  const std::uint32_t nth =
      CountCall(counts_[static_cast<std::size_t>(function)], current->generation);
  const std::uint32_t nth_of_any =
      CountCall(counts_[static_cast<std::size_t>(Function::kAny)], current->generation);
  std::vector<FaultRule> met;
  for (const FaultRule& rule : current->script.rules) {
    if (rule.function != function && rule.function != Function::kAny) continue;
    const std::uint32_t number = rule.function == Function::kAny ? nth_of_any : nth;
    if (rule.nth == 0 || rule.nth == number) met.push_back(rule);
  }
  return met;
}

std::string FaultPlan::module_path() { return Current()->script.module_path; }

void FaultPlan::Hang() {
  RegisterProcess(path_ + ".hanging");
  for (;;) pause();
}

void FaultPlan::WaitForAnotherScript() {
  const std::shared_ptr<const Loaded> before = Current();
  while (Current() == before) {
    const timespec two_milliseconds = {0, 2'000'000};
    nanosleep(&two_milliseconds, nullptr);
  }
}

}  // namespace hourglass
