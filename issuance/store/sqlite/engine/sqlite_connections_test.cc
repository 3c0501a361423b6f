#include "issuance/store/sqlite/engine/sqlite_connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "issuance/store/reading.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    auto opened =
        Connections::Open(directory_.File("store.sqlite"), std::chrono::milliseconds(1000));
    if (opened.ok()) connections_ = *std::move(opened);
  }

  // `threads` that read as `reading` says, all of them within their reads when this returns, until
  // the gate opens.
  void HoldReaders(int threads, Reading reading) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, reading] {
        SetReadingOfThisThread(reading);
        EXPECT_OK(connections_->Read([this](Connection&) -> absl::Status {
          ++within_;
          gate_.wait();
          return absl::OkStatus();
        }));
      });
    }
  }
  void WaitUntilWithin(int threads) {
    while (within_ < threads) std::this_thread::yield();
  }
  void Open() {
    opening_.set_value();
    for (std::thread& thread : threads_) thread.join();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Connections> connections_;
  std::atomic<int> within_ = 0;
  std::promise<void> opening_;
  std::shared_future<void> gate_ = opening_.get_future().share();
  std::vector<std::thread> threads_;
};

TEST_F(ConnectionsTest, ListingsThatTakeAllTheirReadersHoldUpNoIssuing) {
  ASSERT_NE(connections_, nullptr);
  // More than there are connections for listings: the rest waits for one.
  HoldReaders(6, Reading::kListing);
  WaitUntilWithin(4);
  EXPECT_EQ(ReadingOfThisThread(), Reading::kIssuing);
  EXPECT_OK(connections_->Read(
      [](Connection& reader) { return reader.Execute("SELECT count(*) FROM tenants"); }));
  EXPECT_EQ(within_, 4);
  Open();
  EXPECT_EQ(within_, 6);
}

TEST_F(ConnectionsTest, IssuingThatTakesAllItsReadersHoldsUpNoListing) {
  ASSERT_NE(connections_, nullptr);
  HoldReaders(4, Reading::kIssuing);
  WaitUntilWithin(4);
  std::async(std::launch::async, [this] {
    SetReadingOfThisThread(Reading::kListing);
    EXPECT_OK(connections_->Read(
        [](Connection& reader) { return reader.Execute("SELECT count(*) FROM tenants"); }));
  }).get();
  Open();
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
