// One message a packet, over a SOCK_SEQPACKET socket.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PACKET_H_
#define HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PACKET_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <memory>

namespace hourglass::hsm {

// Octets. Below what Linux lets one packet hold by default (net.core.wmem_default, 208 KiB).
inline constexpr size_t kLargestPacket = 192UL * 1024;

// Sends and receives through memory of its own. For one thread at a time.
class PacketBuffer {
 public:
  PacketBuffer();

  enum class Outcome {
    kDone,
    kWouldBlock,  // non-blocking sockets: no packet there, or no room for this one
    kHungUp,      // the other side, or the socket is none
    kUnfit,       // too large to be sent; no such message received: cut off, or not to be parsed
  };
  // Never raises SIGPIPE.
  Outcome Send(int socket, const google::protobuf::MessageLite& message);
  // Replaces what `message` holds.
  Outcome Receive(int socket, google::protobuf::MessageLite* message);

  // Overwrites the last packet, which held a secret.
  void Wipe();

 private:
  std::unique_ptr<char[]> octets_;
  size_t size_ = 0;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PACKET_H_
