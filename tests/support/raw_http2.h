// An HTTP/2 client that sends what no library would: frames by hand over mutual TLS.
#ifndef HOURGLASS_TESTS_SUPPORT_RAW_HTTP2_H_
#define HOURGLASS_TESTS_SUPPORT_RAW_HTTP2_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/support/mutual_tls.h"

namespace hourglass {

// The names are RFC 9113's.
namespace http2 {

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kResetStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr std::uint8_t kAcknowledged = 1;
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr std::uint32_t kEnhanceYourCalm = 11;

std::string Frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  absl::string_view payload);
// Four octets, big-endian.
std::string Number(std::uint32_t value);
// A literal header field without indexing, with a new name (RFC 7541 section 6.2.2). Lengths below
// 127.
std::string Field(absl::string_view name, absl::string_view value);
// The header fields of a gRPC call of `/hourglass.v1.Service/Method`, HPACK without the dynamic
// table.
std::string CallFields(absl::string_view path);
std::string Headers(std::uint32_t stream, absl::string_view fields);
// One gRPC message: not compressed, its length, its octets.
std::string Message(absl::string_view octets);
std::string Reset(std::uint32_t stream);
std::string Setting(std::uint16_t id, std::uint32_t value);

}  // namespace http2

// Not safe to call from several threads.
class RawHttp2 {
 public:
  struct Received {
    std::uint8_t type;
    std::uint8_t flags;
    std::uint32_t stream;
    std::string payload;
  };

  // Whether the other side's SETTINGS are acknowledged, in advance.
  enum class Acknowledgement { kSent, kNotSent };

  // Connects to `host:port`, shakes hands, and sends the preface and SETTINGS, with `settings` in
  // it. Ends the process where there is no connection.
  RawHttp2(const std::string& address, const std::string& trusted_roots_file,
           const TlsCredential& credential, absl::string_view settings = "",
           Acknowledgement acknowledgement = Acknowledgement::kSent);
  // The same; null where there is no connection.
  static std::unique_ptr<RawHttp2> TryToConnect(const std::string& address,
                                                const std::string& trusted_roots_file,
                                                const TlsCredential& credential,
                                                absl::string_view settings = "");
  ~RawHttp2();
  RawHttp2(const RawHttp2&) = delete;
  RawHttp2& operator=(const RawHttp2&) = delete;

  // False where the other side has closed the connection, or takes nothing for kPatience.
  bool Send(absl::string_view octets);

  // DATA, as the windows allow (section 5.2): waits for them to open, and false where they do not
  // within kPatience.
  bool SendData(std::uint32_t stream, absl::string_view octets);

  // Nullopt at the end of the connection, or where nothing comes for kPatience.
  std::optional<Received> Read();

  static constexpr std::chrono::seconds kPatience{5};

 private:
  class Tls;

  explicit RawHttp2(std::unique_ptr<Tls> tls);
  bool SendPreface(absl::string_view settings, Acknowledgement acknowledgement);
  bool Fill(std::size_t size);
  void Account(const Received& received);
  std::int64_t WindowOf(std::uint32_t stream);

  std::unique_ptr<Tls> tls_;
  std::string buffer_;
  // What may still be sent: on a new stream, on the connection, beside that on each stream.
  std::int64_t initial_window_ = 65'535;
  std::int64_t connection_window_ = 65'535;
  std::map<std::uint32_t, std::int64_t> stream_windows_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_RAW_HTTP2_H_
