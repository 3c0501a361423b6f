#include "issuance/edge/connection_table.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionTableTest : public testing::Test {
 protected:
  static ConnectionLimits Limits() {
    ConnectionLimits limits;
    limits.in_all = 6;
    limits.per_source = 4;
    limits.strangers = 4;
    limits.strangers_per_source = 3;
    return limits;
  }

  // The peer is called after its source and how many there were.
  ConnectionTable::Added Add(const std::string& source, bool is_own = false) {
    return table_.Add(Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)),
                      PeerAddress{absl::StrCat(source, ++made_), source}, now_, is_own);
  }

  // A caller's, under a random of the same text as its peer.
  ConnectionTable::Id AddCaller(const std::string& source) {
    const ConnectionTable::Added added = Add(source);
    EXPECT_TRUE(added.id.has_value());
    const ConnectionTable::Id id = added.id.value_or(0);
    const std::string random = absl::StrCat(source, made_);
    EXPECT_TRUE(table_.BeginHandshake(id, random));
    EXPECT_TRUE(table_.Admit(random, AdmittedPeer()));
    table_.Prove(random);
    return id;
  }

  static std::vector<std::string> Peers(const std::vector<EndedConnection>& ended) {
    std::vector<std::string> peers;
    for (const EndedConnection& one : ended) peers.push_back(one.peer);
    return peers;
  }

  ConnectionTable table_{Limits()};
  ConnectionTable::Time now_;
  int made_ = 0;
};

TEST_F(ConnectionTableTest, AnOldStrangerMakesRoomForANewOne) {
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Peers(Add("a").ended), IsEmpty());
  const ConnectionTable::Added fourth = Add("a");
  EXPECT_TRUE(fourth.id.has_value());
  EXPECT_THAT(Peers(fourth.ended), ElementsAre("a1"));
  // Of all sources, once there are as many as there may be.
  EXPECT_THAT(Peers(Add("b").ended), IsEmpty());
  EXPECT_THAT(Peers(Add("c").ended), ElementsAre("a2"));
  EXPECT_EQ(table_.size(), 4);
}

TEST_F(ConnectionTableTest, ASilentOneGoesBeforeOneThatShakesHands) {
  const ConnectionTable::Id first = *Add("a").id;
  Add("a");
  Add("a");
  ASSERT_TRUE(table_.BeginHandshake(first, "random"));
  EXPECT_THAT(Peers(Add("a").ended), ElementsAre("a2"));
  EXPECT_EQ(table_.PeerOf("random"), "a1");
}

TEST_F(ConnectionTableTest, CallersStayAndTheirSourceHasItsBound) {
  for (int i = 0; i < 4; ++i) AddCaller("a");
  const ConnectionTable::Added fifth = Add("a");
  EXPECT_FALSE(fifth.id.has_value());
  EXPECT_THAT(Peers(fifth.ended), ElementsAre("a5"));
  EXPECT_TRUE(absl::IsResourceExhausted(fifth.ended.front().why));
  // Another source has room, until all is full.
  AddCaller("b");
  AddCaller("c");
  EXPECT_FALSE(Add("d").id.has_value());
  EXPECT_EQ(table_.size(), 6);
}

TEST_F(ConnectionTableTest, AnEndMakesRoom) {
  std::vector<ConnectionTable::Id> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(AddCaller("a"));
  ASSERT_FALSE(Add("a").id.has_value());
  ASSERT_TRUE(table_.Remove(ids[2]).has_value());
  EXPECT_FALSE(table_.Remove(ids[2]).has_value());
  EXPECT_TRUE(Add("a").id.has_value());
}

TEST_F(ConnectionTableTest, TheOwnCountForNothing) {
  for (int i = 0; i < 6; ++i) AddCaller(i < 3 ? "a" : "b");
  ASSERT_FALSE(Add("c").id.has_value());
  const ConnectionTable::Added own = Add("c", true);
  ASSERT_TRUE(own.id.has_value());
  EXPECT_THAT(Peers(own.ended), IsEmpty());
  ASSERT_TRUE(table_.BeginHandshake(*own.id, "own"));
  EXPECT_TRUE(table_.Remove(*own.id)->is_quiet);
}

TEST_F(ConnectionTableTest, WhoHasNotBeenAdmittedProvesNothing) {
  const ConnectionTable::Id id = *Add("a").id;
  ASSERT_TRUE(table_.BeginHandshake(id, "random"));
  table_.Prove("random");
  EXPECT_EQ(table_.Remove(id)->stage, ConnectionStage::kHandshaking);
  EXPECT_FALSE(table_.Admit("random", AdmittedPeer()));
  EXPECT_EQ(table_.PeerOf("random"), "");
}

TEST_F(ConnectionTableTest, ARandomIsOfOneConnection) {
  const ConnectionTable::Id first = *Add("a").id;
  const ConnectionTable::Id second = *Add("a").id;
  ASSERT_TRUE(table_.BeginHandshake(first, "random"));
  EXPECT_FALSE(table_.BeginHandshake(second, "random"));
  ASSERT_TRUE(table_.Remove(first).has_value());
  EXPECT_TRUE(table_.BeginHandshake(second, "random"));
}

TEST_F(ConnectionTableTest, LateStrangersGoAndCallersStay) {
  AddCaller("a");
  Add("a");
  now_ += std::chrono::seconds(5);
  Add("a");
  EXPECT_THAT(Peers(table_.RemoveStrangers(now_)), ElementsAre("a2"));
  EXPECT_EQ(table_.size(), 2);
}

TEST_F(ConnectionTableTest, RefusedCallersGo) {
  AddCaller("a");
  Add("a");
  const auto sound = [](const AdmittedPeer&) { return absl::OkStatus(); };
  EXPECT_THAT(Peers(table_.RemoveRefused(sound)), IsEmpty());
  const auto refused = [](const AdmittedPeer&) { return absl::UnauthenticatedError("no more"); };
  const std::vector<EndedConnection> ended = table_.RemoveRefused(refused);
  EXPECT_THAT(Peers(ended), ElementsAre("a1"));
  EXPECT_EQ(ended.front().why.message(), "no more");
  EXPECT_EQ(table_.size(), 1);
}

}  // namespace
}  // namespace hourglass::issuance
