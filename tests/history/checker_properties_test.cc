// The checker on random histories: sound ones pass, and what is changed in one of them is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/history/checker.h"
#include "tests/history/summary.h"
#include "tests/history/testing/sample_history.h"

namespace hourglass::history {
namespace {

constexpr int kHistories = 24;
constexpr int kChangesEach = 20;

std::string InWords(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations) text += InWords(violation);
  return text;
}

// 1 where it is there, else 0.
int Has(const std::map<std::string, std::int64_t>& counts, const std::string& name) {
  return counts.count(name) > 0 ? 1 : 0;
}

SampleOptions OptionsOf(int seed) {
  SampleOptions options;
  options.seed = static_cast<std::uint32_t>(seed);
  options.clients = 2 + seed % 4;
  options.calls = 24;
  options.sub_keys = seed % 3 == 0;
  return options;
}

TEST(CheckerPropertiesTest, SoundHistoriesPass) {
  Summary all;
  for (int seed = 1; seed <= kHistories; ++seed) {
    SampleOptions options = OptionsOf(seed);
    options.kills_clients = seed % 2 == 0;
    const History history = MakeSampleHistory(options);
    const std::vector<Violation> violations = Check(history);
    ASSERT_THAT(violations, testing::IsEmpty()) << "seed " << seed << "\n" << InWords(violations);
    const Summary summary = Summarize(history, violations);
    all.received += summary.received;
    all.received_again += summary.received_again;
    all.promotions += summary.promotions;
    all.refused["PRIMARY_CHANGED"] += Has(summary.refused, "PRIMARY_CHANGED");
    all.administration["RollBackRoot"] += Has(summary.administration, "RollBackRoot done");
    all.administration["RetireRoot"] += Has(summary.administration, "RetireRoot done");
    all.administration["unanswered"] +=
        Has(summary.administration, "PromoteRoot no answer, DEADLINE_EXCEEDED");
  }
  // What they are made of is in them.
  EXPECT_GT(all.received, 20 * kHistories);
  EXPECT_GT(all.received_again, 0);
  EXPECT_GT(all.promotions, 2 * kHistories);
  EXPECT_GT(all.refused["PRIMARY_CHANGED"], kHistories / 2);
  EXPECT_GT(all.administration["RollBackRoot"], 0);
  EXPECT_GT(all.administration["RetireRoot"], 0);
  EXPECT_GT(all.administration["unanswered"], 0);
}

// Changes one thing in a history; says what.
class Vandal {
 public:
  explicit Vandal(std::uint32_t seed) : random_(seed) {}

  std::string Spoil(History& history) {
    std::vector<RecordedCertificate>& records = history.tenants[0].certificates;
    RecordedCertificate& record = records[Below(records.size())];
    switch (Below(6)) {
      case 0:
        return absl::StrCat("the epoch of ", record.request_id, " was ",
                            ChangeEpoch(record, history.tenants[0].epoch));
      case 1:
        return absl::StrCat("a bit of the serial number of ", record.request_id, ", ",
                            FlipBit(record.serial_number));
      case 2:
        if (record.certificate.empty()) break;
        return absl::StrCat("a bit of the certificate of ", record.request_id, ", ",
                            FlipBit(record.certificate));
      case 3:
        return absl::StrCat("a recorded request id, ", ChangeRequestId(ReceivedOf(history)));
      case 4:
        return SpoilReceived(history, true);
      default:
        break;
    }
    return SpoilReceived(history, false);
  }

 private:
  std::size_t Below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  std::string FlipBit(std::string& octets) {
    const std::size_t bit = Below(8 * octets.size());
    octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ (1 << (bit % 8)));
    return absl::StrCat("bit ", bit);
  }

  std::uint64_t ChangeEpoch(RecordedCertificate& record, std::uint64_t last) {
    const std::uint64_t before = record.epoch;
    do {
      record.epoch = Below(last + 3);
    } while (record.epoch == before);
    return before;
  }

  // To one of another request, or of none.
  std::string ChangeRequestId(std::string& request_id) {
    const std::string before = request_id;
    do {
      request_id = absl::StrCat("request-", Below(200));
    } while (request_id == before);
    return absl::StrCat(before, " is now ", request_id);
  }

  // The recorded request id of what some client received: of what nobody did, a request id may be
  // that of any other call that had no answer.
  std::string& ReceivedOf(History& history) {
    std::vector<RecordedCertificate>& records = history.tenants[0].certificates;
    for (;;) {
      RecordedCertificate& record = records[Below(records.size())];
      for (const IssueCall& call : history.issuing) {
        const bool is_received = std::holds_alternative<Received>(call.outcome);
        if (is_received && call.request_id == record.request_id) return record.request_id;
      }
    }
  }

  std::string SpoilReceived(History& history, bool its_certificate) {
    for (;;) {
      IssueCall& call = history.issuing[Below(history.issuing.size())];
      Received* const received = std::get_if<Received>(&call.outcome);
      if (received == nullptr) continue;
      return its_certificate
                 ? absl::StrCat("a bit of what ", call.request_id, " received, ",
                                FlipBit(received->certificate))
                 : absl::StrCat("a received request id, ", ChangeRequestId(call.request_id));
    }
  }

  std::mt19937 random_;
};

TEST(CheckerPropertiesTest, WhatIsChangedIsFound) {
  for (int seed = 1; seed <= kHistories; ++seed) {
    const History sound = MakeSampleHistory(OptionsOf(seed));
    ASSERT_THAT(Check(sound), testing::IsEmpty()) << "seed " << seed;
    Vandal vandal(static_cast<std::uint32_t>(seed));
    for (int change = 0; change < kChangesEach; ++change) {
      History spoiled = sound;
      const std::string what = vandal.Spoil(spoiled);
      EXPECT_THAT(Check(spoiled), testing::Not(testing::IsEmpty()))
          << "seed " << seed << ", change " << change << ": " << what;
    }
  }
}

// How many calls: HOURGLASS_HISTORY_CALLS says it. Whoever takes time with the square of them does
// not end here.
TEST(CheckerPropertiesTest, ALongHistoryPasses) {
  const char* const text = std::getenv("HOURGLASS_HISTORY_CALLS");
  SampleOptions options;
  int calls = 20'000;
  if (text != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(text, &calls)) << text;
  }
  options.clients = 50;
  options.calls = calls / options.clients;
  options.changes = 200;
  const History history = MakeSampleHistory(options);
  const std::clock_t begin = std::clock();
  const std::vector<Violation> violations = Check(history);
  const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  EXPECT_THAT(violations, testing::IsEmpty());
  const Summary summary = Summarize(history, violations);
  EXPECT_GT(summary.received, calls / 2);
  std::printf("%d calls, %d certificates recorded, %d promotions: checked in %.1f s of CPU\n",
              calls, static_cast<int>(summary.recorded), static_cast<int>(summary.promotions),
              took);
}

}  // namespace
}  // namespace hourglass::history
