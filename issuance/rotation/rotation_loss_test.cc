// A process of the service is lost at any write of a rotation that it does by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/issuers/root_states.h"
#include "issuance/rotation/rotation_executor.h"
#include "issuance/rotation/rotation_planner.h"
#include "issuance/rotation/testing/rotation_executor_fixture.h"
#include "issuance/store/testing/forwarding_store.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr int kLost = 9;
constexpr int kFailed = 1;

// A second more than a root is kept for whoever has to go back to it.
constexpr std::chrono::seconds kUntilRetirement = kTimeToGoBack + std::chrono::seconds(1);

// Where the process is lost: at the write of this number, before it or after.
struct Loss {
  int write;
  bool is_after;
};

class LosingStore : public ForwardingStore {
 public:
  LosingStore(Store* store, Loss loss) : ForwardingStore(store), loss_(loss) {}

  absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) override {
    return Write([&] { return ForwardingStore::ReserveGeneration(tenant_id); });
  }
  absl::Status PlanKey(const PlannedKey& key) override {
    return Write([&] { return ForwardingStore::PlanKey(key); });
  }
  absl::Status AddRoot(const RootRecord& root) override {
    return Write([&] { return ForwardingStore::AddRoot(root); });
  }
  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    return Write([&] {
      return ForwardingStore::ChangeRootStates(tenant_id, expected_revision, changes, order);
    });
  }

 private:
  template <typename Writing>
  std::invoke_result_t<Writing> Write(Writing write) {
    const bool is_lost = writes_++ == loss_.write;
    if (is_lost && !loss_.is_after) _exit(kLost);
    auto written = write();
    if (is_lost) _exit(kLost);
    return written;
  }

  const Loss loss_;
  int writes_ = 0;
};

class LostProcessTest : public RotationExecutorTest {
 protected:
  // Returns the exit code of a process of its own that does this; kFailed where a test failed in
  // it.
  int InAProcess(const std::function<void()>& work) {
    process_.reset();
    const pid_t child = fork();
    if (child == 0) {
      work();
      std::fflush(stdout);
      _exit(HasFailure() ? kFailed : 0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  // Another process does what is due, and is lost meanwhile. Returns whether it came so far.
  bool PassInALostProcess(Loss loss) {
    const int code = InAProcess([&] {
      Process process(Database(), Places(), contoso_, &entropy_, &clock_, &silent_);
      LosingStore store(process.store.get(), loss);
      RootAdministration roots(&store, process.keys.get(), &process.tenants, &entropy_, &clock_);
      RotationExecutor(&store, &roots, &process.tenants, &clock_, &silent_).Pass();
    });
    EXPECT_THAT(code, testing::AnyOf(0, kLost));
    return code == kLost;
  }

  // A whole rotation, in each step of which a process is lost. Returns in how many one was.
  int RotateWith(Loss loss) {
    int lost = 0;
    for (const std::chrono::seconds pause :
         {std::chrono::seconds(40 * kDay), std::chrono::seconds(30 * kDay), kUntilRetirement}) {
      Advance(pause);
      lost += PassInALostProcess(loss) ? 1 : 0;
      Restart();
      // As the service does when it is started again; the second finds nothing to do.
      Pass();
      const std::vector<std::string> states = States();
      Pass();
      EXPECT_EQ(States(), states);
      Acknowledge();
    }
    return lost;
  }

  const EventLog silent_ = EventLog::Silent();
};

TEST_F(LostProcessTest, WhereverAProcessIsLostTheRotationIsDoneOnce) {
  int lost = 0;
  std::size_t left = 0;
  for (int write = 0; write < 6; ++write) {
    for (const bool is_after : {false, true}) {
      SCOPED_TRACE(absl::StrCat(write, is_after ? " after" : " before"));
      const std::size_t before = Roots().size();
      lost += RotateWith({write, is_after});
      const std::vector<RootRecord> roots = Roots();
      ASSERT_EQ(roots.size(), before + 1);
      EXPECT_EQ(roots.back().state, ca::RootState::kPrimary);
      EXPECT_EQ(roots[roots.size() - 2].state, ca::RootState::kRetired);
      // A key in a file has no id. Lost before its public key was noted, it could be another's, and
      // is left alone, and on record.
      if (write == 2 && !is_after) ++left;
      EXPECT_EQ(store().ListPlannedKeys("contoso").value().size(), left);
      // Each root has its key, fabrikam's too, and there is no other.
      EXPECT_EQ(KeyFiles(), roots.size() + 1 + left);
      EXPECT_OK(process_->keys->Open(roots.back().key_uri));
      EXPECT_EQ(Done().size(), 4 * before) << "nothing is done, or recorded, twice";
      // The next rotation begins as this one did.
      Advance(600 * kDay - kUntilRetirement);
    }
  }
  // A root takes four writes, a promotion and a retirement one each; before and after.
  EXPECT_EQ(lost, 2 * (4 + 1 + 1));
}

// A token sees nothing of a process that forgets it, so none of this one opens it: each part of the
// story has a process of its own.
class LostTokenProcessTest : public LostProcessTest,
                             public testing::WithParamInterface<std::tuple<int, bool>> {
 protected:
  static void SetUpTestSuite() {
    std::vector<std::string> labels;
    for (int write = 0; write < 4; ++write) {
      labels.push_back(LabelOf({write, false}));
      labels.push_back(LabelOf({write, true}));
    }
    token_ = new SofthsmToken(labels);
  }
  static void TearDownTestSuite() {
    delete token_;
    token_ = nullptr;
  }
  void SetUp() override {}

  static std::string LabelOf(Loss loss) {
    return absl::StrCat(loss.is_after ? "after" : "before", loss.write);
  }
  static std::size_t PrivateKeys(const std::string& label) {
    const CommandResult listed = token_->Tool({"--list-objects", "--type", "privkey"}, label);
    EXPECT_EQ(listed.exit_code, 0) << listed.output;
    const std::vector<std::string> parts = absl::StrSplit(listed.output, "Private Key Object");
    return parts.size() - 1;
  }

  static SofthsmToken* token_;
};

SofthsmToken* LostTokenProcessTest::token_ = nullptr;

TEST_P(LostTokenProcessTest, NoKeyIsLeftWithoutItsRoot) {
  const auto [write, is_after] = GetParam();
  const Loss loss{write, is_after};
  token_uri_ = token_->Uri(LabelOf(loss));
  ASSERT_EQ(InAProcess([&] { RotationExecutorTest::SetUp(); }), 0);
  ASSERT_EQ(PrivateKeys(LabelOf(loss)), 2u);
  Advance(40 * kDay);
  ASSERT_TRUE(PassInALostProcess(loss));
  ASSERT_EQ(InAProcess([&] {
              Restart();
              Pass();
              const std::vector<RootRecord> roots = Roots();
              ASSERT_EQ(roots.size(), 2u);
              EXPECT_EQ(roots[1].state, ca::RootState::kStaged);
              EXPECT_OK(process_->keys->Open(roots[1].key_uri));
              EXPECT_THAT(store().ListPlannedKeys("contoso").value(), testing::IsEmpty());
            }),
            0);
  EXPECT_EQ(PrivateKeys(LabelOf(loss)), 3u);
}

INSTANTIATE_TEST_SUITE_P(Writes, LostTokenProcessTest,
                         testing::Combine(testing::Range(0, 4), testing::Bool()));

}  // namespace
}  // namespace hourglass::issuance
