#include "issuance/tokens/key_set_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

class KeySetFileTest : public testing::Test {
 protected:
  void Write(const std::string& key_id) {
    const TestKey key(key_id, TokenAlgorithm::kEs256);
    directory_.Write("keys.json", nlohmann::json{{"keys", {key.Jwk()}}}.dump());
  }
  KeySetFile Make(KeySetNews news = nullptr) {
    return {directory_.File("keys.json"), &clock_, [this] { return now_.load(); }, std::move(news)};
  }
  // The next look.
  std::shared_ptr<const KeySet> GetLater(KeySetFile& file) {
    now_ = now_.load() + std::chrono::seconds(1);
    return file.Get();
  }

  const TemporaryDirectory directory_;
  SystemClock clock_;
  std::atomic<KeySetFile::Time> now_ = KeySetFile::Time(std::chrono::hours(100));
};

TEST_F(KeySetFileTest, IsReadAtOnceAndWhenItChanges) {
  Write("a");
  KeySetFile file = Make();
  ASSERT_NE(file.Get(), nullptr);
  EXPECT_NE(file.Get()->Find("a"), nullptr);
  // Of one size, within the tick of the kernel.
  for (const char* id : {"b", "c", "d"}) {
    Write(id);
    EXPECT_NE(GetLater(file)->Find(id), nullptr) << id;
  }
  std::filesystem::rename(directory_.Write("next", ReadFileOrDie(directory_.File("keys.json"))),
                          directory_.File("keys.json"));
  EXPECT_NE(GetLater(file)->Find("d"), nullptr);
}

TEST_F(KeySetFileTest, IsLookedAtOnceASecond) {
  Write("a");
  KeySetFile file = Make();
  Write("b");
  EXPECT_EQ(file.Get()->Find("b"), nullptr);
  EXPECT_NE(GetLater(file)->Find("b"), nullptr);
}

TEST_F(KeySetFileTest, TheSameTextIsTheSameSet) {
  Write("a");
  KeySetFile file = Make();
  const auto before = file.Get();
  directory_.Write("keys.json", ReadFileOrDie(directory_.File("keys.json")));
  EXPECT_EQ(GetLater(file), before);
}

TEST_F(KeySetFileTest, TheLastGoodSetStays) {
  std::vector<std::string> told;
  Write("a");
  KeySetFile file = Make([&](const KeySetHealth& health) { told.push_back(health.fault); });
  const auto good = file.Get();
  directory_.Write("keys.json", "{");
  EXPECT_EQ(GetLater(file), good);
  EXPECT_EQ(file.Health().fault,
            absl::StrCat(directory_.File("keys.json"), ": the key set is no JSON"));
  std::filesystem::remove(directory_.File("keys.json"));
  EXPECT_EQ(GetLater(file), good);
  EXPECT_THAT(file.Health().fault, HasSubstr("cannot be read: No such file"));
  GetLater(file);
  std::filesystem::create_directory(directory_.File("keys.json"));
  EXPECT_EQ(GetLater(file), good);
  EXPECT_THAT(file.Health().fault, HasSubstr("is no regular file"));
  std::filesystem::remove(directory_.File("keys.json"));
  Write("b");
  EXPECT_NE(GetLater(file)->Find("b"), nullptr);
  EXPECT_EQ(file.Health().fault, "");
  // Good, broken, gone, a folder, good: each once.
  EXPECT_EQ(told.size(), 5u);
}

TEST_F(KeySetFileTest, MayComeLater) {
  KeySetFile file = Make();
  EXPECT_EQ(file.Get(), nullptr);
  EXPECT_NE(file.Health().fault, "");
  Write("a");
  EXPECT_NE(GetLater(file), nullptr);
}

TEST_F(KeySetFileTest, IsBounded) {
  directory_.Write("keys.json", std::string(kMaxKeySetSize + 1, ' '));
  KeySetFile file = Make();
  EXPECT_THAT(file.Health().fault, HasSubstr("more than 262144 octets"));
  directory_.Write("keys.json", std::string(8'000'000, ' '));
  EXPECT_EQ(GetLater(file), nullptr);
  EXPECT_THAT(file.Health().fault, HasSubstr("more than 262144 octets"));
}

TEST_F(KeySetFileTest, ManyMayAskAtOnce) {
  Write("a");
  KeySetFile file = Make();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int look = 0; look < 50; ++look) {
        EXPECT_NE(GetLater(file), nullptr);
        file.Health();
      }
    });
  }
  for (const char* id : {"b", "c", "d"}) Write(id);
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(GetLater(file)->Find("d"), nullptr);
}

}  // namespace
}  // namespace hourglass::issuance
