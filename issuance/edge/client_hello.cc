#include "issuance/edge/client_hello.h"

namespace hourglass::issuance {
namespace {

constexpr char kHandshake = 22;    // ContentType
constexpr char kClientHello = 1;   // HandshakeType
constexpr char kMajorVersion = 3;  // of the record, and of legacy_version
constexpr std::size_t kRecordHeaderSize = 5;
constexpr std::size_t kRandomBegin = 11;

}  // namespace

std::optional<std::string> ClientRandomOf(absl::string_view octets) {
  if (octets.size() < kHelloPrefixSize) return std::nullopt;
  if (octets[0] != kHandshake || octets[1] != kMajorVersion) return std::nullopt;
  const std::size_t record_size = static_cast<unsigned char>(octets[3]) * std::size_t{256} +
                                  static_cast<unsigned char>(octets[4]);
  if (record_size < kHelloPrefixSize - kRecordHeaderSize) return std::nullopt;
  if (octets[5] != kClientHello || octets[9] != kMajorVersion) return std::nullopt;
  return std::string(octets.substr(kRandomBegin, kHelloPrefixSize - kRandomBegin));
}

}  // namespace hourglass::issuance
