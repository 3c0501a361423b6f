#include "issuance/server/certificate_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::hours kDay(24);

// PEM of a certificate that ends in so many days, as the machine's clock has it.
std::string CertificateFor(int days) {
  const TemporaryDirectory directory;
  const CommandResult made =
      RunCommand({"openssl", "req", "-x509", "-nodes", "-subj", "/CN=server", "-days",
                  absl::StrCat(days), "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-keyout", directory.File("key"), "-out", directory.File("pem")});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return ReadFileOrDie(directory.File("pem"));
}

class CertificateEndsTest : public testing::Test {
 protected:
  CertificateEndsTest() {
    auto store = OpenSqliteStore(directory_.File("store.sqlite"), {});
    EXPECT_OK(store);
    store_ = *std::move(store);
  }

  // A tenant with a root of that state that ends in so many days.
  void AddRoot(const std::string& tenant_id, int days, bool primary = true) {
    RootRecord root = SampleRoot(1, tenant_id);
    root.not_before = std::chrono::floor<std::chrono::seconds>(clock_.Now() - kDay);
    root.not_after = std::chrono::floor<std::chrono::seconds>(clock_.Now() + days * kDay);
    EXPECT_OK(store_->CreateTenant(SampleTenant(tenant_id)));
    EXPECT_OK(store_->AddRoot(root));
    if (!primary) return;
    EXPECT_OK(store_->ChangeRootStates(
        tenant_id, 1, {{root.root_id, ca::RootState::kStaged, ca::RootState::kPrimary}},
        {clock_.Now()}));
  }

  // `level event what within_days` of each line that looks at these days from now bring.
  std::vector<std::string> Told(const std::vector<CertificateEnds::Own>& own,
                                const std::vector<int>& days, TenantStore* store = nullptr) {
    testing::internal::CaptureStderr();
    {
      const auto log = EventLog::ToStandardError("info");
      CertificateEnds ends(own, store == nullptr ? store_.get() : store, &clock_, *log);
      int before = 0;
      for (const int day : days) {
        clock_.Advance((day - before) * kDay);
        before = day;
        ends.Look();
      }
      seen_ = ends.LastSeen();
    }
    std::vector<std::string> told;
    for (const absl::string_view text :
         absl::StrSplit(testing::internal::GetCapturedStderr(), '\n', absl::SkipEmpty())) {
      const nlohmann::json line = nlohmann::json::parse(std::string(text));
      const std::string what = line.contains("certificate") ? line["certificate"].get<std::string>()
                                                            : line["tenant"].get<std::string>();
      told.push_back(absl::StrCat(line["level"].get<std::string>(), " ",
                                  line["event"].get<std::string>(), " ", what, " ",
                                  line.value("within_days", "")));
    }
    return told;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  CertificateEnds::Seen seen_;
};

TEST_F(CertificateEndsTest, TellsEachThresholdOnceOfItsOwn) {
  EXPECT_THAT(
      Told({{"tls.certificate", CertificateFor(40)}}, {0, 5, 11, 12, 27, 27, 34, 39, 41, 42}),
      ElementsAre("warning certificate_ends_soon tls.certificate 30",
                  "warning certificate_ends_soon tls.certificate 14",
                  "warning certificate_ends_soon tls.certificate 7",
                  "error certificate_ended tls.certificate "));
  ASSERT_EQ(seen_.own.size(), 1u);
  EXPECT_EQ(seen_.own[0].first, "tls.certificate");
}

TEST_F(CertificateEndsTest, TellsTheNearestAtTheStart) {
  EXPECT_THAT(Told({{"tls.certificate", CertificateFor(3)}}, {0, 0}),
              ElementsAre("warning certificate_ends_soon tls.certificate 7"));
  EXPECT_THAT(Told({{"tls.certificate", CertificateFor(300)}, {"broken", "no PEM"}}, {0}),
              IsEmpty());
  EXPECT_EQ(seen_.own.size(), 1u);
}

TEST_F(CertificateEndsTest, OfAChainTheFirstEndCountsAndOfRootsTheLast) {
  const std::string both = CertificateFor(300) + CertificateFor(10);
  EXPECT_THAT(Told({{"tls.certificate", both}, {"tls.trusted_roots", both, true}}, {0}),
              ElementsAre("warning certificate_ends_soon tls.certificate 14"));
}

TEST_F(CertificateEndsTest, TellsOfRootsAndCountsThemByState) {
  AddRoot("contoso", 20);
  AddRoot("fabrikam", 400);
  AddRoot("northwind", 80);
  AddRoot("tailspin", 10, false);
  EXPECT_THAT(Told({}, {0, 0, 7}),
              testing::UnorderedElementsAre("warning certificate_ends_soon contoso 30",
                                            "warning certificate_ends_soon northwind 90",
                                            "warning certificate_ends_soon tailspin 14",
                                            "warning certificate_ends_soon contoso 14",
                                            "warning certificate_ends_soon tailspin 7"));
  EXPECT_EQ(seen_.roots.size(), 3u);
  EXPECT_THAT(seen_.roots[ca::RootState::kPrimary].ending, ElementsAre(0, 0, 1, 1, 2));
  EXPECT_THAT(seen_.roots[ca::RootState::kStaged].ending, ElementsAre(0, 1, 1, 1, 1));
  EXPECT_EQ(seen_.roots[ca::RootState::kRetiring].first_end, Timestamp());
}

// Whose roots cannot be listed at every second time that they are asked for.
class FlakyStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    if (++asked_ % 2 == 0) return Error(ErrorReason::kJournalUnavailable, "", "for a moment");
    return ForwardingStore::ListRoots(tenant_id);
  }

 private:
  int asked_ = 0;
};

TEST_F(CertificateEndsTest, TellsNothingTwiceWhereTheStoreFailedInBetween) {
  AddRoot("contoso", 20);
  FlakyStore flaky(store_.get());
  EXPECT_THAT(Told({}, {0, 0, 0, 0, 6}, &flaky),
              ElementsAre("warning certificate_ends_soon contoso 30",
                          "warning certificate_ends_soon contoso 14"));
}

TEST_F(CertificateEndsTest, TellsOfARootFrom90DaysOnEachThresholdOnce) {
  AddRoot("contoso", 100);
  EXPECT_THAT(
      Told({}, {0, 9, 10, 11, 69, 70, 85, 86, 93, 99, 101, 102}),
      ElementsAre("warning certificate_ends_soon contoso 90",
                  "warning certificate_ends_soon contoso 30",
                  "warning certificate_ends_soon contoso 14",
                  "warning certificate_ends_soon contoso 7", "error certificate_ended contoso 0"));
}

TEST_F(CertificateEndsTest, TellsOfTheServicesOwnFrom30DaysOnOnly) {
  AddRoot("contoso", 60);
  EXPECT_THAT(Told({{"tls.certificate", CertificateFor(60)}}, {0, 29, 31}),
              ElementsAre("warning certificate_ends_soon contoso 90",
                          "warning certificate_ends_soon tls.certificate 30",
                          "warning certificate_ends_soon contoso 30"));
}

TEST_F(CertificateEndsTest, WhatElseLooksIsCalledOnTheThreadAtOnceAndOnce) {
  std::atomic<int> called = 0;
  std::promise<std::thread::id> thread;
  {
    CertificateEnds ends({}, store_.get(), &clock_, EventLog::Silent());
    ends.Watch([&] {
      if (++called == 1) thread.set_value(std::this_thread::get_id());
    });
    std::future<std::thread::id> first = thread.get_future();
    ASSERT_EQ(first.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    EXPECT_NE(first.get(), std::this_thread::get_id());
    EXPECT_EQ(ends.LastSeen().roots.size(), 3u) << "after the look";
  }
  EXPECT_EQ(called, 1) << "and again after a minute";
}

}  // namespace
}  // namespace hourglass::issuance
