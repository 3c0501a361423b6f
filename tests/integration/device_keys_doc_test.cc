// docs/device-keys.md: a device makes a key with OpenSSL, enrols it and asks; and what becomes of
// who cannot sign.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/integration/document_fixture.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kSignWith[] =
    R"( --sign-with 'openssl dgst -sha256 -sign device.key -out "$HOURGLASS_SIGNATURE" "$HOURGLASS_STATEMENT"')";

class DeviceKeysDocTest : public DocumentFixture {
 protected:
  DeviceKeysDocTest() : DocumentFixture("docs/device-keys.md") {}

  void SetUp() override {
    Configure(page_.Take("configuration"));
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    WriteClientConfig("cli.yaml", kAdministrator);
    WriteClientConfig("mdm.yaml", kDeviceReporter);
    WriteClientConfig("broker.yaml", kBroker);
    MakeTenant();
    Succeed(
        "for device in laptop-1 LAPTOP-1 laptop-2; do\n"
        "  hourglass --config mdm.yaml devices report --tenant contoso $device --operating-system "
        "Windows --disk-encryption on\n"
        "done");
  }

  // What a broker is told who asks for anna.
  CommandResult Issue(const std::string& device, const std::string& more = "") {
    const std::string name = absl::StrCat("leaf-", ++leaves_);
    return Shell(
        absl::StrCat("hourglass-broker issue --config broker.yaml --tenant contoso --user "
                     "anna@contoso.example --device ",
                     device, " --out ", name, ".pem --key-out ", name, ".key", more));
  }
  void ExpectRefused(const CommandResult& result, const std::string& reason) {
    EXPECT_NE(result.exit_code, 0);
    EXPECT_THAT(result.output, HasSubstr(reason));
  }

  int leaves_ = 0;
};

TEST_F(DeviceKeysDocTest, ADeviceSignsForWhatItAsks) {
  EXPECT_EQ(Issue("laptop-1").exit_code, 0) << "nobody has a key yet";
  const std::string key_id = Take("key").substr(0, 64);
  EXPECT_THAT(Take("enrol"), AllOf(HasSubstr(key_id), HasSubstr("device-keys approve")));
  EXPECT_EQ(Issue("laptop-1").exit_code, 0) << "while it waits it counts for nothing";
  EXPECT_THAT(Take("approve"), AllOf(HasSubstr("pending"), HasSubstr("Approved: from now on")));

  // A broker that was taken: without the device, in another spelling, with a key of its own.
  ExpectRefused(Issue("laptop-1"), "DEVICE_PROOF_MISSING");
  ExpectRefused(Issue("LAPTOP-1"), "DEVICE_PROOF_MISSING");
  Succeed("openssl ecparam -name prime256v1 -genkey -noout -out brokers.key");
  ExpectRefused(Issue("laptop-1", R"( --sign-with 'openssl dgst -sha256 -sign brokers.key -out )"
                                  R"("$HOURGLASS_SIGNATURE" "$HOURGLASS_STATEMENT"')"),
                "DEVICE_PROOF_REFUSED");
  EXPECT_EQ(Issue("laptop-2").exit_code, 0) << "another device has no key";

  EXPECT_THAT(Take("ask"), HasSubstr("anna@contoso.example on laptop-1"));

  // What the page says is signed is what the service takes.
  Succeed(
      "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout "
      "own.key -out user.csr\n"
      "hourglass-broker issue --config broker.yaml --tenant contoso --user anna@contoso.example "
      "--device laptop-1 --csr user.csr --out own.pem --sign-with "
      R"('cp "$HOURGLASS_STATEMENT" theirs; openssl dgst -sha256 -sign device.key -out )"
      R"("$HOURGLASS_SIGNATURE" "$HOURGLASS_STATEMENT"')");
  Succeed(
      absl::StrCat("REQUEST_ID=$(sed -n '7s/^[0-9]*://p' theirs)\n"
                   "NONCE=$(sed -n '8s/^[0-9]*://p' theirs)\n"
                   "SIGNED_AT=$(sed -n '9s/^[0-9]*://p' theirs)\n",
                   page_.Take("statement"),
                   "cmp statement theirs\n"
                   "openssl dgst -sha256 -verify device.pub -signature signature theirs"));

  // Installed anew, and lost.
  EXPECT_THAT(Take("again"), HasSubstr("Approved: from now on"));
  EXPECT_EQ(Issue("laptop-1", kSignWith).exit_code, 0);
  const std::string lost =
      Succeed(absl::StrCat("KEY=$(openssl pkey -in device.key -pubout -outform DER | sha256sum | "
                           "cut -d' ' -f1)\n",
                           page_.Take("lost")));
  EXPECT_THAT(lost, AllOf(HasSubstr("Nothing is issued to the device until another key"),
                          HasSubstr("left in a train"), HasSubstr("device_key_enrolled"),
                          HasSubstr("device_key_removed")));
  ExpectRefused(Issue("laptop-1", kSignWith), "DEVICE_PROOF_REFUSED");
  ExpectRefused(Issue("laptop-1"), "DEVICE_PROOF_MISSING");
  EXPECT_THAT(page_.NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
