// Reading a message from gRPC's octets.
#ifndef HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_
#define HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

namespace hourglass::issuance {

// Takes the octets of a message as it came in; false where they are none of this type, or a text in
// it is no UTF-8. Fields that the service does not know are not kept: kept, two octets of them take
// some fifty of memory.
template <typename Message>
bool ReadMessage(grpc::ByteBuffer* octets, Message* message) {
  if (!grpc::SerializationTraits<Message>::Deserialize(octets, message).ok()) return false;
  message->DiscardUnknownFields();
  return true;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_READ_MESSAGE_H_
