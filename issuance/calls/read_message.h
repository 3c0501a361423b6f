// Reading a message from gRPC's octets.
#ifndef HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_
#define HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <cstddef>

#include "issuance/edge/transport/message_size.h"

namespace hourglass::issuance {

// What a message of one type may be.
struct MessageBounds {
  std::size_t octets = kMaxMessageSize;
  // Fields of the message itself, each element of a repeated one counted; 0: as many as there are
  // octets for. What two octets can say may take hundreds in memory.
  int fields = 0;
};

// For types that are larger than most, it is specialized beside their service.
template <typename Message>
inline constexpr MessageBounds kBoundsOf{};

// Whether the message has at most so many fields; also true of what is malformed. Leaves the octets
// as they are.
bool HasAtMostFields(grpc::ByteBuffer* octets, int most);

// Takes the octets of a message as it came in; false where they are none of this type, are more
// than it may have, or a text in it is no UTF-8. Fields that the service does not know are not
// kept: kept, two octets of them take some fifty of memory.
template <typename Message>
bool ReadMessage(grpc::ByteBuffer* octets, Message* message) {
  constexpr MessageBounds kBounds = kBoundsOf<Message>;
  if (octets->Length() > kBounds.octets) return false;
  if (kBounds.fields > 0 && !HasAtMostFields(octets, kBounds.fields)) return false;
  if (!grpc::SerializationTraits<Message>::Deserialize(octets, message).ok()) return false;
  message->DiscardUnknownFields();
  return true;
}

// Octets that a message holds which came as `size`: of types whose elements are counted, what they
// take in memory where that is more.
template <typename Message>
std::size_t HeldBy(const Message& message, std::size_t size) {
  if constexpr (kBoundsOf<Message>.fields == 0) return size;
  return std::max<std::size_t>(size, message.SpaceUsedLong());
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_
