#include "issuance/device_keys/statements.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "issuance/device_keys/recorded_proofs.h"

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;

// As docs/device-keys.md has it, and devices in the field sign it: never to be changed, but under
// another first line.
TEST(StatementsTest, AreWhatDevicesSign) {
  EXPECT_EQ(StatementOf(RecordedQuestion(), {kRecordedAt, RecordedNonce()}),
            "hourglass-device-proof-v1\n"
            "7:contoso\n"
            "4:u-17\n"
            "22:älice@contoso.example\n"
            "8:laptop-1\n"
            "64:5ef4cb8d8eab7024331a521d3690a3fa3ef752d5bc4abe5f30d7a3174c2a186f\n"
            "9:request-1\n"
            "32:000102030405060708090a0b0c0d0e0f\n"
            "10:1767323045\n");
  const DeviceEnrolment enrolment = {"contoso", "laptop-1", RecordedQuestion().public_key_sha256};
  EXPECT_EQ(StatementOf(enrolment, {kRecordedAt, RecordedNonce()}),
            "hourglass-device-enrolment-v1\n"
            "7:contoso\n"
            "8:laptop-1\n"
            "64:5ef4cb8d8eab7024331a521d3690a3fa3ef752d5bc4abe5f30d7a3174c2a186f\n"
            "32:000102030405060708090a0b0c0d0e0f\n"
            "10:1767323045\n");
}

TEST(StatementsTest, AnEmptyIdAndATimeBefore1970AreSaid) {
  DeviceQuestion question = RecordedQuestion();
  question.user_id = "";
  const std::string statement =
      StatementOf(question, {std::chrono::sys_seconds(seconds(-1)), RecordedNonce()});
  EXPECT_NE(statement.find("7:contoso\n0:\n22:"), std::string::npos);
  EXPECT_NE(statement.find("\n2:-1\n"), std::string::npos);
}

TEST(StatementsTest, EachFieldMakesAnother) {
  using Change = std::function<void(DeviceQuestion&, StatementMark&)>;
  static const std::string other_hash(32, 'h');
  const Change changes[] = {
      [](DeviceQuestion& q, StatementMark&) { q.tenant_id = "fabrikam"; },
      [](DeviceQuestion& q, StatementMark&) { q.user_id = ""; },
      [](DeviceQuestion& q, StatementMark&) { q.user_upn = "Älice@contoso.example"; },
      [](DeviceQuestion& q, StatementMark&) { q.device_id = "laptop-2"; },
      [](DeviceQuestion& q, StatementMark&) { q.public_key_sha256 = other_hash; },
      [](DeviceQuestion& q, StatementMark&) { q.request_id = "request-2"; },
      [](DeviceQuestion&, StatementMark& m) { m.nonce = "0123456789abcdef"; },
      [](DeviceQuestion&, StatementMark& m) { m.signed_at += seconds(1); },
      // What one field loses, the next gains.
      [](DeviceQuestion& q, StatementMark&) {
        q.tenant_id = "contos";
        q.user_id = "ou-17";
      },
      [](DeviceQuestion& q, StatementMark&) {
        q.tenant_id = "contoso\n4:u-17";
        q.user_id = "";
      },
  };
  std::set<std::string> statements = {
      StatementOf(RecordedQuestion(), {kRecordedAt, RecordedNonce()})};
  std::size_t made = 1;
  for (const Change& change : changes) {
    DeviceQuestion question = RecordedQuestion();
    StatementMark mark = {kRecordedAt, RecordedNonce()};
    change(question, mark);
    statements.insert(StatementOf(question, mark));
    EXPECT_EQ(statements.size(), ++made);
  }
}

}  // namespace
}  // namespace hourglass::issuance
