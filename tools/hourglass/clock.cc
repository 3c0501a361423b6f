#include "absl/strings/str_cat.h"
#include "hourglass/v1/clock.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct ClockOptions {};

absl::Duration DistanceOf(const v1::Clock& clock) {
  return absl::Seconds(clock.distance().seconds()) + absl::Nanoseconds(clock.distance().nanos());
}

std::string DoubtInWords(const v1::Clock& clock) {
  const absl::Duration distance = DistanceOf(clock);
  const std::string length = client::LengthInWords(absl::AbsDuration(distance));
  switch (clock.doubt()) {
    case v1::Clock::NONE:
      return "yes";
    case v1::Clock::LEAPT:
      return absl::StrCat("no: it leapt ", length,
                          distance < absl::ZeroDuration() ? " back" : " forward");
    case v1::Clock::BEHIND:
      return absl::StrCat("no: it stands ", length, " before the newest time on record");
    case v1::Clock::FAR_AHEAD:
      return absl::StrCat("no: it stands ", length,
                          " after the newest time on record, and no time service keeps it right");
    case v1::Clock::DIFFERS:
      return absl::StrCat("no: it is ", length,
                          distance < absl::ZeroDuration() ? " behind" : " ahead of",
                          " the clock of the database, or of another replica");
    default:
      return "no";
  }
}

Answer AnswerAbout(const v1::Clock& clock, absl::Time now) {
  const absl::Time theirs = client::TimeOf(clock.now());
  Answer answer;
  answer.text = client::FormatFacts(
      {{"Service's clock", client::UtcInWords(theirs)},
       {"This machine's", client::UtcInWords(now)},
       {"Believed", DoubtInWords(clock)},
       {"Newest on record", client::TimeInWords(client::TimeOf(clock.newest_known()), theirs)},
       {"Synchronised", clock.synchronised() ? "yes, says the kernel" : "no, says the kernel"}});
  if (clock.doubt() == v1::Clock::DIFFERS) {
    absl::StrAppend(&answer.text,
                    "This replica issues nothing meanwhile. Set its clock right, and it serves "
                    "again by itself; which clock is wrong: hourglass service status\n");
  } else if (clock.doubt() != v1::Clock::NONE) {
    absl::StrAppend(
        &answer.text,
        "Nothing is issued meanwhile. If the service's clock is wrong, set it right. If "
        "it is right: hourglass clock accept\n");
  }
  answer.json = {{"now", client::TimeForJson(theirs)},
                 {"doubt", v1::Clock::Doubt_Name(clock.doubt())},
                 {"newest_known", client::TimeForJson(client::TimeOf(clock.newest_known()))},
                 {"distance_seconds", absl::ToInt64Seconds(DistanceOf(clock))},
                 {"synchronised", clock.synchronised()}};
  return answer;
}

absl::StatusOr<Answer> Show(const ClockOptions&, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Clock clock,
      client::Call(session.connection, &v1::ClockService::Stub::GetClock, v1::GetClockRequest()));
  return AnswerAbout(clock, session.Now());
}

absl::StatusOr<Answer> Accept(const ClockOptions&, const Session& session) {
  v1::AcceptClockRequest request;
  *request.mutable_time() = client::TimestampOf(session.Now());
  ASSIGN_OR_RETURN(const v1::Clock clock,
                   client::Call(session.connection, &v1::ClockService::Stub::AcceptClock, request));
  return AnswerAbout(clock, session.Now());
}

}  // namespace

void AddClock(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("clock", "Look at the service's clock, and accept it");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<ClockOptions>();
  AddCommand(*noun, line, "show", "What it shows, and whether it is believed", options, &Show);
  AddCommand(*noun, line, "accept",
             "Say that it is right as it is; refused where this machine's differs by more than 5 "
             "minutes",
             options, &Accept);
}

}  // namespace hourglass::cli
