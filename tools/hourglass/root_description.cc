#include "tools/hourglass/root_description.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using client::Json;

// The command line that does `verb` with this root.
std::string CommandFor(absl::string_view verb, const v1::Root& root) {
  return absl::StrCat("hourglass roots ", verb, " --tenant ", root.tenant_id(), " ",
                      root.root_id());
}

}  // namespace

std::string KeyTypeInWords(v1::KeyType type) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(v1::KeyType_Name(type), {{"_", "-"}}));
}

v1::KeyType KeyTypeFromWords(const std::string& words) {
  v1::KeyType type = v1::KEY_TYPE_UNSPECIFIED;
  v1::KeyType_Parse(absl::AsciiStrToUpper(absl::StrReplaceAll(words, {{"-", "_"}})), &type);
  return type;
}

absl::StatusOr<Json> RootAsJson(const v1::Root& root) {
  ASSIGN_OR_RETURN(const client::CertificateFacts facts,
                   client::ReadCertificate(root.certificate()));
  Json json = {{"tenant_id", root.tenant_id()},
               {"root_id", root.root_id()},
               {"generation", root.generation()},
               {"state", v1::RootState_Name(root.state())},
               {"state_since", client::TimeForJson(client::TimeOf(root.state_since()))},
               {"subject", facts.subject},
               {"key_type", KeyTypeInWords(root.key_type())},
               {"key_uri", root.key_uri()},
               {"issuing_sub_keys", root.issuing_sub_keys()},
               {"bundle_version", root.bundle_version()},
               {"created_at", client::TimeForJson(client::TimeOf(root.created_at()))},
               {"not_before", client::TimeForJson(client::TimeOf(root.not_before()))},
               {"not_after", client::TimeForJson(client::TimeOf(root.not_after()))}};
  if (root.has_last_leaf_not_after()) {
    json["last_leaf_not_after"] = client::TimeForJson(client::TimeOf(root.last_leaf_not_after()));
  }
  if (root.has_key_destroyed_at()) {
    json["key_destroyed_at"] = client::TimeForJson(client::TimeOf(root.key_destroyed_at()));
  }
  json["sha1_thumbprint"] = facts.sha1_thumbprint;
  json["sha256_thumbprint"] = facts.sha256_thumbprint;
  json["certificate_pem"] = client::PemOfCertificate(root.certificate());
  return json;
}

absl::StatusOr<std::string> RootInWords(const v1::Root& root, absl::Time now) {
  ASSIGN_OR_RETURN(const client::CertificateFacts facts,
                   client::ReadCertificate(root.certificate()));
  return client::FormatFacts(
      {{"Root", absl::StrCat(root.root_id(), " of tenant ", root.tenant_id())},
       {"Subject", facts.subject},
       {"State", absl::StrCat(v1::RootState_Name(root.state()), " since ",
                              client::TimeInWords(client::TimeOf(root.state_since()), now))},
       {"Key", KeyTypeInWords(root.key_type())},
       {"Key URI", root.key_uri()},
       {"Key destroyed", root.has_key_destroyed_at()
                             ? client::TimeInWords(client::TimeOf(root.key_destroyed_at()), now)
                             : ""},
       {"Sub-keys", root.issuing_sub_keys() ? "allowed (path length 1)" : ""},
       {"Valid from", client::TimeInWords(client::TimeOf(root.not_before()), now)},
       {"Valid until", client::TimeInWords(client::TimeOf(root.not_after()), now)},
       {"Last leaf until",
        root.has_last_leaf_not_after()
            ? client::TimeInWords(client::TimeOf(root.last_leaf_not_after()), now)
            : "has signed none"},
       {"SHA-1", facts.sha1_thumbprint},
       {"SHA-256", facts.sha256_thumbprint}});
}

std::string NextStepFor(const v1::Root& root, absl::Time now) {
  switch (root.state()) {
    case v1::STAGED:
      return absl::StrCat("It does not sign yet. Next, have relying parties trust it (",
                          CommandFor("export", root), " --out ", root.root_id(),
                          ".pem),\nthen let it sign: ", CommandFor("promote", root), "\n");
    case v1::PRIMARY:
      return absl::StrCat("It signs from now on. Relying parties must trust it: ",
                          "hourglass roots export --tenant ", root.tenant_id(),
                          " --all --out roots.pem\n");
    case v1::RETIRING:
      if (client::TimeOf(root.last_leaf_not_after()) > now) {
        return absl::StrCat("Its last certificate expires ",
                            client::TimeInWords(client::TimeOf(root.last_leaf_not_after()), now),
                            "; after that: ", CommandFor("retire", root), "\n");
      }
      return absl::StrCat("Its last certificate has expired. Next: ", CommandFor("retire", root),
                          "\n");
    case v1::RETIRED:
    case v1::DISCARDED:
      return absl::StrCat(
          "It never signs again. Relying parties need no longer trust it: hourglass roots export "
          "--tenant ",
          root.tenant_id(), " --all --out roots.pem\n");
    default:
      return "";
  }
}

}  // namespace hourglass::cli
