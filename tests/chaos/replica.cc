#include "tests/chaos/replica.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

constexpr std::chrono::minutes kPatience(3);
// What it ends with where its database is away; by a signal it ends otherwise.
constexpr int kCannotStart = 1;
constexpr std::chrono::minutes kLongestStop(1);
constexpr absl::string_view kPreload = "LD_PRELOAD=";
constexpr std::size_t kShownOfLog = 4000;

void WaitALittle() {
  const timespec ten_milliseconds = {0, 10'000'000};
  nanosleep(&ten_milliseconds, nullptr);
}

// One variable names all libraries.
void AddPreloaded(const std::string& library, std::vector<std::string>& environment) {
  for (std::string& entry : environment) {
    if (absl::StartsWith(entry, kPreload)) return absl::StrAppend(&entry, ":", library);
  }
  environment.push_back(absl::StrCat(kPreload, library));
}

}  // namespace

Replica::Replica(Options options)
    : options_(std::move(options)),
      clock_(options_.has_fake_clock ? std::make_unique<FakeClock>() : nullptr),
      name_now_(name()) {
  if (clock_ != nullptr) {
    for (std::string& entry : clock_->Environment()) options_.environment.push_back(entry);
  }
  if (!options_.preloaded_library.empty()) {
    AddPreloaded(options_.preloaded_library, options_.environment);
  }
}

std::string Replica::address() const {
  MutexLock lock(mutex_);
  return address_;
}

absl::Status Replica::Start() { return StartAs(name_now_); }

absl::Status Replica::StartAnew() { return StartAs(absl::StrCat(name(), "-", starts_)); }

absl::Status Replica::StartAs(const std::string& name) {
  name_now_ = name;
  const std::string file = absl::StrCat(options_.folder, "/", options_.name, ".yaml");
  std::ofstream(file) << absl::StrReplaceAll(options_.configuration, {{kNamePlace, name}})
                      << "address_file: " << AddressFile() << "\n";
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    unlink(AddressFile().c_str());
    process_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{kProgram, "--config", file},
        absl::StrCat(options_.log_folder, "/", options_.name, ".", ++starts_, ".log"),
        options_.environment);
    if (!WaitUntilItServes()) {
      // Which does not kill what has ended.
      if (process_->Stop(SIGKILL) == kCannotStart) continue;
      break;
    }
    serves_ = true;
    MutexLock lock(mutex_);
    address_ = std::string(absl::StripSuffix(ReadFileOrDie(AddressFile()), "\n"));
    return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "",
               absl::StrCat(name, " does not start:\n", EndOfLog()));
}

bool Replica::WaitUntilItServes() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end && process_->Running()) {
    // Written whole.
    if (access(AddressFile().c_str(), R_OK) == 0) return true;
    WaitALittle();
  }
  return false;
}

void Replica::Kill() {
  serves_ = false;
  process_->Stop(SIGKILL);
}

absl::Status Replica::Stop() {
  serves_ = false;
  kill(process_->pid(), SIGTERM);
  const auto end = std::chrono::steady_clock::now() + kLongestStop;
  while (std::chrono::steady_clock::now() < end && process_->Running()) WaitALittle();
  const bool has_ended = !process_->Running();
  const int exit_code = process_->Stop(SIGKILL);
  if (has_ended && exit_code == 0) return absl::OkStatus();
  return Error(
      ErrorReason::kInternalError, "",
      absl::StrCat(name(), has_ended ? " fails to stop:\n" : " does not stop:\n", EndOfLog()));
}

void Replica::Pause() { kill(process_->pid(), SIGSTOP); }

void Replica::Resume() { kill(process_->pid(), SIGCONT); }

bool Replica::HasEndedByItself() { return serves_ && !process_->Running(); }

std::string Replica::EndOfLog() const {
  const std::string log = process_->Log();
  return log.size() <= kShownOfLog ? log : log.substr(log.size() - kShownOfLog);
}

}  // namespace hourglass::chaos
