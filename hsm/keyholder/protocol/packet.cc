#include "hsm/keyholder/protocol/packet.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <algorithm>

namespace hourglass::hsm {

PacketBuffer::PacketBuffer() : octets_(new char[kLargestPacket]) {}

PacketBuffer::Outcome PacketBuffer::Send(int socket, const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kLargestPacket) return Outcome::kUnfit;
  size_ = size;
  message.SerializeWithCachedSizesToArray(reinterpret_cast<unsigned char*>(octets_.get()));
  for (;;) {
    if (send(socket, octets_.get(), size, MSG_NOSIGNAL) >= 0) return Outcome::kDone;
    switch (errno) {
      case EINTR:
        continue;
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Outcome::kWouldBlock;
      case EMSGSIZE:
        return Outcome::kUnfit;
      default:
        return Outcome::kHungUp;
    }
  }
}

PacketBuffer::Outcome PacketBuffer::Receive(int socket, google::protobuf::MessageLite* message) {
  ssize_t received = 0;
  do {
    // MSG_TRUNC: the packet's own length, also where it is longer than the buffer. ECONNRESET is
    // said once, where the other side ended without reading all, before what it had sent is given.
    received = recv(socket, octets_.get(), kLargestPacket, MSG_TRUNC);
  } while (received < 0 && (errno == EINTR || errno == ECONNRESET));
  if (received < 0 && errno == EAGAIN) return Outcome::kWouldBlock;
  // No message of ours is empty, so that nothing is the end.
  if (received <= 0) return Outcome::kHungUp;
  const auto length = static_cast<size_t>(received);
  size_ = std::min(length, kLargestPacket);
  if (length > kLargestPacket) return Outcome::kUnfit;
  return message->ParseFromArray(octets_.get(), static_cast<int>(length)) ? Outcome::kDone
                                                                          : Outcome::kUnfit;
}

void PacketBuffer::Wipe() { OPENSSL_cleanse(octets_.get(), size_); }

}  // namespace hourglass::hsm
