#include "issuance/calls/read_message.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>

#include "hourglass/v1/blocks.pb.h"
#include "hourglass/v1/directory.pb.h"

namespace hourglass::issuance {

template <>
inline constexpr MessageBounds kBoundsOf<v1::ListUsersResponse>{std::size_t{256} * 1024, 100};

namespace {

grpc::ByteBuffer Octets(const std::string& octets) {
  const grpc::Slice slice(octets);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Message>
bool Reads(const std::string& octets, Message* message) {
  grpc::ByteBuffer buffer = Octets(octets);
  return ReadMessage(&buffer, message);
}

v1::ListUsersResponse Users(int count) {
  v1::ListUsersResponse users;
  for (int i = 0; i < count; ++i) users.add_users();
  return users;
}

TEST(ReadMessageTest, MostMessagesHaveNoMoreThan64KiB) {
  v1::PutBlockRequest message;
  message.set_reason(std::string(64 * 1024 - 4, 'x'));
  ASSERT_EQ(message.ByteSizeLong(), 64u * 1024);
  v1::PutBlockRequest read;
  EXPECT_TRUE(Reads(message.SerializeAsString(), &read));
  EXPECT_EQ(read.reason(), message.reason());
  message.mutable_reason()->push_back('x');
  EXPECT_FALSE(Reads(message.SerializeAsString(), &read));
}

TEST(ReadMessageTest, ATypeMayHaveBoundsOfItsOwn) {
  v1::ListUsersResponse message = Users(99);
  message.set_next_page_token(std::string(200 * 1024, 'x'));
  v1::ListUsersResponse read;
  EXPECT_TRUE(Reads(message.SerializeAsString(), &read));
  EXPECT_EQ(read.users_size(), 99);
  message.set_next_page_token(std::string(256 * 1024, 'x'));
  EXPECT_FALSE(Reads(message.SerializeAsString(), &read));
}

// Each of these takes two octets on the wire, and a hundred in memory.
TEST(ReadMessageTest, FieldsAreCountedBeforeTheyAreMade) {
  v1::ListUsersResponse read;
  EXPECT_TRUE(Reads(Users(100).SerializeAsString(), &read));
  EXPECT_FALSE(Reads(Users(101).SerializeAsString(), &read));
  grpc::ByteBuffer octets = Octets(Users(101).SerializeAsString());
  EXPECT_FALSE(HasAtMostFields(&octets, 100));
  EXPECT_TRUE(HasAtMostFields(&octets, 101)) << "they were left as they are";
}

TEST(ReadMessageTest, WhatIsMalformedIsNoMessage) {
  v1::ListUsersResponse read;
  EXPECT_FALSE(Reads("\x0a\xff", &read));
  grpc::ByteBuffer octets = Octets("\x0a\xff");
  EXPECT_TRUE(HasAtMostFields(&octets, 100));
}

TEST(ReadMessageTest, WhatIsCountedHoldsWhatItTakesInMemory) {
  v1::PutBlockRequest flat;
  flat.set_reason(std::string(1000, 'x'));
  EXPECT_EQ(HeldBy(flat, 17), 17u);
  EXPECT_GE(HeldBy(Users(100), 200), 5000u);
  EXPECT_EQ(HeldBy(Users(0), 1'000'000), 1'000'000u);
}

}  // namespace
}  // namespace hourglass::issuance
