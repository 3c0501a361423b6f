#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/certificate.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct CertificateOptions {
  std::string tenant;
  std::string user;
  std::string device;
  std::string serial;
  std::string from;
  std::string before;
  bool live = false;
  uint32_t limit = 100;
  std::string format = "text";
};

Json EntryAsJson(const v1::JournalEntry& entry) {
  Json json = {{"serial_number", client::Hex(entry.serial_number())},
               {"tenant_id", entry.tenant_id()},
               {"user_upn", entry.user_upn()},
               {"user_id", entry.user_id()},
               {"device_id", entry.device_id()},
               {"root_id", entry.root_id()},
               {"epoch", entry.epoch()},
               {"not_before", client::TimeForJson(client::TimeOf(entry.not_before()))},
               {"not_after", client::TimeForJson(client::TimeOf(entry.not_after()))},
               {"intended_at", client::TimeForJson(client::TimeOf(entry.intended_at()))},
               {"released", entry.has_released_at()}};
  if (entry.has_released_at()) {
    json["released_at"] = client::TimeForJson(client::TimeOf(entry.released_at()));
  }
  if (!entry.intermediate_serial_number().empty()) {
    json["intermediate_serial_number"] = client::Hex(entry.intermediate_serial_number());
  }
  json["caller"] = entry.caller();
  json["request_id"] = entry.request_id();
  if (!entry.identity().empty()) json["identity"] = entry.identity();
  if (!entry.token_id().empty()) {
    json["token_issuer"] = entry.token_issuer();
    json["token_id"] = entry.token_id();
  }
  json["verdict_id"] = entry.verdict_id();
  json["policy_version"] = entry.policy_version();
  return json;
}

absl::Status AddCertificate(const v1::JournalEntry& entry, Json& json) {
  if (entry.certificate().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const client::CertificateFacts facts,
                   client::ReadCertificate(entry.certificate()));
  json["subject"] = facts.subject;
  json["issuer"] = facts.issuer;
  json["key"] = facts.key;
  json["purposes"] = facts.purposes;
  json["sha1_thumbprint"] = facts.sha1_thumbprint;
  json["sha256_thumbprint"] = facts.sha256_thumbprint;
  json["certificate_pem"] = client::PemOfCertificate(entry.certificate());
  return absl::OkStatus();
}

// By whose word it is known for whom it is; nothing of records from before that was kept.
std::string IdentityInWords(const v1::JournalEntry& entry) {
  if (entry.identity() == "asserted_by_broker") return "the broker's word";
  if (entry.token_id().empty()) return entry.identity();
  return absl::StrCat("access token ", entry.token_id(), " of ", entry.token_issuer());
}

absl::StatusOr<std::string> EntryInWords(const v1::JournalEntry& entry, absl::Time now) {
  client::CertificateFacts facts;
  if (!entry.certificate().empty()) {
    ASSIGN_OR_RETURN(facts, client::ReadCertificate(entry.certificate()));
  }
  return client::FormatFacts(
      {{"Serial number", client::Hex(entry.serial_number())},
       {"User", entry.user_upn()},
       {"User id", entry.user_id()},
       {"Device", entry.device_id()},
       {"Good for", absl::StrJoin(facts.purposes, ", ")},
       {"Valid from", client::TimeInWords(client::TimeOf(entry.not_before()), now)},
       {"Valid until", client::TimeInWords(client::TimeOf(entry.not_after()), now)},
       {"Key", facts.key},
       {"Issuer", facts.issuer},
       {"Root",
        absl::StrCat(entry.root_id(), " of tenant ", entry.tenant_id(), ", epoch ", entry.epoch())},
       {"SHA-1", facts.sha1_thumbprint},
       {"SHA-256", facts.sha256_thumbprint},
       {"Asked by", entry.caller()},
       {"Known by", IdentityInWords(entry)},
       {"Request id", entry.request_id()},
       {"Allowed by",
        absl::StrCat("verdict ", entry.verdict_id(), ", policy ", entry.policy_version())},
       {"Recorded", client::TimeInWords(client::TimeOf(entry.intended_at()), now)},
       {"Released", entry.has_released_at()
                        ? client::TimeInWords(client::TimeOf(entry.released_at()), now)
                        : "never: no certificate left the service"}});
}

absl::StatusOr<v1::ListCertificatesRequest> RequestFrom(const CertificateOptions& options,
                                                        absl::Time now) {
  v1::ListCertificatesRequest request;
  request.set_tenant_id(options.tenant);
  request.set_user_upn(options.user);
  request.set_device_id(options.device);
  request.set_live(options.live);
  if (!options.serial.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_serial_number(), client::ParseSerialNumber(options.serial));
  }
  if (!options.from.empty()) {
    ASSIGN_OR_RETURN(const absl::Time from, client::ParsePastTime(options.from, now));
    *request.mutable_intended_from() = client::TimestampOf(from);
  }
  if (!options.before.empty()) {
    ASSIGN_OR_RETURN(const absl::Time before, client::ParsePastTime(options.before, now));
    *request.mutable_intended_before() = client::TimestampOf(before);
  }
  return request;
}

struct Entries {
  std::vector<v1::JournalEntry> entries;
  bool more = false;  // than the limit
};

absl::StatusOr<Entries> FetchEntries(v1::ListCertificatesRequest request, uint32_t limit,
                                     const Session& session) {
  Entries found;
  do {
    request.set_page_size(
        std::min(kLargestPage, limit - static_cast<uint32_t>(found.entries.size())));
    ASSIGN_OR_RETURN(
        const v1::ListCertificatesResponse page,
        client::Call(session.connection, &v1::JournalService::Stub::ListCertificates, request));
    for (const v1::JournalEntry& entry : page.entries()) {
      if (found.entries.size() < limit) found.entries.push_back(entry);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && found.entries.size() < limit);
  found.more = !request.page_token().empty();
  return found;
}

absl::StatusOr<Answer> List(const CertificateOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::ListCertificatesRequest request, RequestFrom(options, session.Now()));
  ASSIGN_OR_RETURN(const Entries found, FetchEntries(request, options.limit, session));
  Answer answer{"", {{"certificates", Json::array()}, {"more", found.more}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::JournalEntry& entry : found.entries) {
    answer.json["certificates"].push_back(EntryAsJson(entry));
    rows.push_back({client::Hex(entry.serial_number()), entry.user_upn(), entry.device_id(),
                    entry.root_id(),
                    entry.has_released_at()
                        ? client::TimeInWords(client::TimeOf(entry.not_after()), session.Now())
                        : "never released"});
  }
  if (rows.empty()) {
    answer.text = options.live ? "No live certificates.\n" : "No certificates.\n";
    return answer;
  }
  answer.text =
      client::FormatTable({"SERIAL NUMBER", "USER", "DEVICE", "ROOT", "VALID UNTIL"}, rows);
  if (found.more) {
    absl::StrAppend(&answer.text, "The newest ", rows.size(),
                    " are shown; there are more: --limit N, --before TIME\n");
  }
  return answer;
}

absl::StatusOr<Answer> Show(const CertificateOptions& options, const Session& session) {
  v1::GetCertificateRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(*request.mutable_serial_number(), client::ParseSerialNumber(options.serial));
  ASSIGN_OR_RETURN(
      const v1::JournalEntry entry,
      client::Call(session.connection, &v1::JournalService::Stub::GetCertificate, request));
  Answer answer{"", EntryAsJson(entry)};
  RETURN_IF_ERROR(AddCertificate(entry, answer.json));
  if (options.format == "text") {
    ASSIGN_OR_RETURN(answer.text, EntryInWords(entry, session.Now()));
    return answer;
  }
  if (entry.certificate().empty()) {
    return Error(ErrorReason::kCertificateUnknown, "",
                 "this certificate was never released, so there is none to write; --format text "
                 "shows what is recorded");
  }
  answer.text =
      options.format == "der" ? entry.certificate() : client::PemOfCertificate(entry.certificate());
  return answer;
}

void AddList(CLI::App& noun, CommandLine& line,
             const std::shared_ptr<CertificateOptions>& options) {
  CLI::App* list =
      AddCommand(noun, line, "list", "List what was signed, the newest first", options, &List);
  AddTenantOption(*list, options->tenant);
  list->add_option("--user", options->user, "Only of this user principal name")->type_name("UPN");
  list->add_option("--device", options->device, "Only of this device")->type_name("ID");
  list->add_flag("--live", options->live,
                 "Only those that were released and have not expired, by the service's clock");
  list->add_option("--serial", options->serial, "Only this serial number")
      ->check(IsSerialNumber())
      ->type_name("HEX");
  list->add_option("--from", options->from,
                   "Only recorded at this time or later: 2026-11-20, 2026-11-20T10:42:07Z (UTC), "
                   "or ago: 2h")
      ->check(IsPastTime())
      ->type_name("TIME");
  list->add_option("--before", options->before, "Only recorded before this time")
      ->check(IsPastTime())
      ->type_name("TIME");
  list->add_option("--limit", options->limit, "At most this many (default: 100)")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
}

}  // namespace

void AddCertificates(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("certificates", "Look into the journal of what was signed");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<CertificateOptions>();
  AddList(*noun, line, options);
  CLI::App* show = AddCommand(*noun, line, "show", "Show one certificate", options, &Show);
  AddTenantOption(*show, options->tenant);
  show->add_option("serial,--serial", options->serial, "Its serial number, 32 hexadecimal digits")
      ->required()
      ->check(IsSerialNumber())
      ->type_name("SERIAL");
  client::OneOf(*show->add_option("--format", options->format, "Default: text"),
                {"text", "pem", "der"});
}

}  // namespace hourglass::cli
