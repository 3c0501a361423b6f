// What the tests of services stand on: a store in SQLite, keys in a folder, a clock that stands
// still, and the log. The methods are called as the runner of calls does for a caller who may.
#ifndef HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_TEST_H_
#define HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "hsm/store/key_store.h"
#include "issuance/identity/caller.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

// Of the text form; the test fails where it is not of this type.
template <typename Message>
Message MessageOf(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Every field as in the other message, and none beside.
MATCHER_P(IsMessage, wanted, "is\n" + wanted.DebugString()) {
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  const bool same = differencer.Compare(wanted, arg);
  *result_listener << "differs by\n" << difference;
  return same;
}

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    administrator_.name = "cli";
    administrator_.roles = {Role::kAdministrator};
    administrator_.all_tenants = true;
  }

  // Every line since the last that was taken.
  std::vector<LoggedLine> Logged() { return log_.Take(); }

  TemporaryDirectory directory_;
  DoubtedClock clock_{SampleTime()};
  CapturedLog log_;
  std::unique_ptr<Store> store_;
  Caller administrator_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_TEST_H_
