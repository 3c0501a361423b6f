#include "tests/faults/fault_world.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace hourglass {
namespace {

constexpr char kHarmed[] = "harmed";
// More than may wait for a custodian that is lost: the rest is told at once to come back.
constexpr int kThreads = 6;
constexpr std::chrono::microseconds kPace(5000);
constexpr std::chrono::milliseconds kBefore(600);
// As long as an open circuit may wait before it tries again, and longer: whoever fails late is
// seen.
constexpr std::chrono::milliseconds kAfter(800);
constexpr std::chrono::seconds kLimit(20);

std::vector<std::string> Labels(int others) {
  std::vector<std::string> labels = {kHarmed};
  for (int i = 1; i <= others; ++i) labels.push_back(absl::StrCat("other-", i));
  return labels;
}

template <typename T>
T ValueOrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::abort();
  }
  return *std::move(result);
}

// The longest time without a good signature.
Milliseconds LongestGap(const std::vector<SignCall>& calls, SteadyTime from) {
  Milliseconds longest(0);
  SteadyTime last = from;
  for (const SignCall& call : calls) {
    if (!call.good()) continue;
    longest = std::max<Milliseconds>(longest, call.end - last);
    last = call.end;
  }
  return longest;
}

// From `ended` until the first good signature after which there was no failure any more.
Milliseconds BackAfter(const std::vector<SignCall>& calls, SteadyTime ended) {
  SteadyTime back = ended;
  bool failing = true;
  for (const SignCall& call : calls) {
    if (call.end < ended) continue;
    if (!call.good()) {
      failing = true;
    } else if (failing) {
      back = call.end;
      failing = false;
    }
  }
  return back - ended;
}

}  // namespace

std::string KeyholderProgram() {
  return std::filesystem::absolute("tools/keyholder/hourglass-keyholder");
}

FaultWorld::FaultWorld(hsm::KeyStoreOptions options, const std::vector<std::string>& key_uris,
                       std::chrono::microseconds pace) {
  options.keyholder_program = KeyholderProgram();
  options.observer = &observer_;
  store_ = ValueOrDie(hsm::KeyStore::Create(options));
  std::vector<hsm::SigningKey*> keys;
  for (const std::string& uri : key_uris) {
    keys_.push_back(ValueOrDie(store_->Generate(uri, hsm::KeyType::kEcP256)));
    keys.push_back(keys_.back().get());
  }
  load_ = std::make_unique<SigningLoad>(keys, kThreads, pace);
}

FaultWorld::Outcome FaultWorld::Undergo(const Fault& fault) {
  const std::size_t endings = observer_.endings().size();
  load_->Continue(kBefore);
  Outcome outcome;
  outcome.recovery.fault = fault.name;
  const SteadyTime begun = std::chrono::steady_clock::now();
  fault.begin();
  load_->Continue(fault.lasts);
  SteadyTime ended = begun;
  if (fault.end) {
    fault.end();
    ended = std::chrono::steady_clock::now();
  }
  EXPECT_TRUE(load_->WaitForGood(0, std::chrono::steady_clock::now(), kLimit))
      << fault.name << ": " << load_->LastFailure(0);
  load_->Continue(kAfter);
  Measure(begun, ended, !fault.end, outcome);

  std::map<std::string, int> ends;
  const std::vector<std::string> all = observer_.endings();
  for (std::size_t i = endings; i < all.size(); ++i) ++ends[all[i]];
  std::vector<std::string> happened;
  for (const auto& [how, count] : ends) {
    happened.push_back(absl::StrCat(count, count == 1 ? " worker " : " workers ", how));
  }
  for (const ErrorReason reason : outcome.reasons) {
    happened.emplace_back(ErrorReasonName(reason));
  }
  outcome.recovery.what_happened =
      happened.empty() ? "healed within the worker" : absl::StrJoin(happened, "; ");
  AddToTable(outcome.recovery);
  EXPECT_EQ(load_->wrong_signatures(), 0) << fault.name;
  return outcome;
}

void FaultWorld::Measure(SteadyTime begun, SteadyTime ended, bool strikes_once, Outcome& outcome) {
  Recovery& recovery = outcome.recovery;
  const std::vector<SignCall> harmed = load_->Calls(0, begun);
  for (const SignCall& call : harmed) {
    if (call.good()) continue;
    ++recovery.calls_failed;
    outcome.reasons.insert(call.reason);
  }
  recovery.back_after = strikes_once ? LongestGap(harmed, begun) : BackAfter(harmed, ended);
  std::vector<SignCall> before, during;
  for (std::size_t key = 1; key < keys_.size(); ++key) {
    for (const SignCall& call : load_->Calls(key, begun - kBefore, begun)) before.push_back(call);
    for (const SignCall& call : load_->Calls(key, begun)) during.push_back(call);
  }
  recovery.others_before = Percentile99(before);
  recovery.others_during = Percentile99(during);
  for (const std::vector<SignCall>& calls : {before, during}) {
    for (const SignCall& call : calls) {
      if (call.good()) continue;
      ADD_FAILURE() << "another token failed " << Milliseconds(call.end - begun).count()
                    << " ms after the fault began, having taken "
                    << Milliseconds(call.end - call.begin).count()
                    << " ms: " << load_->LastFailure(1);
    }
  }
}

hsm::CustodianStatus FaultWorld::Status(absl::string_view name) const {
  for (const auto& [custodian, status] : store_->Status()) {
    if (absl::StrContains(custodian, name)) return status;
  }
  ADD_FAILURE() << "no custodian " << name;
  return {};
}

TokenWorld::TokenWorld(int others)
    : softhsm_(Labels(others)), pin_file_(directory_.Write("harmed.pin", softhsm_.pin())) {
  hsm::KeyStoreOptions options;
  std::vector<std::string> keys;
  for (const std::string& label : Labels(others)) {
    options.tokens.push_back(softhsm_.Uri(label));
    keys.push_back(absl::StrCat("pkcs11:token=", label, ";object=k"));
  }
  options.tokens[0] =
      absl::StrReplaceAll(faulty_.Through(options.tokens[0]), {{softhsm_.pin_file(), pin_file_}});
  world_ = std::make_unique<FaultWorld>(options, keys, kPace * (others + 1) / 2);
}

std::string TokenWorld::HarmedKeyUri(absl::string_view name) {
  return absl::StrCat("pkcs11:token=", kHarmed, ";object=", name);
}

void TokenWorld::KillWorkers() { KillKeyholders(faulty_.Processes()); }

void KillKeyholders(const std::vector<int>& processes) {
  const std::vector<int> own = OwnKeyholders();
  for (const int process : processes) {
    if (std::count(own.begin(), own.end(), process) > 0) kill(process, SIGKILL);
  }
}

std::vector<int> OwnKeyholders() {
  std::vector<int> processes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    int process = 0, parent = 0;
    char name[16] = {}, state = 0;
    std::ifstream in(entry.path() / "stat");
    std::string line;
    std::getline(in, line);
    // The kernel keeps 15 characters of a program's name.
    if (std::sscanf(line.c_str(), "%d (%15[^)]) %c %d", &process, name, &state, &parent) == 4 &&
        parent == getpid() && std::string(name) == "hourglass-keyho") {
      processes.push_back(process);
    }
  }
  return processes;
}

}  // namespace hourglass
