// The program as its users meet it: the built binary against a scripted issuer over mutual TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "ca/encoding/digest.h"
#include "hourglass/v1/device_keys.grpc.pb.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "issuance/base/clock.h"
#include "issuance/device_keys/device_key.h"
#include "issuance/device_keys/device_proof.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/certificate.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::broker {
namespace {

using client::LoopbackService;
using client::OpensslAuthority;
using client::TimestampOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;
using Request = v1::IssueCertificateRequest;
using Response = v1::IssueCertificateResponse;
using Answer = std::function<grpc::Status(const Request&, Response*)>;

constexpr char kProgram[] = "tools/broker/hourglass-broker";

// Gives the scripted answers one after the other, the last for ever, and keeps what was asked.
class Issuer final : public v1::CertificateIssuer::Service {
 public:
  void Script(std::deque<Answer> answers) { answers_ = std::move(answers); }

  std::vector<Request> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  grpc::Status IssueCertificate(grpc::ServerContext*, const Request* request,
                                Response* response) override {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(*request);
      answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
    }
    return answer(*request, response);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Request> asked_;
  std::deque<Answer> answers_;
};

// Takes every key, and keeps what came.
class DeviceKeys final : public v1::DeviceKeyService::Service {
 public:
  grpc::Status EnrolDeviceKey(grpc::ServerContext*, const v1::EnrolDeviceKeyRequest* request,
                              v1::DeviceKey* key) override {
    enrolled = *request;
    key->set_tenant_id(request->tenant_id());
    key->set_device_id(request->device_id());
    key->set_key_id(issuance::DeviceKeyId(request->public_key()));
    key->set_state(state);
    return status;
  }

  v1::EnrolDeviceKeyRequest enrolled;
  v1::DeviceKeyState state = v1::DEVICE_KEY_PENDING;
  grpc::Status status;
};

Answer Fail(ErrorReason reason, absl::string_view message) {
  const grpc::Status status = issuance::ToGrpcStatus(Error(reason, "", message));
  return [status](const Request&, Response*) { return status; };
}

std::vector<std::string> Words(const std::string& text) { return absl::StrSplit(text, ' '); }

std::string Openssl(const std::string& words) {
  const CommandResult result = RunCommand(Words("openssl " + words));
  EXPECT_EQ(result.exit_code, 0) << words << "\n" << result.output;
  return result.output;
}

class BrokerTest : public testing::Test {
 protected:
  BrokerTest() : authority_("root-one"), service_({&issuer_, &device_keys_}) {
    out_.Write("root.der", authority_.root());
    Openssl("x509 -inform DER -in " + out_.File("root.der") + " -out " + Scratch("root.pem"));
    std::filesystem::remove(out_.File("root.der"));
    issuer_.Script({Issue()});
  }

  // Answers with a certificate for the request's key whose life, as the service's clock sees it, is
  // as given: a day's certificate near its end.
  Answer Issue(absl::Duration life = absl::Minutes(60),
               absl::Duration renewal = absl::Minutes(30)) {
    return [this, life, renewal](const Request& request, Response* response) {
      response->set_certificate(authority_.Issue(request.pkcs10(), request.user().upn()));
      response->add_chain(authority_.root());
      const absl::Time not_after = client::ReadCertificate(response->certificate())->not_after;
      *response->mutable_not_after() = TimestampOf(not_after);
      *response->mutable_server_time() = TimestampOf(not_after - life);
      *response->mutable_renew_after() = TimestampOf(not_after - life + renewal);
      response->set_verdict_id("verdict-1");
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> Command(const std::string& verb, const std::string& more) const {
    std::vector<std::string> command = {kProgram,   verb,       "--config", service_.config_file(),
                                        "--tenant", "contoso",  "--user",   "user@contoso.example",
                                        "--device", "laptop-1", "--out",    out_.File("user.pem")};
    for (const std::string& word : Words(more)) command.push_back(word);
    return command;
  }
  CommandResult IssueWith(const std::string& more) const {
    return RunCommand(Command("issue", more));
  }
  std::string KeyOut() const { return "--key-out " + out_.File("user.key"); }
  std::string Scratch(const std::string& name) const { return service_.directory().File(name); }

  std::vector<std::string> FilesOut() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(out_.path())) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  static int ModeOf(const std::string& file) {
    struct stat status = {};
    EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
    return static_cast<int>(status.st_mode & 07777);
  }

  void ExpectPairVerifies(const std::string& certificate, const std::string& key) const {
    EXPECT_EQ(Openssl("x509 -noout -pubkey -in " + certificate),
              Openssl("pkey -pubout -in " + key));
    EXPECT_THAT(
        Openssl("verify -purpose sslclient -CAfile " + Scratch("root.pem") + " " + certificate),
        HasSubstr(": OK"));
  }

  TemporaryDirectory out_;
  OpensslAuthority authority_;
  Issuer issuer_;
  DeviceKeys device_keys_;
  LoopbackService service_;
};

TEST_F(BrokerTest, MakesAKeyAndGetsACertificateForIt) {
  const CommandResult result = IssueWith(KeyOut() + " --user-id 1234");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(FilesOut(), ElementsAre("user.key", "user.pem"));
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
  EXPECT_EQ(ModeOf(out_.File("user.key")), 0600);
  EXPECT_EQ(ModeOf(out_.File("user.pem")), 0644);
  EXPECT_THAT(ReadFileOrDie(out_.File("user.key")), StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  ASSERT_EQ(issuer_.asked().size(), 1u);
  const Request request = issuer_.asked()[0];
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.user().upn(), "user@contoso.example");
  EXPECT_EQ(request.user().id(), "1234");
  EXPECT_EQ(request.device_id(), "laptop-1");
  EXPECT_EQ(request.request_id().size(), 36u);
}

TEST_F(BrokerTest, BringsTheAccessTokenThatIsInItsFile) {
  EXPECT_EQ(IssueWith(KeyOut()).exit_code, 0);
  EXPECT_EQ(issuer_.asked().back().access_token(), "") << "nobody gave one";
  const std::string file = out_.Write("token", "  ey.first.token\n");
  const std::string option = " --access-token-file " + file;
  EXPECT_EQ(IssueWith(KeyOut() + option).exit_code, 0);
  EXPECT_EQ(issuer_.asked().back().access_token(), "ey.first.token");
  std::filesystem::remove(file);
  const CommandResult without = IssueWith(KeyOut() + option);
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.output, HasSubstr(file));
  EXPECT_EQ(issuer_.asked().size(), 2u);
}

TEST_F(BrokerTest, SaysInWordsWhatItGot) {
  const std::string words = IssueWith(KeyOut()).output;
  EXPECT_THAT(words, StartsWith("A certificate for user@contoso.example on laptop-1.\n"));
  EXPECT_THAT(words, HasSubstr("  Good for       client authentication, conditional access\n"));
  EXPECT_THAT(words, HasSubstr(" UTC (in 1 h)\n"));
  EXPECT_THAT(words, HasSubstr(" UTC (in 30 min)\n"));
  EXPECT_THAT(words, HasSubstr("  Issuer         CN=root-one\n"));
  // The service's clock is the script's: a day ahead, less the hour.
  EXPECT_THAT(words, HasSubstr("Note: this machine's clock is 22 h"));
}

TEST_F(BrokerTest, SaysTheSameInJson) {
  const CommandResult result =
      IssueWith(KeyOut() + " --json --chain-out " + out_.File("chain.pem"));
  const Json json = Json::parse(result.output, nullptr, false);
  EXPECT_EQ(json["user_upn"], "user@contoso.example");
  EXPECT_EQ(json["subject"], "CN=user@contoso.example");
  EXPECT_EQ(json["purposes"], Json::array({"client authentication", "conditional access"}));
  EXPECT_EQ(json["certificate_file"], out_.File("user.pem"));
  EXPECT_EQ(json["chain_file"], out_.File("chain.pem"));
  std::string serial = Openssl("x509 -noout -serial -in " + out_.File("user.pem"));
  std::transform(serial.begin(), serial.end(), serial.begin(), ::tolower);
  EXPECT_EQ(absl::StrCat("serial=", json["serial_number"].get<std::string>(), "\n"), serial);
  EXPECT_EQ(ReadFileOrDie(out_.File("chain.pem")), ReadFileOrDie(Scratch("root.pem")));
}

TEST_F(BrokerTest, MakesKeysOfEveryKind) {
  for (const auto& [type, words] : {std::pair{"ec-p384", "NIST CURVE: P-384"},
                                    std::pair{"rsa-2048", "Public-Key: (2048 bit)"}}) {
    ASSERT_EQ(IssueWith(KeyOut() + " --key-type " + type).exit_code, 0);
    ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
    EXPECT_THAT(Openssl("x509 -noout -text -in " + out_.File("user.pem")), HasSubstr(words));
  }
}

TEST_F(BrokerTest, AsksForTheKeyOfARequestThatOpensslMade) {
  for (const char* key :
       {"ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384", "rsa:2048"}) {
    Openssl("req -new -nodes -subj /CN=anything -newkey " + std::string(key) + " -keyout " +
            Scratch("own.key") + " -out " + Scratch("own.csr"));
    Openssl("req -outform DER -in " + Scratch("own.csr") + " -out " + Scratch("own.der"));
    for (const char* form : {"own.csr", "own.der"}) {
      const CommandResult result = IssueWith("--csr " + Scratch(form));
      ASSERT_EQ(result.exit_code, 0) << result.output;
      EXPECT_EQ(issuer_.asked().back().pkcs10(), ReadFileOrDie(Scratch("own.der")));
      ExpectPairVerifies(out_.File("user.pem"), Scratch("own.key"));
      EXPECT_THAT(FilesOut(), ElementsAre("user.pem"));
    }
  }
}

// What PowerShell's `>` makes of a request, and what a JSON string holds of it.
TEST_F(BrokerTest, TakesARequestThatCameThroughOtherHands) {
  Openssl("req -new -nodes -subj /CN=a -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout " +
          Scratch("own.key") + " -out " + Scratch("own.csr"));
  Openssl("req -outform DER -in " + Scratch("own.csr") + " -out " + Scratch("own.der"));
  const std::string pem = ReadFileOrDie(Scratch("own.csr"));
  const std::string in_utf16 = RunCommand({"iconv", "-f", "UTF-8", "-t", "UTF-16"}, pem).output;
  for (const std::string& content : {in_utf16, absl::StrReplaceAll(pem, {{"\n", "\\n"}}),
                                     absl::StrReplaceAll(pem, {{"\n", "\r"}})}) {
    const std::string file = service_.directory().Write("other.csr", content);
    const CommandResult result = IssueWith("--csr " + file);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(issuer_.asked().back().pkcs10(), ReadFileOrDie(Scratch("own.der")));
  }
}

// What `openssl dgst` signs is what the service checks.
TEST_F(BrokerTest, TheDeviceSignsWhatIsAsked) {
  Openssl("ecparam -name prime256v1 -genkey -noout -out " + Scratch("device.key"));
  Openssl("pkey -in " + Scratch("device.key") + " -pubout -out " + Scratch("device.pub"));
  std::vector<std::string> command = Command("issue", KeyOut() + " --user-id u-17 --sign-with");
  command.push_back("openssl dgst -sha256 -sign " + Scratch("device.key") +
                    " -out \"$HOURGLASS_SIGNATURE\" \"$HOURGLASS_STATEMENT\"; echo told");
  const CommandResult result = RunCommand(command);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("told\n")) << "what it prints is told";
  const Request asked = issuer_.asked().back();
  const std::string public_key =
      RunCommand(Words("openssl pkey -pubin -outform DER -in " + Scratch("device.pub"))).output;
  const std::string certified = ca::Sha256(
      RunCommand({"sh", "-c", "openssl pkey -pubout -outform DER -in " + out_.File("user.key")})
          .output);
  const issuance::DeviceQuestion question = {"contoso",  "u-17",    "user@contoso.example",
                                             "laptop-1", certified, asked.request_id()};
  const issuance::Timestamp now = issuance::SystemClock().Now();
  EXPECT_OK(issuance::CheckDeviceProof(asked.device_proof(), public_key, question, now));
  EXPECT_EQ(asked.device_proof().nonce().size(), 32u);
  // The same for the enrolment, of a key as PEM or DER.
  for (const std::string& file :
       {Scratch("device.pub"), service_.directory().Write("device.der", public_key)}) {
    const CommandResult enrolled = RunCommand(
        {kProgram, "enrol-device", "--config", service_.config_file(), "--tenant", "contoso",
         "--device", "laptop-1", "--public-key", file, "--sign-with", command.back()});
    ASSERT_EQ(enrolled.exit_code, 0) << enrolled.output;
    EXPECT_EQ(device_keys_.enrolled.public_key(), public_key);
    const std::string hash = ca::Sha256(public_key);
    EXPECT_OK(issuance::CheckEnrolmentProof(device_keys_.enrolled.proof(), public_key,
                                            {"contoso", "laptop-1", hash}, now));
    EXPECT_THAT(enrolled.output,
                HasSubstr("hourglass device-keys approve --tenant contoso " +
                          issuance::DeviceKeyId(public_key) + " --reason REASON\n"));
  }
}

TEST_F(BrokerTest, WithoutTheDevicesSignatureNothingIsSent) {
  std::vector<std::string> command = Command("issue", KeyOut() + " --sign-with");
  for (const auto& [sign_with, why] :
       {std::pair{"exit 3", "--sign-with: ended with exit code 3"},
        std::pair{"true", "--sign-with: the command left no signature in the file that"}}) {
    command.push_back(sign_with);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, HasSubstr(why));
    command.pop_back();
  }
  EXPECT_THAT(issuer_.asked(), IsEmpty());
  EXPECT_THAT(FilesOut(), IsEmpty());
  const std::string no_key = service_.directory().Write("device.pub", "no key");
  const CommandResult enrolled = RunCommand(
      {kProgram, "enrol-device", "--config", service_.config_file(), "--tenant", "contoso",
       "--device", "laptop-1", "--public-key", no_key, "--sign-with", "true"});
  EXPECT_EQ(enrolled.exit_code, 1);
  EXPECT_THAT(enrolled.output, StartsWith("hourglass-broker: FIELD_INVALID: --public-key: "));
}

TEST_F(BrokerTest, ARequestThatIsNoneIsNotSent) {
  Openssl(
      "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=a -outform DER "
      "-keyout " +
      Scratch("own.key") + " -out " + Scratch("own.der"));
  ASSERT_EQ(IssueWith("--csr " + Scratch("own.der")).exit_code, 0);
  std::filesystem::remove(out_.File("user.pem"));
  const std::string der = ReadFileOrDie(Scratch("own.der"));
  for (const std::string& content : {std::string("garbage"), std::string(), der + "x",
                                     std::string("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n")}) {
    const std::string file = service_.directory().Write("wrong.csr", content);
    const CommandResult result = IssueWith("--csr " + file);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, StartsWith("hourglass-broker: FIELD_INVALID: --csr: "));
  }
  const CommandResult certificate = IssueWith("--csr " + Scratch("root.pem"));
  EXPECT_EQ(certificate.exit_code, 1);
  EXPECT_THAT(certificate.output,
              StartsWith("hourglass-broker: FIELD_INVALID: --csr: one certificate request is "
                         "wanted, and it holds a certificate\n"));
  EXPECT_EQ(issuer_.asked().size(), 1u);
  EXPECT_THAT(FilesOut(), IsEmpty());
}

TEST_F(BrokerTest, ARefusalTellsEveryReasonAndWritesNothing) {
  std::vector<v1::DenyReason> reasons(2);
  reasons[0].set_setting("disk_encryption.enabled");
  reasons[0].set_message("the disks are not encrypted");
  reasons[0].set_remediation_url("https://help.example/disk");
  reasons[1].set_setting("antivirus.enabled");
  reasons[1].set_message("no antivirus program runs");
  const grpc::Status denied = issuance::ToGrpcStatus(
      Error(ErrorReason::kDeviceNotCompliant, "", "laptop-1 may not connect"),
      {reasons, {}, {}, "verdict-7"});
  issuer_.Script({[&denied](const Request&, Response*) { return denied; }});
  const CommandResult result = IssueWith(KeyOut() + " --chain-out " + out_.File("chain.pem"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output,
            "hourglass-broker: DEVICE_NOT_COMPLIANT: laptop-1 may not connect\n"
            "  - disk_encryption.enabled: the disks are not encrypted\n"
            "    how to mend it: https://help.example/disk\n"
            "  - antivirus.enabled: no antivirus program runs\n"
            "  for the help desk: correlation id verdict-7\n");
  EXPECT_THAT(FilesOut(), IsEmpty());
  EXPECT_EQ(issuer_.asked().size(), 1u);
  const Json error = Json::parse(IssueWith(KeyOut() + " --json").output)["error"];
  EXPECT_EQ(error["deny_reasons"].size(), 2u);
  EXPECT_EQ(error["correlation_id"], "verdict-7");
}

TEST_F(BrokerTest, ARefusalLeavesTheOldPairAlone) {
  ASSERT_EQ(IssueWith(KeyOut()).exit_code, 0);
  const std::string certificate = ReadFileOrDie(out_.File("user.pem"));
  issuer_.Script({Fail(ErrorReason::kNoPrimaryRoot, "no primary")});
  ASSERT_EQ(IssueWith(KeyOut()).exit_code, 1);
  EXPECT_EQ(ReadFileOrDie(out_.File("user.pem")), certificate);
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
  EXPECT_THAT(FilesOut(), ElementsAre("user.key", "user.pem"));
}

TEST_F(BrokerTest, AsksTheSameAgainWhileTheServiceIsAway) {
  issuer_.Script({Fail(ErrorReason::kStopping, "stopping"), Fail(ErrorReason::kOverloaded, "busy"),
                  [](const Request&, Response*) {
                    return grpc::Status(grpc::StatusCode::CANCELLED, "dropped");
                  },
                  Issue()});
  const CommandResult result = IssueWith(KeyOut());
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const std::vector<Request> asked = issuer_.asked();
  ASSERT_EQ(asked.size(), 4u);
  for (const Request& again : asked) {
    EXPECT_EQ(again.SerializeAsString(), asked[0].SerializeAsString());
  }
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
}

TEST_F(BrokerTest, AsksUnderANewIdWhenThePrimaryHasChanged) {
  issuer_.Script({Fail(ErrorReason::kPrimaryChanged, "changed"), Issue()});
  EXPECT_EQ(IssueWith(KeyOut()).exit_code, 0);
  const std::vector<Request> asked = issuer_.asked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_NE(asked[1].request_id(), asked[0].request_id());
  EXPECT_EQ(asked[1].pkcs10(), asked[0].pkcs10());
}

TEST_F(BrokerTest, GivesUpWhenTheTimeIsOver) {
  issuer_.Script({Fail(ErrorReason::kComplianceUnavailable, "the compliance service is away")});
  const CommandResult result = IssueWith(KeyOut() + " --timeout 4s");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass-broker: COMPLIANCE_UNAVAILABLE: "));
  EXPECT_THAT(FilesOut(), IsEmpty());
  EXPECT_LE(issuer_.asked().size(), 6u);
}

TEST_F(BrokerTest, ACertificateForAnotherKeyIsNotTaken) {
  ASSERT_EQ(IssueWith(KeyOut()).exit_code, 0);
  const std::string other = issuer_.asked()[0].pkcs10();
  issuer_.Script({[this, other](const Request& request, Response* response) {
    Request changed = request;
    changed.set_pkcs10(other);
    return Issue()(changed, response);
  }});
  const CommandResult result = IssueWith(KeyOut());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass-broker: KEY_MISMATCH: "));
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
}

TEST_F(BrokerTest, CertificateAndKeyMayShareOneFile) {
  ASSERT_EQ(IssueWith("--key-out " + out_.File("user.pem")).exit_code, 0);
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.pem"));
  EXPECT_EQ(ModeOf(out_.File("user.pem")), 0600);
  EXPECT_THAT(FilesOut(), ElementsAre("user.pem"));
}

TEST_F(BrokerTest, AMinusIsStandardOutput) {
  std::vector<std::string> command = Command("issue", "--key-out - --chain-out -");
  std::replace(command.begin(), command.end(), out_.File("user.pem"), std::string("-"));
  // Standard error, where the words go, apart.
  command.insert(command.begin(), {"sh", "-c", "\"$0\" \"$@\" 2>/dev/null"});
  const CommandResult result = RunCommand(command);
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_THAT(result.output, EndsWith("-----END CERTIFICATE-----\n"));
  const std::string file = service_.directory().Write("all.pem", result.output);
  ExpectPairVerifies(file, file);
  EXPECT_THAT(FilesOut(), IsEmpty());

  std::vector<std::string> run = Command("run", KeyOut());
  std::replace(run.begin(), run.end(), out_.File("user.pem"), std::string("-"));
  const CommandResult refused = RunCommand(run);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("standard output cannot be kept fresh"));
}

TEST_F(BrokerTest, ADeviceIsNotReplaced) {
  std::vector<std::string> command = Command("issue", KeyOut());
  std::replace(command.begin(), command.end(), out_.File("user.pem"), std::string("/dev/null"));
  const CommandResult result = RunCommand(command);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("/dev/null: it is not a regular file"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_THAT(issuer_.asked(), IsEmpty());
}

TEST_F(BrokerTest, AFolderThatCannotBeWrittenIsToldBeforeAnythingIsAsked) {
  std::vector<std::string> command = Command("issue", KeyOut());
  std::replace(command.begin(), command.end(), out_.File("user.pem"), out_.File("none/user.pem"));
  const CommandResult result = RunCommand(command);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("none/user.pem"));
  EXPECT_THAT(issuer_.asked(), IsEmpty());
}

TEST_F(BrokerTest, RunRenewsWhenTheServiceSaysAndTellsTheCommand) {
  issuer_.Script({Issue(absl::Minutes(60), absl::Seconds(1))});
  std::vector<std::string> command = Command("run", KeyOut());
  command.push_back("--on-renew");
  command.push_back(absl::StrCat(
      "test \"$(openssl x509 -noout -pubkey -in \"$HOURGLASS_CERTIFICATE\")\" = "
      "\"$(openssl pkey -pubout -in \"$HOURGLASS_KEY\")\" && echo >> ",
      Scratch("renewals"), " && echo \"renewals: $(wc -l < ", Scratch("renewals"), ")\"; exit 3"));
  BackgroundProcess run(command, Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("renewals: 1")) << run.Log();
  const std::string first_key = ReadFileOrDie(out_.File("user.key"));
  ASSERT_TRUE(run.WaitForLog("ended with exit code 3")) << run.Log();
  ASSERT_TRUE(run.WaitForLog("renewals: 2")) << run.Log();
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
  const std::vector<Request> asked = issuer_.asked();
  ASSERT_GE(asked.size(), 2u);
  EXPECT_NE(asked[1].request_id(), asked[0].request_id());
  EXPECT_NE(asked[1].pkcs10(), asked[0].pkcs10());
  EXPECT_NE(ReadFileOrDie(out_.File("user.key")), first_key);
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
  EXPECT_THAT(FilesOut(), ElementsAre("user.key", "user.pem"));
  EXPECT_THAT(run.Log(), HasSubstr("told to stop"));
  // It is no fault of the service's.
  EXPECT_THAT(run.Log(), Not(HasSubstr("INTERNAL_ERROR")));
  EXPECT_THAT(run.Log(), Not(HasSubstr("the service's log")));
}

TEST_F(BrokerTest, RunRemovesTheCertificateWhenItExpires) {
  // The service's clock says that two seconds are left, whatever this machine's says.
  issuer_.Script({Issue(absl::Seconds(2), absl::Seconds(1)),
                  Fail(ErrorReason::kStopping, "the service is stopping")});
  BackgroundProcess run(Command("run", KeyOut() + " --json"), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"issued\"")) << run.Log();
  EXPECT_TRUE(std::filesystem::exists(out_.File("user.pem")));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"removed\"")) << run.Log();
  EXPECT_FALSE(std::filesystem::exists(out_.File("user.pem")));
  EXPECT_EQ(run.Stop(SIGINT), 0);
  std::vector<std::string> events;
  for (const absl::string_view line : absl::StrSplit(run.Log(), '\n', absl::SkipEmpty())) {
    events.push_back(Json::parse(std::string(line))["event"]);
  }
  EXPECT_THAT(events, ElementsAre("issued", "unavailable", "removed", "stopped"));
  EXPECT_THAT(FilesOut(), ElementsAre("user.key"));
}

TEST_F(BrokerTest, RunRemovesAnExpiredCertificateThatItFinds) {
  Openssl("x509 -in " + Scratch("root.pem") + " -signkey " + Scratch("client.key") +
          " -days -1 -out " + out_.File("user.pem"));
  issuer_.Script({Fail(ErrorReason::kStopping, "the service is stopping")});
  BackgroundProcess run(Command("run", KeyOut()), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("user.pem: it has expired")) << run.Log();
  EXPECT_FALSE(std::filesystem::exists(out_.File("user.pem")));
  EXPECT_EQ(run.Stop(SIGTERM), 0);
}

TEST_F(BrokerTest, RunLeavesAFileAloneThatHoldsAGoodCertificate) {
  ASSERT_EQ(IssueWith(KeyOut()).exit_code, 0);
  const std::string before = ReadFileOrDie(out_.File("user.pem"));
  std::vector<v1::DenyReason> reasons(1);
  reasons[0].set_setting("disk_encryption.enabled");
  reasons[0].set_message("off");
  reasons[0].set_remediation_url("https://help.example/disk");
  const grpc::Status denied = issuance::ToGrpcStatus(
      Error(ErrorReason::kDeviceNotCompliant, "", "may not connect"), {reasons, {}});
  issuer_.Script({[&denied](const Request&, Response*) { return denied; }});
  BackgroundProcess run(Command("run", KeyOut()), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("silently while nothing changes")) << run.Log();
  EXPECT_THAT(run.Log(), HasSubstr(" UTC  DEVICE_NOT_COMPLIANT: may not connect; "
                                   "disk_encryption.enabled: off, "
                                   "how to mend it: https://help.example/disk; asking again in "));
  EXPECT_EQ(run.Stop(SIGTERM), 0);
  EXPECT_EQ(ReadFileOrDie(out_.File("user.pem")), before);
  ExpectPairVerifies(out_.File("user.pem"), out_.File("user.key"));
}

TEST_F(BrokerTest, RunStopsInTheMiddleOfAQuestion) {
  std::promise<void> asked, release;
  issuer_.Script({[&](const Request&, Response*) {
    asked.set_value();
    release.get_future().wait();
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "too late");
  }});
  BackgroundProcess run(Command("run", KeyOut()), Scratch("run.log"));
  asked.get_future().wait();
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
  release.set_value();
  EXPECT_THAT(FilesOut(), IsEmpty());
}

TEST_F(BrokerTest, RunOutlivesSignalsThatAreNotMeantToEndIt) {
  BackgroundProcess run(Command("run", KeyOut() + " --json"), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"issued\"")) << run.Log();
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGIO, SIGRTMAX}) {
    kill(run.pid(), number);
    EXPECT_TRUE(run.WaitForLog(absl::StrCat("\"signal\":\"", SignalName(number), "\"")))
        << run.Log();
    EXPECT_TRUE(run.Running());
  }
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
}

// What it runs must end as commands do, whatever was ignored where it was started.
TEST_F(BrokerTest, TheCommandGetsNoSignalsIgnoredOrBlocked) {
  std::vector<std::string> command = Command("run", KeyOut());
  command.insert(command.begin(), "nohup");
  command.push_back("--on-renew");
  command.push_back("grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; echo told");
  BackgroundProcess run(command, Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("told")) << run.Log();
  const std::string none(16, '0');
  EXPECT_THAT(run.Log(), HasSubstr("SigBlk:\t" + none));
  // But for the two that the C library keeps for itself, and spawns with.
  EXPECT_THAT(run.Log(), testing::ContainsRegex("SigIgn:\t0000000[01][08]0000000"));
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
}

TEST_F(BrokerTest, IssueStopsInTheMiddleOfAPause) {
  std::promise<void> asked;
  const Answer stopping = Fail(ErrorReason::kStopping, "the service is stopping");
  issuer_.Script({[&](const Request& request, Response* response) {
                    asked.set_value();
                    return stopping(request, response);
                  },
                  stopping});
  BackgroundProcess issue(Command("issue", KeyOut() + " --timeout 1h"), Scratch("issue.log"));
  asked.get_future().wait();
  EXPECT_EQ(issue.Stop(SIGINT), 1);
  EXPECT_THAT(issue.Log(), HasSubstr("told to stop"));
  EXPECT_THAT(FilesOut(), IsEmpty());
}

TEST(BrokerUsageTest, WrongUsageEndsWithTwoAndTheRightHelp) {
  const std::string who = "--config c --tenant t --user u@x --device d --out o";
  const std::pair<std::string, const char*> cases[] = {
      {"nonsense", "Usage: hourglass-broker [OPTIONS] SUBCOMMAND"},
      {"issue --key-out k", "Usage: hourglass-broker issue [OPTIONS]"},
      {"issue " + who, "give either --key-out, to make a key, or --csr"},
      {"issue " + who + " --key-out k --csr c", "give either --key-out, to make a key, or --csr"},
      {"issue " + who + " --key-out k --key-type dsa", "`dsa` is none of ec-p256, "},
      {"issue " + who + " --csr c --key-type ec-p384", "goes with --key-out only"},
      {"issue " + who + " --key-out k --timeout soon", "Usage: hourglass-broker issue "},
      {"issue " + who + " --key-out k --chain-out o", "must be a file of its own"},
      {"run " + who + " --key-out k --timeout 1s", "Usage: hourglass-broker run [OPTIONS]"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = Words(words);
    command.insert(command.begin(), kProgram);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

}  // namespace
}  // namespace hourglass::broker
