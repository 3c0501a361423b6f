#include "hsm/keyholder/protocol/packet.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "hsm/keyholder/protocol/keyholder.pb.h"

namespace hourglass::hsm {
namespace {

using Outcome = PacketBuffer::Outcome;

class PacketTest : public ::testing::Test {
 protected:
  PacketTest() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_), 0);
  }
  ~PacketTest() override {
    HangUp(0);
    HangUp(1);
  }
  void HangUp(int end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  // A reply that is this long as a packet.
  static keyholder::Reply ReplyOf(size_t size) {
    keyholder::Reply reply;
    while (reply.ByteSizeLong() < size) reply.mutable_octets()->push_back('o');
    // Tag and length of a long field.
    while (reply.ByteSizeLong() > size) reply.mutable_octets()->pop_back();
    EXPECT_EQ(reply.ByteSizeLong(), size);
    return reply;
  }

  int ends_[2] = {-1, -1};
  PacketBuffer buffer_;
};

TEST_F(PacketTest, CarriesOneMessageAPacketUpToTheLargest) {
  for (const size_t size : {size_t{10}, kLargestPacket}) {
    const keyholder::Reply sent = ReplyOf(size);
    ASSERT_EQ(buffer_.Send(ends_[0], sent), Outcome::kDone);
    keyholder::Reply received;
    received.set_unfinished(true);  // what was there before is replaced
    PacketBuffer other;
    ASSERT_EQ(other.Receive(ends_[1], &received), Outcome::kDone);
    EXPECT_EQ(received.SerializeAsString(), sent.SerializeAsString());
  }
}

TEST_F(PacketTest, SendsNothingThatIsTooLarge) {
  EXPECT_EQ(buffer_.Send(ends_[0], ReplyOf(kLargestPacket + 1)), Outcome::kUnfit);
  keyholder::Reply received;
  EXPECT_EQ(buffer_.Receive(ends_[1], &received), Outcome::kWouldBlock);
}

TEST_F(PacketTest, RefusesWhatWasCutOffAndWhatIsNoMessage) {
  keyholder::Reply received;
  // Would parse, had it been cut at the end of the buffer.
  const std::string too_long =
      ReplyOf(kLargestPacket).SerializeAsString() + ReplyOf(10).SerializeAsString();
  ASSERT_EQ(send(ends_[0], too_long.data(), too_long.size(), 0),
            static_cast<ssize_t>(too_long.size()));
  EXPECT_EQ(buffer_.Receive(ends_[1], &received), Outcome::kUnfit);
  ASSERT_EQ(send(ends_[0], "\xff", 1, 0), 1);
  EXPECT_EQ(buffer_.Receive(ends_[1], &received), Outcome::kUnfit);
  // Each packet stands alone.
  ASSERT_EQ(buffer_.Send(ends_[0], ReplyOf(10)), Outcome::kDone);
  EXPECT_EQ(buffer_.Receive(ends_[1], &received), Outcome::kDone);
}

TEST_F(PacketTest, SaysThatThereIsNoRoomAndLosesNothing) {
  const keyholder::Reply reply = ReplyOf(10'000);
  int sent = 0;
  Outcome outcome = Outcome::kDone;
  while ((outcome = buffer_.Send(ends_[0], reply)) == Outcome::kDone) ++sent;
  EXPECT_EQ(outcome, Outcome::kWouldBlock);
  EXPECT_GE(sent, 1);
  keyholder::Reply received;
  int got = 0;
  while (buffer_.Receive(ends_[1], &received) == Outcome::kDone) ++got;
  EXPECT_EQ(got, sent);
  EXPECT_EQ(buffer_.Send(ends_[0], reply), Outcome::kDone);
}

TEST_F(PacketTest, SaysThatTheOtherSideHasHungUp) {
  HangUp(1);
  // Without SIGPIPE, which would end this test.
  EXPECT_EQ(buffer_.Send(ends_[0], ReplyOf(10)), Outcome::kHungUp);
  keyholder::Reply received;
  EXPECT_EQ(buffer_.Receive(ends_[0], &received), Outcome::kHungUp);
  EXPECT_EQ(buffer_.Receive(-1, &received), Outcome::kHungUp);
}

TEST_F(PacketTest, GivesWhatWasSentBeforeTheOtherSideEndedUnread) {
  ASSERT_EQ(buffer_.Send(ends_[1], ReplyOf(10)), Outcome::kDone);
  ASSERT_EQ(buffer_.Send(ends_[0], ReplyOf(20)), Outcome::kDone);
  HangUp(1);  // what was sent to it is unread
  keyholder::Reply received;
  EXPECT_EQ(buffer_.Receive(ends_[0], &received), Outcome::kDone);
  EXPECT_EQ(received.ByteSizeLong(), 10U);
  EXPECT_EQ(buffer_.Receive(ends_[0], &received), Outcome::kHungUp);
}

}  // namespace
}  // namespace hourglass::hsm
