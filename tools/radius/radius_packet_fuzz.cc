// Whatever comes as a RADIUS packet, it is refused, or it is the same when it is written again; and
// it counts as an answer, or as a request, only once somebody with the secret has signed it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::radius {
namespace {

constexpr char kSecret[] = "secret";

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(absl::string_view octets) {
  const std::string of_request(kAuthenticatorSize, 'r');
  Require(FaultOfAnswer(octets, of_request, kSecret) != AnswerFault::kNone);
  Require(!IsRequestBy(octets, kSecret));
  const auto header = ReadHeader(octets);
  const auto packet = ReadPacket(octets);
  if (!packet.ok()) {
    Require(ReasonOf(packet.status()) == ErrorReason::kFieldInvalid);
    return;
  }
  Require(header.ok() && EncodeUnsignedRequest(*packet) == octets.substr(0, header->size));
  // With room for a Message-Authenticator.
  if (header->size > kMaxPacket - kAuthenticatorSize - 2) return;
  const std::string answer = EncodeAnswer(*packet, of_request, kSecret);
  Require(FaultOfAnswer(answer, of_request, kSecret) == AnswerFault::kNone);
  Require(FaultOfAnswer(answer, of_request, "another") == AnswerFault::kAuthenticator);
  const std::string request = EncodeRequest(*packet, kSecret);
  Require(IsRequestBy(request, kSecret) == (packet->code == kAccessRequest));
  Require(!IsRequestBy(request, "another"));
}

}  // namespace
}  // namespace hourglass::radius

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::radius::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
