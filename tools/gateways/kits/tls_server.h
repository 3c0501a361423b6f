// What the kits of servers have in common whose clients show certificates in TLS.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_TLS_SERVER_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_TLS_SERVER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// `folder`, `listen_address`, `listen_port` and `server_certificate`, which all of them have, and
// `server_key`, `backend_host`, `backend_port` and `server_name`, where a kit has them.
absl::Status CheckTlsServer(const Values& values);

// `192.0.2.1:443`, `[2001:db8::1]:443`: the values of these names, which are checked.
std::string AddressOf(const Values& values, absl::string_view host, absl::string_view port);

// `allowed_users`: user principal names with commas between them; none where it is empty, which
// lets in every user. Errors: FIELD_INVALID for what is no user principal name, for one of more
// than `longest` octets, and for one with an octet of `forbidden`, which the program that reads it
// cannot be told.
absl::StatusOr<std::vector<std::string>> AllowedUsers(const Values& values, std::size_t longest,
                                                      absl::string_view forbidden = "");

// How one of these kits ends.
struct TlsServerEnd {
  absl::string_view kind;
  absl::string_view readme;  // a template with the places `tenant`, `folder`, `follower_folder`
  // What has the program read `roots.pem` of `folder` again, as Follower has it.
  std::string on_change;
};

// `configuration`, `roots.pem`, `README` and the follower. Errors: as FillTemplate and
// FollowerFiles.
absl::StatusOr<std::vector<KitFile>> TlsServerFiles(const KitSubject& subject, const Values& values,
                                                    const TlsServerEnd& end,
                                                    std::vector<KitFile> configuration);

// What `allowed_users` is, in words.
inline constexpr absl::string_view kAllowedUsersInWords =
    "the UPNs that may come in, with commas between them; every user where it is left out";

// Where the common name of a certificate is the UPN: up to so many octets.
inline constexpr std::size_t kLongestCommonName = 64;
// Where it is read from the subject alternative name.
inline constexpr std::size_t kLongestUpn = 256;

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_TLS_SERVER_H_
