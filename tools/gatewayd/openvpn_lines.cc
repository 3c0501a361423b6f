#include "tools/gatewayd/openvpn_lines.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::gatewayd {
namespace {

constexpr absl::string_view kList = "CLIENT_LIST";
// A client that is not done with its handshake.
constexpr absl::string_view kUnknown = "UNDEF";
constexpr absl::string_view kHexadecimal = "0x";

absl::Status NoStatus(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

// Where each column of a client's line is.
class Columns {
 public:
  static absl::StatusOr<Columns> Of(const std::vector<absl::string_view>& header) {
    Columns columns;
    ASSIGN_OR_RETURN(columns.common_name_, At(header, "Common Name"));
    ASSIGN_OR_RETURN(columns.since_, At(header, "Connected Since (time_t)"));
    ASSIGN_OR_RETURN(columns.client_id_, At(header, "Client ID"));
    return columns;
  }

  absl::StatusOr<OpenvpnClient> Read(const std::vector<absl::string_view>& fields) const {
    OpenvpnClient client;
    std::int64_t since = 0;
    if (fields.size() <= std::max({common_name_, since_, client_id_}) ||
        !absl::SimpleAtoi(fields[client_id_], &client.client_id) ||
        !absl::SimpleAtoi(fields[since_], &since)) {
      return NoStatus("a client's line is not what the header says");
    }
    client.common_name = std::string(fields[common_name_]);
    client.connected_since = absl::FromUnixSeconds(since);
    return client;
  }

 private:
  // A client's line has no `HEADER` before its fields.
  static absl::StatusOr<std::size_t> At(const std::vector<absl::string_view>& header,
                                        absl::string_view name) {
    const auto found = std::find(header.begin() + 1, header.end(), name);
    if (found == header.end()) return NoStatus(absl::StrCat("it has no column `", name, "`"));
    return static_cast<std::size_t>(found - header.begin()) - 1;
  }

  std::size_t common_name_ = 0;
  std::size_t since_ = 0;
  std::size_t client_id_ = 0;
};

bool IsSerial(absl::string_view text) {
  return absl::StartsWith(text, kHexadecimal) && text.size() > kHexadecimal.size() &&
         std::all_of(text.begin() + kHexadecimal.size(), text.end(), absl::ascii_isxdigit);
}

// As client::Hex writes it, without octets of zero before it.
std::string Canonical(absl::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return absl::AsciiStrToLower(absl::StrCat(digits.size() % 2 == 0 ? "" : "0", digits));
}

// What OpenVPN leaves as it is; it puts `_` for the others.
bool IsKept(char character) { return !absl::ascii_iscntrl(character); }

// What a command may have without quotes.
bool IsPlain(char character) {
  return absl::ascii_isalnum(character) ||
         absl::string_view("-.@/_").find(character) != absl::string_view::npos;
}

// What stands for nothing else within quotes, nor in the argument of `kill`, which may also be an
// address with a port.
bool IsQuotable(char character) {
  return IsKept(character) && absl::string_view("\"\\:").find(character) == absl::string_view::npos;
}

}  // namespace

bool IsOpenvpnNotice(absl::string_view line) { return absl::StartsWith(line, ">"); }

absl::StatusOr<std::vector<OpenvpnClient>> ParseOpenvpnStatus(
    const std::vector<absl::string_view>& lines) {
  if (lines.empty() || lines.back() != "END") return NoStatus("it does not end with END");
  std::optional<Columns> columns;
  std::vector<OpenvpnClient> clients;
  for (const absl::string_view line : lines) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
    if (fields.size() > 1 && fields[0] == "HEADER" && fields[1] == kList) {
      ASSIGN_OR_RETURN(columns,
                       Columns::Of(std::vector<absl::string_view>(fields.begin(), fields.end())));
    }
    if (fields[0] != kList) continue;
    if (!columns.has_value()) return NoStatus("clients come before their header");
    ASSIGN_OR_RETURN(OpenvpnClient client, columns->Read(fields));
    if (client.common_name != kUnknown) clients.push_back(std::move(client));
  }
  if (!columns.has_value()) return NoStatus("it has no header of clients: is it a server?");
  return clients;
}

std::string OpenvpnKillCommand(std::uint64_t client_id, bool halt) {
  return absl::StrCat("client-kill ", client_id, halt ? " HALT" : "");
}

std::optional<std::string> OpenvpnKillCommand(absl::string_view common_name) {
  if (common_name.empty() || !std::all_of(common_name.begin(), common_name.end(), IsQuotable)) {
    return std::nullopt;
  }
  const bool is_plain = std::all_of(common_name.begin(), common_name.end(), IsPlain);
  return is_plain ? absl::StrCat("kill ", common_name) : absl::StrCat("kill \"", common_name, "\"");
}

absl::Status OpenvpnOutcome(absl::string_view line) {
  if (absl::StartsWith(line, "SUCCESS:")) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("OpenVPN says: ", line));
}

OpenvpnName ParseOpenvpnName(absl::string_view common_name) {
  const std::size_t at = common_name.rfind('_');
  const absl::string_view last =
      at == absl::string_view::npos ? common_name : common_name.substr(at + 1);
  if (!IsSerial(last)) return {.user = std::string(common_name), .serial_number = ""};
  return {.user = std::string(common_name.substr(0, at == absl::string_view::npos ? 0 : at)),
          .serial_number = Canonical(last.substr(kHexadecimal.size()))};
}

bool IsOpenvpnNameOf(absl::string_view user, absl::string_view user_upn) {
  return !user_upn.empty() && std::all_of(user_upn.begin(), user_upn.end(), IsKept) &&
         ca::FoldedUpn(user) == ca::FoldedUpn(user_upn);
}

}  // namespace hourglass::gatewayd
