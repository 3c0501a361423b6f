#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/rotation_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct RelyingPartyOptions {
  std::string tenant;
  std::string name;
  std::string identity;
  std::string kind;
  bool manual = false;
  std::string reason;
  std::uint64_t bundle_version = 0;
};

// One relying party, with `what` was done and what comes `next`.
Answer AnswerAbout(absl::string_view what, const v1::RelyingParty& party, absl::string_view next,
                   absl::Time now) {
  return Answer{
      absl::StrCat(
          what,
          client::FormatFacts(
              {{"Name", party.name()},
               {"Kind", party.kind()},
               {"Spoken for by", SpeakerInWords(party)},
               {"Fetched", FetchInWords(party, now)},
               {"Acknowledged", AcknowledgementInWords(party, now)},
               {"Said by", party.acknowledged_by()},
               {"Registered", client::TimeInWords(client::TimeOf(party.registered_at()), now)}}),
          next),
      RelyingPartyAsJson(party)};
}

absl::StatusOr<Answer> List(const RelyingPartyOptions& options, const Session& session) {
  v1::ListRelyingPartiesRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(
      const v1::ListRelyingPartiesResponse response,
      client::Call(session.connection, &v1::RotationService::Stub::ListRelyingParties, request));
  Answer answer{"", {{"relying_parties", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::RelyingParty& party : response.relying_parties()) {
    rows.push_back({party.name(), party.kind().empty() ? "-" : party.kind(), SpeakerInWords(party),
                    FetchInWords(party, session.Now()),
                    AcknowledgementInWords(party, session.Now())});
    answer.json["relying_parties"].push_back(RelyingPartyAsJson(party));
  }
  answer.text =
      rows.empty()
          ? absl::StrCat(
                "No relying parties. Register each gateway and RADIUS server: hourglass "
                "relying-parties register --tenant ",
                options.tenant, " NAME --identity CALLER\n")
          : client::FormatTable({"NAME", "KIND", "SPOKEN FOR BY", "FETCHED", "ACKNOWLEDGED"}, rows);
  return answer;
}

absl::StatusOr<Answer> Register(const RelyingPartyOptions& options, const Session& session) {
  v1::RegisterRelyingPartyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_name(options.name);
  request.set_identity(options.identity);
  request.set_kind(options.kind);
  request.set_manual(options.manual);
  ASSIGN_OR_RETURN(
      const v1::RelyingParty party,
      client::Call(session.connection, &v1::RotationService::Stub::RegisterRelyingParty, request));
  const std::string next =
      party.manual()
          ? absl::StrCat(
                "Promotions wait for it. Once it has the roots (hourglass roots export "
                "--tenant ",
                options.tenant,
                " --all --out roots.pem), say so: hourglass relying-parties attest "
                "--tenant ",
                options.tenant, " ", party.name(), " --bundle-version N --reason WHY\n")
          : "Promotions wait for it. It follows the trust bundle by hourglass-bundle sync.\n";
  return AnswerAbout(absl::StrCat("Registered relying party ", party.name(), ".\n"), party, next,
                     session.Now());
}

absl::StatusOr<Answer> Remove(const RelyingPartyOptions& options, const Session& session) {
  v1::RemoveRelyingPartyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_name(options.name);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(
      const v1::RelyingParty party,
      client::Call(session.connection, &v1::RotationService::Stub::RemoveRelyingParty, request));
  return AnswerAbout(
      absl::StrCat("Removed relying party ", party.name(), "; it was:\n"), party,
      "Promotions wait for it no more. Take its caller out of hourglassd.yaml, too.\n",
      session.Now());
}

absl::StatusOr<Answer> Attest(const RelyingPartyOptions& options, const Session& session) {
  v1::AttestRelyingPartyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_name(options.name);
  request.set_version(options.bundle_version);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(
      const v1::RelyingParty party,
      client::Call(session.connection, &v1::RotationService::Stub::AttestRelyingParty, request));
  return AnswerAbout(
      absl::StrCat("Attested for relying party ", party.name(), ".\n"), party,
      absl::StrCat("Next: hourglass rotation status --tenant ", options.tenant, "\n"),
      session.Now());
}

void AddName(CLI::App& command, RelyingPartyOptions& options) {
  AddTenantOption(command, options.tenant);
  command.add_option("name,--name", options.name, "Its name, unique in the tenant")
      ->required()
      ->type_name("NAME");
}

void AddRegister(CLI::App& noun, CommandLine& line,
                 const std::shared_ptr<RelyingPartyOptions>& options) {
  CLI::App* command =
      AddCommand(noun, line, "register",
                 "Note a gateway or RADIUS server: promotions wait until it trusts the new root",
                 options, &Register);
  AddName(*command, *options);
  command
      ->add_option("--identity", options->identity,
                   "The name of the caller in hourglassd.yaml that acknowledges for it")
      ->type_name("CALLER");
  command->add_flag("--manual", options->manual,
                    "It cannot speak for itself: an administrator attests for it");
  command->add_option("--kind", options->kind, "What it is, for people: freeradius, nps")
      ->type_name("KIND");
  command->parse_complete_callback([options] {
    if (options->manual != options->identity.empty()) {
      throw CLI::ValidationError("--identity", "give either --identity CALLER or --manual");
    }
  });
}

}  // namespace

void AddRelyingParties(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("relying-parties",
                                      "The gateways and RADIUS servers that a rotation waits for");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<RelyingPartyOptions>();
  AddTenantOption(
      *AddCommand(*noun, line, "list", "List them, and what each has fetched and acknowledged",
                  options, &List),
      options->tenant);
  AddRegister(*noun, line, options);
  CLI::App* remove =
      AddCommand(*noun, line, "remove",
                 "One that went away for good: promotions wait for it no more", options, &Remove);
  AddName(*remove, *options);
  AddReasonOption(*remove, options->reason)->required();
  CLI::App* attest =
      AddCommand(*noun, line, "attest",
                 "Say for a manual one that it trusts the roots of the trust bundle as it is now",
                 options, &Attest);
  AddName(*attest, *options);
  // Not the newest by default: what was installed may be older than that.
  attest
      ->add_option("--bundle-version", options->bundle_version,
                   "The version that was installed, as roots export --all said it")
      ->required()
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  AddReasonOption(*attest, options->reason)->required();
}

}  // namespace hourglass::cli
