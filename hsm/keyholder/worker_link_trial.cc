#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/keyholder/worker_link.h"

namespace hourglass::hsm {
namespace {

using std::chrono::nanoseconds;

// What the worker said to the test; what VerifyDigest calls KEY_MISMATCH is no error of the worker.
void ReadResult(const KeyQueue& key, absl::string_view digest, const keyholder::Reply& reply,
                CallQueue::Tested* tested) {
  if (reply.has_failure()) {
    tested->error = ReadFailure(reply.failure());
  } else if (reply.signatures_size() != 1) {
    tested->error = Error(ErrorReason::kKeyUnavailable, "", "sent what is no reply");
  } else if (reply.signatures(0).has_failure()) {
    tested->error = ReadFailure(reply.signatures(0).failure());
  } else {
    tested->error = key.verifier.VerifyDigest(digest, reply.signatures(0).octets());
    tested->mismatch = ReasonOf(tested->error) == ErrorReason::kKeyMismatch;
  }
}

}  // namespace

void WorkerLink::BeginTests(SteadyTime now) {
  to_test_ = queue_.KeysToCheck(start_);
  // They are taken from the back.
  std::reverse(to_test_.begin(), to_test_.end());
  failed_tests_.clear();
  passed_one_ = false;
  NextTest(now);
}

void WorkerLink::NextTest(SteadyTime now) {
  if (to_test_.empty()) return EndTests(now);
  Debt test;
  test.kind = Debt::Kind::kTest;
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

void WorkerLink::HandleTest(const Debt& debt, const keyholder::Reply& reply, SteadyTime now) {
  const std::shared_ptr<KeyQueue> key = debt.work.key;
  CallQueue::Tested tested{start_, phase_ == Phase::kServing, absl::OkStatus(), false,
                           now - debt.sent};
  ReadResult(*key, debt.test_digest, reply, &tested);
  if (tested.error.ok()) {
    passed_one_ = true;
    test_took_ = tested.took;
  }
  switch (queue_.NoteTest(*key, tested, now)) {
    case CallQueue::AfterTest::kNextKey:
      break;
    case CallQueue::AfterTest::kReplaceWorker:
      return Lose(
          "",
          tested.mismatch ? "gave a test signature that does not verify" : tested.error.message(),
          now);
    case CallQueue::AfterTest::kJudgeLast:
      failed_tests_.emplace_back(key, tested.error);
      break;
  }
  NextTest(now);
}

// A worker of whose keys one signs is sound: what fails is the others' own trouble.
void WorkerLink::EndTests(SteadyTime now) {
  next_test_ = now + kIdleBeforeTest;
  if (phase_ == Phase::kServing) return;
  if (!passed_one_ && !failed_tests_.empty()) {
    return Lose("", failed_tests_.back().second.message(), now);
  }
  for (const auto& [key, failure] : failed_tests_) {
    queue_.KeyFailed(*key, failure, start_);
  }
  failed_tests_.clear();
  phase_ = Phase::kServing;
  patience_.Served();
  queue_.Ready(options_.index, options_.threads, start_, now);
}

}  // namespace hourglass::hsm
