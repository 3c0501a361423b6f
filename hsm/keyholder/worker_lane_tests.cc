#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/keyholder/worker_lane.h"

namespace hourglass::hsm {
namespace {

using std::chrono::nanoseconds;

// What the key said to its test; KEY_MISMATCH only where the signature does not verify.
struct TestResult {
  absl::Status failure;
  bool mismatch = false;
};

TestResult ResultOf(const HeldKey& key, absl::string_view digest, const keyholder::Reply& reply) {
  if (reply.has_failure()) return {ReadFailure(reply.failure())};
  if (reply.signatures_size() != 1) {
    return {Error(ErrorReason::kKeyUnavailable, "", "sent what is no reply")};
  }
  const keyholder::Signature& answer = reply.signatures(0);
  if (answer.has_failure()) return {ReadFailure(answer.failure())};
  const absl::Status verified = key.verifier.VerifyDigest(digest, answer.octets());
  if (ReasonOf(verified) == ErrorReason::kKeyMismatch) return {absl::OkStatus(), true};
  return {verified};
}

}  // namespace

void WorkerLane::BeginTests(SteadyTime now) {
  to_test_ = queue_.KeysToCheck(start_);
  // They are taken from the back.
  std::reverse(to_test_.begin(), to_test_.end());
  failed_tests_.clear();
  passed_one_ = false;
  NextTest(now);
}

void WorkerLane::NextTest(SteadyTime now) {
  if (to_test_.empty()) return EndTests(now);
  Debt test;
  test.kind = Kind::kTest;
  test.work.key = std::move(to_test_.back());
  to_test_.pop_back();
  test.test_digest.resize(
      static_cast<std::size_t>(EVP_MD_get_size(DigestOf(test.work.key->key.type))));
  // Nobody must be able to foretell it; were it known, the answer could have been kept.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(test.test_digest.data()),
                 static_cast<int>(test.test_digest.size())) != 1) {
    return Lose("INTERNAL_ERROR", "no random octets to test it with", now);
  }
  test.timeout = std::chrono::ceil<std::chrono::milliseconds>(
      phase_ == Phase::kServing ? nanoseconds(options_.remote.hang_timeout)
                                : patience_.For(test_took_, options_.remote.hang_timeout));
  test.due = now + test.timeout;
  Send(std::move(test), now);
}

void WorkerLane::HandleTest(Debt debt, const keyholder::Reply& reply, SteadyTime now) {
  const std::shared_ptr<HeldKey> key = debt.work.key;
  const TestResult result = ResultOf(*key, debt.test_digest, reply);
  if (result.mismatch) {
    if (!queue_.Mismatched(*key, start_, now)) {
      return Lose("", "gave a test signature that does not verify", now);
    }
    return NextTest(now);
  }
  const WorkerRemedy remedy = WorkerRemedyFor(result.failure);
  if (result.failure.ok()) {
    passed_one_ = true;
    test_took_ = now - debt.sent;
    queue_.Diagnose(*key, result.failure, start_, now - debt.sent);
  } else if (remedy == WorkerRemedy::kNewPin && PinLogsIn()) {
    queue_.PinRefused("", StampOf(pin_source_), result.failure, now);
    return Lose("", result.failure.message(), now);
  } else if (remedy == WorkerRemedy::kNewPin) {
    queue_.PinRefused(key->key.selector.label, StampOf(pin_source_), result.failure, now);
    queue_.Diagnose(*key, result.failure, start_, nanoseconds(0));
  } else if (phase_ == Phase::kServing) {
    if (!queue_.IsBelieved(*key, result.failure)) {
      if (remedy == WorkerRemedy::kSecondOpinion) queue_.WantSecondOpinion(*key, start_, now);
      return Lose("", result.failure.message(), now);
    }
  } else if (remedy == WorkerRemedy::kNewWorker) {
    failed_tests_.emplace_back(key, result.failure);
  } else {
    queue_.Diagnose(*key, result.failure, start_, nanoseconds(0));
  }
  NextTest(now);
}

// A worker of whose keys one signs is sound: what fails is the others' own trouble.
void WorkerLane::EndTests(SteadyTime now) {
  next_test_ = now + kIdleBeforeTest;
  if (phase_ == Phase::kServing) return;
  if (!passed_one_ && !failed_tests_.empty()) {
    return Lose("", failed_tests_.back().second.message(), now);
  }
  for (const auto& [key, failure] : failed_tests_) {
    queue_.Diagnose(*key, failure, start_, nanoseconds(0));
  }
  failed_tests_.clear();
  phase_ = Phase::kServing;
  patience_.Served();
  queue_.Ready(options_.index, options_.threads, start_, now);
}

}  // namespace hourglass::hsm
