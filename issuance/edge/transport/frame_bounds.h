// What a peer may send on a connection below the calls.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_FRAME_BOUNDS_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_FRAME_BOUNDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "issuance/edge/transport/message_size.h"

namespace hourglass::issuance {

// Reads the frames of an HTTP/2 connection (RFC 9113 section 4) as the client sends them, and keeps
// nothing of them but where a frame and a message end. It finds what gRPC takes without a bound of
// its own: header blocks without end, messages that are announced larger than any may be, octets of
// a peer that acknowledges no setting, so that none binds it. What it does not understand it leaves
// to gRPC. Not for several threads.
class FrameBounds {
 public:
  // Of one header block (section 4.3): HEADERS and its CONTINUATIONs. A sound one has one frame.
  static constexpr int kMostBlockFrames = 4;
  static constexpr std::size_t kMostBlockOctets = 32 * 1024;
  // Of all that comes before the acknowledgement of the settings (section 6.5.3), octets.
  static constexpr std::size_t kMostUnsettledOctets = 256 * 1024;
  // Of all messages that are refused, being larger than this peer's may be or compressed, on one
  // connection in its life, octets. Whoever sends one by mistake is answered, and goes on.
  static constexpr std::size_t kMostRefusedOctets = 1024 * 1024;
  // Streams with messages that have not ended. gRPC has at most kMaxConcurrentStreams; the others
  // are of calls that it has ended.
  static constexpr std::size_t kMostStreams = 4096;

  // `most_octets`: of a message of this peer.
  explicit FrameBounds(int most_octets = kMaxMessageSize)
      : most_octets_(static_cast<std::uint32_t>(most_octets)) {}

  // The next octets, in whatever pieces. Empty where all is well; else what is wrong, the same each
  // time from then on.
  const std::string& Take(absl::string_view octets);

  // Streams, and so calls, that began in what was taken since this was asked last: their numbers
  // only grow (section 5.1.1).
  int TakeBegun();

 private:
  // Where in the gRPC messages a stream is: each is five octets, whether it is compressed and in
  // four its length, and so many more.
  struct Stream {
    int prefix = 0;  // how many of the five have come
    bool is_compressed = false;
    std::uint32_t length = 0;
    std::uint32_t left = 0;
  };

  void BeginFrame();
  void TakeHead(absl::string_view& octets);
  void TakePayload(absl::string_view& octets);
  void TakeMessages(absl::string_view octets);
  void EndFrame();
  void CountBlock();

  const std::uint32_t most_octets_;
  std::string wrong_;
  std::size_t preface_left_ = 24;  // section 3.4
  // The head of the frame, as far as it has come, and what it says.
  std::string head_;
  std::uint32_t payload_left_ = 0;
  std::uint8_t type_ = 0;
  std::uint8_t flags_ = 0;
  std::uint32_t stream_ = 0;

  std::uint32_t latest_stream_ = 0;
  int begun_ = 0;
  int block_frames_ = 0;
  std::size_t block_octets_ = 0;
  bool settled_ = false;
  std::size_t unsettled_octets_ = 0;
  std::size_t refused_octets_ = 0;
  absl::flat_hash_map<std::uint32_t, Stream> streams_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_FRAME_BOUNDS_H_
