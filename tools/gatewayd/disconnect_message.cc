#include "tools/gatewayd/disconnect_message.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::gatewayd {
namespace {

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

}  // namespace

absl::Status CheckUserName(absl::string_view user_name) {
  if (user_name.empty() || user_name.size() > radius::kMaxValue) {
    return Refused(absl::StrCat("a name of ", user_name.size(), " octets is none for RADIUS"));
  }
  if (std::any_of(user_name.begin(), user_name.end(),
                  [](unsigned char octet) { return absl::ascii_iscntrl(octet); })) {
    return Refused("a control character is in the name");
  }
  const std::size_t refused = user_name.find_first_of("*?=:%");
  if (refused != absl::string_view::npos) {
    return Refused(absl::StrCat("`", user_name.substr(refused, 1),
                                "` is in the name, which a gateway may read as more than one "
                                "user, and nothing escapes it"));
  }
  const std::size_t at = user_name.find('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == user_name.size() ||
      user_name.front() == '{') {
    return Refused("the name is no user principal name");
  }
  return absl::OkStatus();
}

std::string EncodeDisconnectRequest(const DisconnectRequest& request, absl::string_view secret) {
  radius::Packet packet = {radius::kDisconnectRequest, request.identifier, "", {}};
  packet.attributes.push_back({radius::kUserName, request.user_name});
  if (!request.nas_identifier.empty()) {
    packet.attributes.push_back({radius::kNasIdentifier, request.nas_identifier});
  }
  packet.attributes.push_back(
      {radius::kEventTimestamp, radius::NumberValue(request.event_timestamp)});
  return radius::EncodeComputedRequest(std::move(packet), request.message_authenticator, secret);
}

absl::StatusOr<DisconnectAnswer> ReadDisconnectAnswer(absl::string_view octets,
                                                      absl::string_view request,
                                                      absl::string_view secret) {
  ASSIGN_OR_RETURN(const radius::Header header, radius::ReadHeader(octets));
  ASSIGN_OR_RETURN(const radius::Header asked, radius::ReadHeader(request));
  if (header.identifier != asked.identifier) return Refused("it has another identifier");
  if (header.code != radius::kDisconnectAck && header.code != radius::kDisconnectNak) {
    return Refused(absl::StrCat("code ", header.code, " answers no Disconnect-Request"));
  }
  const radius::AnswerFault fault =
      radius::FaultOfAnswer(octets, radius::AuthenticatorOf(request), secret);
  if (fault == radius::AnswerFault::kAuthenticator) {
    return Refused("it is not authenticated with the shared secret");
  }
  ASSIGN_OR_RETURN(const radius::Packet packet, radius::ReadPacket(octets));
  if (fault != radius::AnswerFault::kNone) {
    return Refused("its Message-Authenticator is false");
  }
  const std::optional<std::uint32_t> cause = packet.Number(radius::kErrorCause);
  if (packet.Find(radius::kErrorCause) != nullptr && !cause.has_value()) {
    return Refused("its Error-Cause is malformed");
  }
  return DisconnectAnswer{.is_ack = header.code == radius::kDisconnectAck, .error_cause = cause};
}

std::string ErrorCauseInWords(std::uint32_t error_cause) {
  struct Name {
    std::uint32_t number;
    absl::string_view name;
  };
  // RFC 5176 section 3.5.
  static constexpr Name kNames[] = {
      {201, "Residual Session Context Removed"},
      {202, "Invalid EAP Packet"},
      {401, "Unsupported Attribute"},
      {402, "Missing Attribute"},
      {403, "NAS Identification Mismatch"},
      {404, "Invalid Request"},
      {405, "Unsupported Service"},
      {406, "Unsupported Extension"},
      {407, "Invalid Attribute Value"},
      {501, "Administratively Prohibited"},
      {502, "Request Not Routable"},
      {kSessionContextNotFound, "Session Context Not Found"},
      {504, "Session Context Not Removable"},
      {505, "Other Proxy Processing Error"},
      {506, "Resources Unavailable"},
      {507, "Request Initiated"},
      {508, "Multiple Session Selection Unsupported"},
  };
  const auto* const found =
      std::find_if(std::begin(kNames), std::end(kNames),
                   [error_cause](const Name& name) { return name.number == error_cause; });
  if (found == std::end(kNames)) return absl::StrCat(error_cause);
  return absl::StrCat(found->name, " (", error_cause, ")");
}

}  // namespace hourglass::gatewayd
