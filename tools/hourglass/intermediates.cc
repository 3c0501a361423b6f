#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct IntermediateOptions {
  std::string tenant;
  std::string root;
  std::uint32_t limit = 100;
};

struct Found {
  std::vector<v1::Intermediate> intermediates;
  bool more = false;  // than the limit
};

absl::StatusOr<Found> Fetch(const IntermediateOptions& options, const Session& session) {
  v1::ListIntermediatesRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  Found found;
  do {
    request.set_page_size(std::min(
        kLargestPage, options.limit - static_cast<std::uint32_t>(found.intermediates.size())));
    ASSIGN_OR_RETURN(
        const v1::ListIntermediatesResponse page,
        client::Call(session.connection, &v1::RootService::Stub::ListIntermediates, request));
    for (const v1::Intermediate& one : page.intermediates()) {
      if (found.intermediates.size() < options.limit) found.intermediates.push_back(one);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && found.intermediates.size() < options.limit);
  found.more = !request.page_token().empty();
  return found;
}

absl::StatusOr<Json> AsJson(const v1::Intermediate& one) {
  Json json = {{"serial_number", client::Hex(one.serial_number())},
               {"key_type", KeyTypeInWords(one.key_type())},
               {"epoch", one.epoch()},
               {"not_before", client::TimeForJson(client::TimeOf(one.not_before()))},
               {"not_after", client::TimeForJson(client::TimeOf(one.not_after()))},
               {"intended_at", client::TimeForJson(client::TimeOf(one.intended_at()))},
               {"released", one.has_released_at()}};
  if (!one.has_released_at()) return json;
  ASSIGN_OR_RETURN(const client::CertificateFacts facts,
                   client::ReadCertificate(one.certificate()));
  json["released_at"] = client::TimeForJson(client::TimeOf(one.released_at()));
  json["subject"] = facts.subject;
  json["sha256_thumbprint"] = facts.sha256_thumbprint;
  json["certificate_pem"] = client::PemOfCertificate(one.certificate());
  return json;
}

absl::StatusOr<Answer> List(const IntermediateOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const Found found, Fetch(options, session));
  Answer answer{"", {{"intermediates", Json::array()}, {"more", found.more}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::Intermediate& one : found.intermediates) {
    ASSIGN_OR_RETURN(Json json, AsJson(one));
    rows.push_back({client::Hex(one.serial_number()), KeyTypeInWords(one.key_type()),
                    one.has_released_at()
                        ? client::TimeInWords(client::TimeOf(one.not_after()), session.Now())
                        : "never used",
                    json.value("sha256_thumbprint", "")});
    answer.json["intermediates"].push_back(std::move(json));
  }
  answer.text = rows.empty()
                    ? "No intermediates: the root's own key signs.\n"
                    : client::FormatTable(
                          {"SERIAL NUMBER", "KEY", "VALID UNTIL", "SHA-256 THUMBPRINT"}, rows);
  if (found.more) {
    absl::StrAppend(&answer.text, "The newest ", rows.size(),
                    " are shown; there are more: --limit N\n");
  }
  return answer;
}

}  // namespace

void AddIntermediates(CLI::App& roots, CommandLine& line) {
  const auto options = std::make_shared<IntermediateOptions>();
  CLI::App* command =
      AddCommand(roots, line, "intermediates",
                 "List the certificates of issuing sub-keys that a root signed", options, &List);
  AddTenantOption(*command, options->tenant);
  command->add_option("root,--root", options->root, "The root's id, such as r1")
      ->required()
      ->type_name("ROOT");
  command->add_option("--limit", options->limit, "At most this many (default: 100)")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
}

}  // namespace hourglass::cli
