#include "issuance/tokens/fetched_key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "issuance/tokens/testing/key_server.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/manual_clock.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

std::string SetOf(const TestKey& key) { return nlohmann::json{{"keys", {key.Jwk()}}}.dump(); }

class FetchedKeySetTest : public testing::Test {
 protected:
  HttpsRequest Request(absl::string_view path = "/keys",
                       std::chrono::milliseconds deadline = std::chrono::seconds(30)) const {
    return {.url = server_.Url(path), .ca_file = server_.ca_file(), .deadline = deadline};
  }
  std::unique_ptr<FetchedKeySet> Make(HttpsRequest request, KeySetNews news = nullptr) {
    return std::make_unique<FetchedKeySet>(
        std::move(request), RefreshPace(), &clock_, [this] { return now_.load(); },
        std::move(news));
  }

  KeyServer server_;
  ManualClock clock_;
  std::atomic<FetchedKeySet::Time> now_ = FetchedKeySet::Time(std::chrono::hours(100));
  const TestKey first_{"first", TokenAlgorithm::kEs256};
  const TestKey second_{"second", TokenAlgorithm::kEs256};
};

TEST_F(FetchedKeySetTest, GetsWhatIsThereAndThenLetsItBe) {
  server_.Publish(SetOf(first_));
  const auto source = Make(Request());
  EXPECT_EQ(source->Get(), nullptr);
  EXPECT_THAT(source->Health().fault, HasSubstr("was not read yet"));
  EXPECT_TRUE(source->FetchIfDue());
  ASSERT_NE(source->Get(), nullptr);
  EXPECT_NE(source->Get()->Find("first"), nullptr);
  EXPECT_EQ(source->Health().fault, "");
  EXPECT_EQ(source->Health().read_at, clock_.Now());
  EXPECT_FALSE(source->FetchIfDue());
  EXPECT_EQ(server_.Asked("/keys"), 1);
}

TEST_F(FetchedKeySetTest, KeysAreRotated) {
  server_.Publish(SetOf(first_));
  const auto source = Make(Request());
  source->FetchIfDue();
  server_.Publish(SetOf(second_));
  now_ = now_.load() + std::chrono::hours(24) - std::chrono::seconds(1);
  EXPECT_FALSE(source->FetchIfDue());
  now_ = now_.load() + std::chrono::seconds(1);
  EXPECT_TRUE(source->FetchIfDue());
  EXPECT_EQ(source->Get()->Find("first"), nullptr);
  EXPECT_NE(source->Get()->Find("second"), nullptr);
}

TEST_F(FetchedKeySetTest, AnUnknownKeyIsLookedForButNotOften) {
  server_.Publish(SetOf(first_));
  const auto source = Make(Request());
  source->FetchIfDue();
  server_.Publish(SetOf(second_));
  for (int i = 0; i < 1000; ++i) source->KeyIsUnknown();
  EXPECT_FALSE(source->FetchIfDue());
  now_ = now_.load() + std::chrono::minutes(1);
  EXPECT_TRUE(source->FetchIfDue());
  EXPECT_NE(source->Get()->Find("second"), nullptr);
  for (int i = 0; i < 1000; ++i) source->KeyIsUnknown();
  EXPECT_FALSE(source->FetchIfDue());
  EXPECT_EQ(server_.Asked("/keys"), 2);
}

TEST_F(FetchedKeySetTest, TheLastGoodSetStays) {
  server_.Publish(SetOf(first_));
  const auto source = Make(Request());
  source->FetchIfDue();
  const auto good = source->Get();
  const Timestamp read_at = clock_.Now();
  for (const char* broken : {"", "<html>", "{\"keys\":[]}"}) {
    server_.Publish(broken);
    clock_.Advance(std::chrono::hours(24));
    now_ = now_.load() + std::chrono::hours(24);
    EXPECT_TRUE(source->FetchIfDue());
    EXPECT_EQ(source->Get(), good);
    EXPECT_THAT(source->Health().fault, HasSubstr("the key set"));
    EXPECT_EQ(source->Health().read_at, read_at);
  }
  server_.Stop();
  now_ = now_.load() + std::chrono::hours(24);
  EXPECT_TRUE(source->FetchIfDue());
  EXPECT_EQ(source->Get(), good);
  EXPECT_THAT(source->Health().fault, HasSubstr("Failed to connect"));
}

TEST_F(FetchedKeySetTest, TellsWhatIsNew) {
  std::vector<bool> told;
  server_.Publish(SetOf(first_));
  const auto source =
      Make(Request(), [&](const KeySetHealth& health) { told.push_back(health.fault.empty()); });
  const auto after_a_day = [&] {
    now_ = now_.load() + std::chrono::hours(24);
    source->FetchIfDue();
  };
  after_a_day();
  after_a_day();  // the same text: no news
  server_.Publish("");
  after_a_day();
  after_a_day();  // the same failure
  server_.Publish(SetOf(first_));
  after_a_day();
  EXPECT_THAT(told, testing::ElementsAre(true, false, true));
}

// Whoever asks for keys is not kept by a server that is.
TEST_F(FetchedKeySetTest, OneFetchAtATimeAndNobodyWaitsForIt) {
  const auto source = Make(Request("/slow", std::chrono::minutes(10)));
  std::thread fetch([&] { EXPECT_TRUE(source->FetchIfDue()); });
  ASSERT_TRUE(server_.WaitUntilAsked("/slow"));
  EXPECT_FALSE(source->FetchIfDue());
  EXPECT_EQ(source->Get(), nullptr);
  source->KeyIsUnknown();
  EXPECT_THAT(source->Health().fault, HasSubstr("was not read yet"));
  server_.Stop();
  fetch.join();
  EXPECT_EQ(source->Get(), nullptr);
}

TEST_F(FetchedKeySetTest, FetchesOnAThreadOfItsOwnAndEndsAtOnce) {
  server_.Publish(SetOf(first_));
  std::promise<void> read;
  auto source = Make(Request(), [&](const KeySetHealth& health) {
    EXPECT_EQ(health.fault, "");
    read.set_value();
  });
  source->Start();
  read.get_future().wait();
  EXPECT_NE(source->Get(), nullptr);
  source.reset();
  // Also while it fetches, for up to ten minutes.
  source = Make(Request("/slow", std::chrono::minutes(10)));
  source->Start();
  ASSERT_TRUE(server_.WaitUntilAsked("/slow"));
}

}  // namespace
}  // namespace hourglass::issuance
