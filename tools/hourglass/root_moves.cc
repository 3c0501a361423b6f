#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_description.h"
#include "tools/hourglass/root_options.h"

namespace hourglass::cli {
namespace {

v1::MoveRootRequest MoveRequest(const RootOptions& options) {
  v1::MoveRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  request.set_destroy_key(options.destroy_key);
  return request;
}

// What is left to do for the roots that were primary before, and how to go back to the last of
// them; nothing where they cannot be asked for.
std::string RetiringRoots(const RootOptions& options, const Session& session) {
  const auto response = FetchRoots(options, session);
  if (!response.ok()) return "";
  std::string text;
  const v1::Root* before = nullptr;
  for (const v1::Root& root : response->roots()) {
    if (root.state() != v1::RETIRING) continue;
    absl::StrAppend(&text, "Root ", root.root_id(), " is retiring. ",
                    NextStepFor(root, session.Now()));
    if (before == nullptr ||
        client::TimeOf(root.state_since()) >= client::TimeOf(before->state_since())) {
      before = &root;
    }
  }
  if (before != nullptr) {
    absl::StrAppend(&text,
                    "If relying parties refuse what is signed now, go back: hourglass roots ",
                    "rollback --tenant ", options.tenant, " ", before->root_id(), "\n");
  }
  return text;
}

absl::StatusOr<Answer> Promote(const RootOptions& options, const Session& session) {
  v1::PromoteRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  request.set_override_reason(options.override_reason);
  request.set_without_relying_parties(options.without_relying_parties);
  ASSIGN_OR_RETURN(const v1::Root root,
                   client::Call(session.connection, &v1::RootService::Stub::PromoteRoot, request));
  ASSIGN_OR_RETURN(Answer answer, AnswerAbout(absl::StrCat("Promoted root ", root.root_id(), ".\n"),
                                              root, session.Now()));
  if (!session.json) answer.text += RetiringRoots(options, session);
  return answer;
}

absl::StatusOr<Answer> RollBack(const RootOptions& options, const Session& session) {
  v1::RollBackRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::Root root,
                   client::Call(session.connection, &v1::RootService::Stub::RollBackRoot, request));
  ASSIGN_OR_RETURN(Answer answer, AnswerAbout(absl::StrCat("Went back to root ", root.root_id(),
                                                           ": it is primary again.\n"),
                                              root, session.Now()));
  // Of the one that was given up, too: what it signed is still out.
  if (!session.json) answer.text += RetiringRoots(options, session);
  return answer;
}

absl::string_view KeyFate(const RootOptions& options) {
  return options.destroy_key ? " and destroyed its key.\n" : "; its key is still there.\n";
}

absl::StatusOr<Answer> Retire(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Root root,
      client::Call(session.connection, &v1::RootService::Stub::RetireRoot, MoveRequest(options)));
  return AnswerAbout(absl::StrCat("Retired root ", root.root_id(), KeyFate(options)), root,
                     session.Now());
}

absl::StatusOr<Answer> Discard(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Root root,
      client::Call(session.connection, &v1::RootService::Stub::DiscardRoot, MoveRequest(options)));
  return AnswerAbout(absl::StrCat("Discarded root ", root.root_id(), KeyFate(options)), root,
                     session.Now());
}

void AddDestroyKey(CLI::App& command, RootOptions& options) {
  command.add_flag("--destroy-key", options.destroy_key,
                   "Destroy its key in the token too; it cannot be brought back");
}

void AddPromote(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options) {
  CLI::App* promote =
      AddCommand(noun, line, "promote",
                 "Let a staged root sign, once relying parties trust it; the primary retires",
                 options, &Promote);
  AddRootId(*promote, *options);
  promote
      ->add_option("--override", options->override_reason,
                   "Promote it though relying parties have not acknowledged it, for this reason, "
                   "which is recorded: those that do not trust it yet refuse what it signs")
      ->check(IsReason())
      ->type_name("REASON");
  promote->add_flag("--yes", options->without_relying_parties,
                    "The tenant has no relying party on record, so that nobody can have said to "
                    "trust the root: promote it all the same");
}

}  // namespace

void AddRootMoves(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options) {
  AddPromote(noun, line, options);
  CLI::App* roll_back =
      AddCommand(noun, line, "rollback",
                 "One step back: the root that was primary before signs again, the present one "
                 "retires",
                 options, &RollBack);
  AddRootId(*roll_back, *options);
  AddReasonOption(*roll_back, options->reason);
  CLI::App* retire =
      AddCommand(noun, line, "retire",
                 "Take a retiring root out of the trust bundle, once its last certificate expired",
                 options, &Retire);
  AddRootId(*retire, *options);
  AddDestroyKey(*retire, *options);
  CLI::App* discard = AddCommand(noun, line, "discard", "Give up a staged root", options, &Discard);
  AddRootId(*discard, *options);
  AddDestroyKey(*discard, *options);
}

}  // namespace hourglass::cli
